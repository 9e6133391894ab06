package post

import "slices"

// index tells where the parts of a text end.
func (s *source) index() []int {
	if len(s.ends) != len(s.parts) {
		s.ends = s.ends[:0]
		at := 0
		for _, p := range s.parts {
			at += p.n
			s.ends = append(s.ends, at)
		}
	}
	return s.ends
}

// partAt is the part that a byte of the text belongs to, and where that begins.
func (s *source) partAt(at int) (p part, begin int, ok bool) {
	ends := s.index()
	i, exact := slices.BinarySearch(ends, at)
	if exact {
		i++
	}
	if i >= len(ends) {
		return part{}, 0, false
	}
	return s.parts[i], ends[i] - s.parts[i].n, true
}

// place is where a byte of the text begins and ends in the source.
func (s *source) place(at int) (start, end int) {
	p, begin, ok := s.partAt(at)
	switch {
	case !ok && len(s.parts) > 0:
		last := s.parts[len(s.parts)-1]
		return last.src + last.size, last.src + last.size
	case !ok:
		return 0, 0
	case p.verbatim:
		return p.src + at - begin, p.src + at - begin + 1
	}
	return p.src, p.src + p.size
}

// moved are pieces whose places are in the text, with those that they have in the source.
func (s *source) moved(pieces []piece) []piece {
	out := make([]piece, 0, len(pieces))
	for _, p := range pieces {
		if !p.verbatim {
			start, end := s.place(p.src)
			if p.size > 1 {
				_, end = s.place(p.src + p.size - 1)
			}
			if p.size == 0 {
				end = start
			}
			out = append(out, piece{text: p.text, n: p.n, src: start, size: max(0, end-start)})
			continue
		}
		for done := 0; done < p.n; {
			part, begin, ok := s.partAt(p.src + done)
			n := p.n - done
			if !ok {
				start, _ := s.place(p.src + done)
				out = append(out, piece{text: p.text + done, n: n, src: start})
				break
			}
			skip := p.src + done - begin
			n = min(n, part.n-skip)
			if part.verbatim {
				out = append(out, piece{text: p.text + done, n: n, src: part.src + skip, size: n, verbatim: true})
			} else {
				out = append(out, piece{text: p.text + done, n: n, src: part.src, size: part.size})
			}
			done += n
		}
	}
	return out
}
