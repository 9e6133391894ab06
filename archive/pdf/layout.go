package pdf

import (
	"math"
	"strings"
	"unicode/utf8"
)

// matrix is a transformation (§8.3.3).
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

func (m matrix) times(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3], m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// piece is text that one operator shows: where it stands in the page's text, and on the page.
type piece struct {
	start, end     int
	x0, y0, x1, y1 float64 // of its baseline
	size           float64 // height of the letters, about
}

// page gathers the text of one page in the order in which it is shown.
type page struct {
	sb     strings.Builder
	pieces []piece
	limit  int // bytes of text
	dirX   float64
	dirY   float64
}

// maxPieces bounds the pieces of one page.
const maxPieces = 200_000

// show adds a piece. What stands on the line of the one before follows it, with a space if there is a gap; what stands
// elsewhere is on a line of its own, and a large step makes a paragraph.
func (p *page) show(s string, at matrix, width, size float64) {
	if s == "" || p.sb.Len()+len(s)+2 > p.limit || len(p.pieces) >= maxPieces {
		return
	}
	scale := math.Hypot(at[0], at[1])
	if scale == 0 || math.IsNaN(scale) || math.IsInf(scale, 0) {
		return
	}
	dx, dy := at[0]/scale, at[1]/scale
	height := math.Abs(size) * math.Hypot(at[2], at[3])
	q := piece{x0: at[4], y0: at[5], x1: at[4] + dx*width*scale, y1: at[5] + dy*width*scale, size: height}
	if n := len(p.pieces); n > 0 {
		p.between(p.pieces[n-1], q, dx, dy, s)
	}
	p.dirX, p.dirY = dx, dy
	q.start = p.sb.Len()
	p.sb.WriteString(s)
	q.end = p.sb.Len()
	p.pieces = append(p.pieces, q)
}

func (p *page) between(last, q piece, dx, dy float64, s string) {
	along := (q.x0-last.x1)*dx + (q.y0-last.y1)*dy
	across := -(q.x0-last.x1)*dy + (q.y0-last.y1)*dx
	size := max(last.size, q.size, 1)
	turned := dx*p.dirX+dy*p.dirY < 0.9
	switch {
	case turned || math.Abs(across) > 1.9*size || across > 0.7*size:
		p.sb.WriteString("\n\n")
	case math.Abs(across) > 0.5*size || math.Abs(across) > max(1, min(last.size, q.size)) || along < -size:
		p.sb.WriteString("\n")
	case along > 0.16*max(1, min(last.size, q.size)) && !p.spaced() && s[0] != ' ':
		p.sb.WriteString(" ")
	}
}

func (p *page) spaced() bool {
	t := p.sb.String()
	return t == "" || t[len(t)-1] == ' ' || t[len(t)-1] == '\n'
}

// within finds the text in a rectangle: from the first to the last character whose baseline begins in it. ok is false if
// there is none.
func (p *page) within(x0, y0, x1, y1 float64) (start, end int, ok bool) {
	x0, x1 = min(x0, x1), max(x0, x1)
	y0, y1 = min(y0, y1), max(y0, y1)
	start = -1
	t := p.sb.String()
	for _, q := range p.pieces {
		mx, my := (q.x0+q.x1)/2, (q.y0+q.y1)/2
		if min(q.x0, q.x1) > x1 || max(q.x0, q.x1) < x0 || my+q.size/3 < y0 || my > y1 {
			continue
		}
		from, to := q.start, q.end
		if w := q.x1 - q.x0; w > 0 && (q.x0 < x0-1 || q.x1 > x1+1) { // a part of the piece alone
			from, to = part(t, q, (x0-q.x0)/w, (x1-q.x0)/w)
		} else if mx < x0-1 || mx > x1+1 {
			continue
		}
		if from >= to {
			continue
		}
		if start < 0 {
			start = from
		}
		end = to
	}
	for start >= 0 && start < end && isSpace(t[start]) {
		start++
	}
	for end > start && start >= 0 && isSpace(t[end-1]) {
		end--
	}
	return start, end, start >= 0 && start < end
}

// part is the part of a piece between two fractions of its width, as if its letters had one width.
func part(t string, q piece, from, to float64) (start, end int) {
	n := float64(q.end - q.start)
	start = q.start + int(max(0, min(1, from))*n+0.5)
	end = q.start + int(max(0, min(1, to))*n+0.5)
	for start < q.end && !utf8.RuneStart(t[start]) {
		start++
	}
	for end < q.end && !utf8.RuneStart(t[end]) {
		end++
	}
	return start, end
}
