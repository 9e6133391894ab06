package pdf

import "strings"

// Bounds of a page's content.
const (
	maxForms    = 8   // drawn within each other
	maxStates   = 256 // saved
	maxOperands = 4096
)

// state is what an operator of text depends on.
type state struct {
	ctm                                      matrix
	font                                     *font
	size, charSpace, wordSpace, scale, leads float64
}

// painter runs content streams as far as text goes.
type painter struct {
	f       *file
	page    *page
	fonts   map[int]*font  // by number
	local   map[name]*font // of the content that is run, by the names that it has for them
	state   state
	saved   []state
	tm, tlm matrix
	rise    float64
	forms   int
}

// run runs a content stream (§9).
func (p *painter) run(content []byte, resources dict) {
	ps := parser{src: content, fuel: &p.f.fuel}
	before := p.local
	p.local = map[name]*font{}
	defer func() { p.local = before }()
	var args []any
	for {
		switch v := ps.next(0).(type) {
		case end:
			return
		case word:
			if v == "ID" { // a picture in line: its bytes are no operators
				ps.at = imageEnd(content, ps.at)
			} else {
				p.do(string(v), args, resources)
			}
			args = args[:0]
		default:
			if args = append(args, v); len(args) > maxOperands {
				args = args[:0]
			}
		}
	}
}

// imageEnd is behind the EI of a picture in line.
func imageEnd(b []byte, at int) int {
	for i := at; i+2 < len(b); i++ {
		if b[i] == 'E' && b[i+1] == 'I' && isSpace(b[i-1]) && isSpace(b[i+2]) {
			return i + 2
		}
	}
	return len(b)
}

func floats(args []any, n int) ([]float64, bool) {
	if len(args) < n {
		return nil, false
	}
	out := make([]float64, n)
	for i, v := range args[len(args)-n:] {
		f, ok := v.(float64)
		if !ok {
			return nil, false
		}
		out[i] = f
	}
	return out, true
}

func (p *painter) do(op string, args []any, resources dict) {
	switch op {
	case "q":
		if len(p.saved) < maxStates {
			p.saved = append(p.saved, p.state)
		}
	case "Q":
		if n := len(p.saved); n > 0 {
			p.state, p.saved = p.saved[n-1], p.saved[:n-1]
		}
	case "cm":
		if m, ok := floats(args, 6); ok {
			p.state.ctm = matrix(m).times(p.state.ctm)
		}
	case "BT":
		p.tm, p.tlm = identity, identity
	case "Do":
		if n, ok := last(args).(name); ok {
			p.form(p.f.dict(resources["XObject"])[n], resources)
		}
	case "Tf":
		p.setFont(args, resources)
	case "Tj", "'", "\"", "TJ":
		p.showing(op, args)
	default:
		p.move(op, args)
	}
}

func last(args []any) any {
	if len(args) == 0 {
		return nil
	}
	return args[len(args)-1]
}

// move carries out what sets the text's place and spacing.
func (p *painter) move(op string, args []any) {
	s := &p.state
	one := map[string]*float64{"Tc": &s.charSpace, "Tw": &s.wordSpace, "TL": &s.leads, "Ts": &p.rise}[op]
	switch op {
	case "Tc", "Tw", "TL", "Ts":
		if v, ok := floats(args, 1); ok {
			*one = v[0]
		}
	case "Tz":
		if v, ok := floats(args, 1); ok {
			s.scale = v[0] / 100
		}
	case "Td", "TD":
		if v, ok := floats(args, 2); ok {
			if op == "TD" {
				s.leads = -v[1]
			}
			p.line(v[0], v[1])
		}
	case "Tm":
		if v, ok := floats(args, 6); ok {
			p.tm, p.tlm = matrix(v), matrix(v)
		}
	case "T*":
		p.line(0, -s.leads)
	}
}

func (p *painter) line(x, y float64) {
	p.tlm = matrix{1, 0, 0, 1, x, y}.times(p.tlm)
	p.tm = p.tlm
}

func (p *painter) setFont(args []any, resources dict) {
	if len(args) < 2 {
		return
	}
	n, _ := args[len(args)-2].(name)
	p.state.size, _ = args[len(args)-1].(float64)
	if t, known := p.local[n]; known {
		p.state.font = t
		return
	}
	v := p.f.dict(resources["Font"])[n]
	r, numbered := v.(ref)
	t, known := p.fonts[r.num]
	if !numbered || !known {
		p.f.fuel.spend(fontCost)
		t = p.f.font(p.f.dict(v))
		if numbered && len(p.fonts) < maxFonts {
			p.fonts[r.num] = t
		}
	}
	p.state.font = t
	if len(p.local) < maxFonts {
		p.local[n] = t
	}
}

// fontCost is what it takes to read a font, in tokens.
const fontCost = 1000

// maxFonts bounds the fonts that are kept.
const maxFonts = 512

func (p *painter) showing(op string, args []any) {
	switch op {
	case "'":
		p.line(0, -p.state.leads)
	case "\"":
		if v, ok := floats(args[:max(0, len(args)-1)], 2); ok {
			p.state.wordSpace, p.state.charSpace = v[0], v[1]
		}
		p.line(0, -p.state.leads)
	case "TJ":
		list, _ := last(args).([]any)
		for _, v := range list {
			switch v := v.(type) {
			case text:
				p.text(v)
			case float64:
				p.advance(-v / 1000 * p.state.size * p.state.scale)
			}
		}
		return
	}
	if s, ok := last(args).(text); ok {
		p.text(s)
	}
}

func (p *painter) advance(x float64) { p.tm = matrix{1, 0, 0, 1, x, 0}.times(p.tm) }

// text shows a string, a piece for each word.
func (p *painter) text(s text) {
	t := p.state.font
	if t == nil {
		return
	}
	var said []byte
	width := 0.0
	for len(s) > 0 {
		if p.f.fuel.spend(1); p.f.fuel.left < 0 {
			return
		}
		u, w, n := t.next(s)
		w = w/1000*p.state.size + p.state.charSpace
		if n == 1 && s[0] == ' ' {
			w += p.state.wordSpace
		}
		width += w * p.state.scale
		said = append(said, u...)
		if s = s[n:]; u == " " {
			p.word(said, width)
			said, width = said[:0], 0
		}
	}
	p.word(said, width)
}

func (p *painter) word(said []byte, width float64) {
	at := matrix{1, 0, 0, 1, 0, p.rise}.times(p.tm).times(p.state.ctm)
	p.page.show(clean(said), at, width, p.state.size)
	p.advance(width)
}

// clean makes spaces of control characters, which some encodings have for them.
func clean(b []byte) string {
	for i, c := range b {
		if c < ' ' {
			b[i] = ' '
		}
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

// form draws a form (§8.10) in its place.
func (p *painter) form(v any, outer dict) {
	s, ok := p.f.resolve(v).(*stream)
	if !ok || p.f.resolve(s.dict["Subtype"]) != name("Form") || p.forms >= maxForms {
		return
	}
	p.forms++
	state, tm, tlm, saved := p.state, p.tm, p.tlm, p.saved
	if m, ok := floats(p.f.list(s.dict["Matrix"]), 6); ok {
		p.state.ctm = matrix(m).times(p.state.ctm)
	}
	resources := p.f.dict(s.dict["Resources"])
	if resources == nil {
		resources = outer
	}
	p.saved = nil
	p.run(p.f.decoded(s), resources)
	p.state, p.tm, p.tlm, p.saved = state, tm, tlm, saved
	p.forms--
}
