package pdf

import (
	"bytes"
	"cmp"
	"slices"
)

// Bounds of a file.
const (
	maxTokens  = 20_000_000 // read, all in all: what bounds the time
	maxObjects = 2_000_000
	maxCache   = 4096      // objects kept once they have been read …
	maxKept    = 1_000_000 // … and tokens of them
	maxChain   = 32        // references in a row
)

// place is where an object stands: in the file, or in an object stream.
type place struct {
	at    int // offset in the file; of one in an object stream, in that stream's content
	in    int // number of the object stream; 0: none
	order int // offset in the file by which later ones replace earlier ones
}

// file is a PDF whose objects were found by looking for them. Its cross-reference tables are not believed: they are what is
// wrong in damaged files, and what hostile ones lie with.
type file struct {
	src     []byte
	fuel    fuel
	spare   int  // bytes that streams may still decode to
	full    bool // they would have gone beyond
	places  map[int]place
	streams map[int][]byte // contents of object streams
	cache   map[int]any
	kept    int // tokens of what is in it
	trailer dict
	crypt   *crypt
}

func open(src []byte, expired func() bool) *file {
	f := &file{
		src: src, fuel: fuel{left: maxTokens, expired: expired}, spare: maxDecoded, places: map[int]place{}, streams: map[int][]byte{}, cache: map[int]any{}, trailer: dict{},
	}
	inner := f.scan()
	f.unlock()
	f.unpack(inner)
	return f
}

var (
	objWord    = []byte("obj")
	streamWord = []byte("stream")
	endWord    = []byte("endstream")
	trailWord  = []byte("trailer")
)

// scan finds the objects that stand in the file itself, and its trailers; it returns the numbers of the object streams.
func (f *file) scan() []int {
	var inner []int
	objs, trails := f.finder(objWord), f.finder(trailWord)
	for at := 0; at < len(f.src) && len(f.places) < maxObjects && f.fuel.left > 0; {
		f.fuel.spend(1)
		i, t := objs.from(at), trails.from(at)
		if t < i {
			p := parser{src: f.src, at: t + len(trailWord), fuel: &f.fuel}
			if d, ok := p.next(0).(dict); ok {
				f.trails(d)
			}
			at = max(t+len(trailWord), p.at)
			continue
		}
		if i == len(f.src) {
			break
		}
		at = i + len(objWord)
		num, start, ok := header(f.src, i)
		if !ok {
			continue
		}
		p := parser{src: f.src, at: at, fuel: &f.fuel}
		v := p.next(0)
		f.places[num] = place{at: at, order: start}
		d, isDict := v.(dict)
		at = max(at, min(p.at, len(f.src)))
		if !isDict {
			continue
		}
		if _, end, ok := f.streamAt(d, p.at, false); ok {
			at = end
			switch d["Type"] {
			case name("ObjStm"):
				inner = append(inner, num)
			case name("XRef"):
				f.trails(d)
			}
		}
	}
	return inner
}

// finder finds the places of a word, each byte looked through once.
type finder struct {
	f    *file
	word []byte
	at   int // the last one found; -1: none yet
}

func (f *file) finder(word []byte) *finder { return &finder{f, word, -1} }

// from is the first place from at on; the file's length if there is none.
func (s *finder) from(at int) int {
	if s.at >= at {
		return s.at
	}
	src := s.f.src
	i := bytes.Index(src[at:], s.word)
	if s.at = at + i; i < 0 {
		s.at = len(src)
	}
	s.f.fuel.spend((s.at - at) >> perToken)
	return s.at
}

// header reads "12 0" before the word obj.
func header(src []byte, at int) (num, start int, ok bool) {
	i := at
	number := func() (int, bool) {
		for i > 0 && isSpace(src[i-1]) {
			i--
		}
		to := i
		n, unit := 0, 1
		for i > 0 && to-i < 8 && '0' <= src[i-1] && src[i-1] <= '9' {
			i--
			n += int(src[i]-'0') * unit
			unit *= 10
		}
		return n, i < to
	}
	if _, ok = number(); !ok || i == 0 || !isSpace(src[i-1]) {
		return 0, 0, false
	}
	num, ok = number()
	return num, i, ok && num > 0 && num <= maxNumber
}

// trails takes what a trailer says: the last one that names a root counts most.
func (f *file) trails(d dict) {
	for _, k := range []name{"Root", "Info", "Encrypt", "ID"} {
		if v, ok := d[k]; ok {
			f.trailer[k] = v
		}
	}
}

