package pack

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"errors"
	"io"
	"os"
	"slices"
)

// sortMemory is how many bytes of lines are sorted at a time.
const sortMemory = 16 << 20

// sorter puts lines in the order of their bytes, however many there are.
type sorter struct {
	temp   func() (*os.File, error)
	memory int // bytes of lines that are sorted at a time; 0: sortMemory
	lines  [][]byte
	size   int
	runs   []*os.File // sorted, each
}

// add takes a line with its newline, and keeps it.
func (s *sorter) add(line []byte) error {
	s.lines = append(s.lines, slices.Clone(line))
	if s.size += len(line); s.size < cmp.Or(s.memory, sortMemory) {
		return nil
	}
	return s.spill()
}

func (s *sorter) spill() error {
	f, err := s.temp()
	if err != nil {
		return err
	}
	s.runs = append(s.runs, f)
	w := bufio.NewWriter(f)
	slices.SortFunc(s.lines, bytes.Compare)
	for _, l := range s.lines {
		if _, err := w.Write(l); err != nil {
			return err
		}
	}
	s.lines, s.size = s.lines[:0], 0
	return w.Flush()
}

// each yields the lines in order. It can be called once.
func (s *sorter) each(f func(line []byte) error) error {
	if len(s.runs) == 0 {
		slices.SortFunc(s.lines, bytes.Compare)
		for _, l := range s.lines {
			if err := f(l); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.spill(); err != nil {
		return err
	}
	var h heads
	for _, run := range s.runs {
		if _, err := run.Seek(0, io.SeekStart); err != nil {
			return err
		}
		r := &head{in: bufio.NewReader(run)}
		if ok, err := r.next(); err != nil {
			return err
		} else if ok {
			h = append(h, r)
		}
	}
	heap.Init(&h)
	for len(h) > 0 {
		if err := f(h[0].line); err != nil {
			return err
		}
		ok, err := h[0].next()
		if err != nil {
			return err
		}
		if !ok {
			heap.Pop(&h)
			continue
		}
		heap.Fix(&h, 0)
	}
	return nil
}

func (s *sorter) close() error {
	var err error
	for _, f := range s.runs {
		err = errors.Join(err, f.Close())
	}
	s.runs = nil
	return err
}

// head is the first line of a sorted run.
type head struct {
	in   *bufio.Reader
	line []byte
}

func (h *head) next() (bool, error) {
	var err error
	h.line, err = h.in.ReadBytes('\n')
	if errors.Is(err, io.EOF) {
		return len(h.line) > 0, nil
	}
	return err == nil, err
}

type heads []*head

func (h heads) Len() int           { return len(h) }
func (h heads) Less(i, j int) bool { return bytes.Compare(h[i].line, h[j].line) < 0 }
func (h heads) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push is of heap.Interface; nothing is pushed.
func (h *heads) Push(v any) { *h = append(*h, v.(*head)) }

// Pop is of heap.Interface.
func (h *heads) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
