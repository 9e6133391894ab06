package main

import (
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"linkstead/archive/outcome"
	"linkstead/archive/report"
	"linkstead/crawler"
	"linkstead/storage"
)

// progress tells how a capture is going: a live line on a terminal, a line an exchange otherwise.
type progress struct {
	w    io.Writer
	bars *mpb.Progress
	bar  *mpb.Bar

	mu           sync.Mutex
	known, ended int64
	failed       int
	bytes        int64
	last         string
	finished     bool
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, known: 1}
	if !drawable(w) {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh())
	p.bar = p.bars.New(0, mpb.NopStyle(), mpb.PrependDecorators(decor.Any(func(st decor.Statistics) string { return p.line(st.AvailableWidth) })))
	return p
}

// line is the live line, cut to the terminal's width: what counts comes first.
func (p *progress) line(width int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := fmt.Sprintf("%d of %d  %s  %d failed  %s  %s", p.ended, max(p.known, p.ended), bar(p.ended, p.known), p.failed, size(p.bytes), clean(p.last))
	if r := []rune(s); width > 1 && len(r) > width-1 {
		s = string(r[:width-2]) + "…"
	}
	return s
}

// bar draws how far it has come, ten signs wide.
func bar(done, of int64) string {
	n := int(10 * done / max(of, done, 1))
	return "[" + strings.Repeat("=", n) + strings.Repeat(" ", 10-n) + "]"
}

// tell takes note of an exchange that counts.
func (p *progress) tell(ev crawler.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known += int64(ev.Found)
	if ev.Kind == string("robots") {
		p.known++
	}
	if !ev.Retry {
		p.ended++
	}
	if ev.Outcome.Kept() {
		p.bytes += ev.Bytes
	} else if !ev.Retry {
		p.failed++
	}
	p.last = ev.URL
	if p.bar != nil {
		return
	}
	if !p.finished {
		fmt.Fprintln(p.w, eventLine(ev))
	}
}

// counted takes over what other processes have done.
func (p *progress) counted(c storage.Counts) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known, p.ended, p.failed, p.bytes = c.Found, c.Ended, int(c.Failed), c.Bytes
}

func eventLine(ev crawler.Event) string {
	what, bytes := ev.Outcome.Describe().Short, ""
	if ev.Outcome == outcome.Captured {
		what = fmt.Sprint(ev.Status)
		if ev.Status == 0 {
			what = "taken in"
		}
	}
	if ev.Outcome.Kept() {
		bytes = size(ev.Bytes)
	}
	line := fmt.Sprintf("%-15s %8s  %s", what, bytes, ev.URL)
	if ev.Retry {
		line += "  (to be tried again)"
	}
	return line
}

// Write prints log lines above the progress.
func (p *progress) Write(b []byte) (int, error) {
	if p.bars == nil {
		return p.w.Write(b)
	}
	if _, err := p.bars.Write(append([]byte("\r\x1b[2K"), b...)); err != nil {
		return p.w.Write(b) // the live line has ended
	}
	return len(b), nil
}

// say prints a line above the progress.
func (p *progress) say(s string) {
	if p.bars != nil {
		// The echo of Ctrl-C has moved the cursor: from the line's start, on an empty line.
		fmt.Fprintln(p.bars, "\r\x1b[2K"+s)
		return
	}
	fmt.Fprintln(p.w, s)
}

// close ends the live line.
func (p *progress) close() {
	p.mu.Lock()
	p.finished = true
	p.mu.Unlock()
	if p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}

// size writes bytes for people.
func size(n int64) string { return report.Size(n) }