// streamAt finds the bytes of the stream whose dictionary ends at a place. Its length is believed if the end stands there.
func (f *file) streamAt(d dict, at int, resolve bool) (raw []byte, end int, ok bool) {
	p := parser{src: f.src, at: at, fuel: &f.fuel}
	p.skip()
	if !bytes.HasPrefix(f.src[min(p.at, len(f.src)):], streamWord) {
		return nil, 0, false
	}
	at = p.at + len(streamWord)
	if at < len(f.src) && f.src[at] == '\r' {
		at++
	}
	if at < len(f.src) && f.src[at] == '\n' {
		at++
	}
	length := d["Length"]
	if resolve {
		length = f.resolve(length)
	}
	if n, isNumber := length.(float64); isNumber && n >= 0 && int(n) <= len(f.src)-at {
		to := at + int(n)
		if rest := bytes.TrimLeft(f.src[to:min(len(f.src), to+32)], "\r\n \t"); bytes.HasPrefix(rest, endWord) {
			return f.src[at:to], to, true
		}
	}
	i := bytes.Index(f.src[at:], endWord)
	if i < 0 {
		f.fuel.spend((len(f.src) - at) >> perToken)
		return f.src[at:], len(f.src), true
	}
	f.fuel.spend(i >> perToken)
	return f.src[at : at+i], at + i + len(endWord), true
}

// unpack finds the objects that stand in object streams (§7.5.7).
func (f *file) unpack(inner []int) {
	for _, num := range inner {
		s, ok := f.object(num).(*stream)
		if !ok {
			continue
		}
		b := f.decoded(s)
		n, head := f.number(s.dict["N"], 0), f.number(s.dict["First"], 0)
		if head < 0 || head > len(b) {
			continue
		}
		f.streams[num] = b
		p := parser{src: b[:head], fuel: &f.fuel}
		for range min(n, maxObjects-len(f.places)) {
			id, ok := p.next(0).(float64)
			at, ok2 := p.next(0).(float64)
			if !ok || !ok2 || id < 1 || id > maxNumber || at < 0 || int(at) > len(b)-head {
				break
			}
			order := f.places[num].order
			if old, known := f.places[int(id)]; !known || old.order < order {
				f.places[int(id)] = place{at: head + int(at), in: num, order: order}
			}
		}
	}
	clear(f.cache)
}

// object reads the object of a number; nil if there is none.
func (f *file) object(num int) any {
	if v, ok := f.cache[num]; ok {
		return v
	}
	pl, ok := f.places[num]
	if !ok {
		return nil
	}
	f.cache[num] = nil // one that needs itself to be read is nothing
	before := f.fuel.left
	v := f.read(num, pl)
	if f.kept += before - f.fuel.left; len(f.cache) >= maxCache || f.kept > maxKept {
		clear(f.cache)
		f.kept = 0
	}
	f.cache[num] = v
	return v
}

func (f *file) read(num int, pl place) any {
	if pl.in != 0 {
		p := parser{src: f.streams[pl.in], at: pl.at, fuel: &f.fuel}
		return sound(p.next(0))
	}
	p := parser{src: f.src, at: pl.at, fuel: &f.fuel}
	v := sound(p.next(0))
	of := ref{num: num, gen: generation(f.src, pl.order)}
	if d, ok := v.(dict); ok {
		if raw, _, ok := f.streamAt(d, p.at, true); ok {
			return &stream{f.clear(d, of, 0).(dict), raw, of}
		}
	}
	return f.clear(v, of, 0)
}

// sound is an object, and nothing for what is none.
func sound(v any) any {
	switch v.(type) {
	case word, end:
		return nil
	}
	return v
}

// generation reads the second number of an object's header.
func generation(src []byte, at int) int {
	p := parser{src: src, at: at, fuel: &fuel{left: 4}}
	p.next(0)
	g, _ := p.next(0).(float64)
	return int(g)
}

// clear decrypts the strings of an object.
func (f *file) clear(v any, of ref, depth int) any {
	if f.crypt == nil || depth > maxDepth {
		return v
	}
	switch v := v.(type) {
	case later:
		v.in.of, v.in.sealed = of, true
	case text:
		return text(f.crypt.text([]byte(v), of))
	case []any:
		for i := range v {
			v[i] = f.clear(v[i], of, depth+1)
		}
	case dict:
		for k := range v {
			v[k] = f.clear(v[k], of, depth+1)
		}
	}
	return v
}

// resolve follows references.
func (f *file) resolve(v any) any {
	for range maxChain {
		switch w := v.(type) {
		case ref:
			v = f.object(w.num)
		case later:
			v = f.now(w)
		default:
			return v
		}
	}
	return nil
}

func (f *file) dict(v any) dict {
	switch v := f.resolve(v).(type) {
	case dict:
		return v
	case *stream:
		return v.dict
	}
	return nil
}

// list is an array; one thing alone is a list of it, nothing is none.
func (f *file) list(v any) []any {
	switch v := f.resolve(v).(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

func (f *file) number(v any, otherwise int) int {
	if n, ok := f.resolve(v).(float64); ok {
		return int(n)
	}
	return otherwise
}

// numbers are the objects' numbers, in the order in which they stand.
func (f *file) numbers() []int {
	out := make([]int, 0, len(f.places))
	for n := range f.places {
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b int) int {
		x, y := f.places[a], f.places[b]
		return cmp.Or(cmp.Compare(x.order, y.order), cmp.Compare(x.at, y.at), cmp.Compare(a, b))
	})
	return out
}
