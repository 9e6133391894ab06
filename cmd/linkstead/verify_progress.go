package main

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"linkstead/archive/warc"
)

// verifying tells how a verification is going: a live line on a terminal, a line a segment otherwise.
type verifying struct {
	w    io.Writer
	now  func() time.Time
	bars *mpb.Progress
	bar  *mpb.Bar

	bytes atomic.Int64 // read

	mu       sync.Mutex
	began    time.Time
	segments int
	ended    int
	all      int64 // bytes to be read
	before   int64 // bytes that were read before the interruption
	faults   int
}

func newVerifying(w io.Writer, now func() time.Time) *verifying {
	p := &verifying{w: w, now: now, began: now()}
	if !drawable(w) {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(w), mpb.WithAutoRefresh())
	p.bar = p.bars.New(0, mpb.NopStyle(), mpb.PrependDecorators(decor.Any(func(st decor.Statistics) string { return p.line(st.AvailableWidth) })))
	return p
}

func (p *verifying) begin(segments int, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.segments, p.all, p.began = segments, bytes, p.now()
}

func (p *verifying) read(n int) { p.bytes.Add(int64(n)) }

// tell takes note of a segment.
func (p *verifying) tell(n *warc.Inspection) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended++
	p.faults += len(n.Flaws) + n.More
	if n.Before {
		p.before += n.Size
	}
	if p.bars != nil {
		return
	}
	what := "ok"
	switch {
	case n.Elsewhere != "":
		what = "elsewhere"
	case n.Before:
		what = "before"
	}
	if k := len(n.Flaws) + n.More; k > 0 {
		what = plural(k, "fault", "faults")
	}
	fmt.Fprintf(p.w, "%-10s %8s  %s\n", what, size(n.Size), n.Segment)
}

// line is the live line, cut to the terminal's width.
func (p *verifying) line(width int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	read := p.bytes.Load()
	s := fmt.Sprintf("%d of %d segments  %s  %s of %s", p.ended, p.segments, bar(read+p.before, p.all), size(read+p.before), size(p.all))
	if took := p.now().Sub(p.began); took > time.Second && read > 0 {
		speed := float64(read) / took.Seconds()
		s += fmt.Sprintf("  %s/s", size(int64(speed)))
		if left := p.all - p.before - read; left > 0 {
			s += "  " + time.Duration(float64(left)/speed*float64(time.Second)).Round(time.Second).String() + " left"
		}
	}
	s += fmt.Sprintf("  %s", plural(p.faults, "fault", "faults"))
	if r := []rune(s); width > 1 && len(r) > width-1 {
		s = string(r[:width-2]) + "…"
	}
	return s
}

// close ends the live line.
func (p *verifying) close() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}
