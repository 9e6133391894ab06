package main

import (
	"fmt"
	"io"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"linkstead/archive/outcome"
	"linkstead/crawler"
)

// progress tells how a capture is going: a live line on a terminal, a line an exchange otherwise.
type progress struct {
	w    io.Writer
	bars *mpb.Progress
	bar  *mpb.Bar

	mu           sync.Mutex
	known, ended int64
	kept, failed int
	bytes        int64
	last         string
	finished     bool
}

func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, known: 1}
	if !terminal(w) {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(30))
	p.bar = p.bars.New(1, mpb.BarStyle().Rbound("]").Lbound("[").Filler("=").Tip(">").Padding(" "),
		mpb.PrependDecorators(decor.CountersNoUnit("%d of %d")),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return p.line() })))
	return p
}

func (p *progress) line() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprintf("%d kept, %d failed, %s  %.60s", p.kept, p.failed, size(p.bytes), p.last)
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
		p.kept++
		p.bytes += ev.Bytes
	} else if !ev.Retry {
		p.failed++
	}
	p.last = ev.URL
	if p.bar != nil {
		p.bar.SetTotal(p.known, false)
		p.bar.SetCurrent(p.ended)
		return
	}
	if !p.finished {
		fmt.Fprintln(p.w, eventLine(ev))
	}
}

func eventLine(ev crawler.Event) string {
	what := ev.Outcome.Describe().Short
	if ev.Outcome == outcome.Captured {
		what = fmt.Sprint(ev.Status)
		if ev.Status == 0 {
			what = "taken in"
		}
	}
	if ev.Retry {
		what += ", will be tried again"
	}
	return fmt.Sprintf("%-13s %8s  %s", what, size(ev.Bytes), ev.URL)
}

// say prints a line above the progress.
func (p *progress) say(s string) {
	if p.bars != nil {
		fmt.Fprintln(p.bars, s)
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
		p.bar.SetTotal(-1, true)
		p.bar.Abort(true)
		p.bars.Wait()
	}
}

// size writes bytes for people.
func size(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
