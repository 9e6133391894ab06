package pdf

// maxBuilt is how many parts of one object are made at once. Arrays and dictionaries in it beyond that are read when they are
// asked for: a page may have a million annotations, and each is a hundred times as long in memory as in the file.
const maxBuilt = 4096

// later is an array or a dictionary that is read when it is asked for.
type later struct {
	in *source
	at int
}

// source is what stands around those that are read later.
type source struct {
	src    []byte
	of     ref  // the object, by which it is encrypted …
	sealed bool // … if it is
}

// later passes over the array or dictionary that begins here.
func (p *parser) later(depth int) any {
	if p.source == nil {
		p.source = &source{src: p.src}
	}
	v := later{p.source, p.at}
	p.skim = true
	p.next(depth)
	p.skim = false
	return v
}

// begins says whether an array or a dictionary begins here.
func (p *parser) begins() bool {
	p.skip()
	return p.at < len(p.src) && (p.src[p.at] == '[' || p.src[p.at] == '<' && p.at+1 < len(p.src) && p.src[p.at+1] == '<')
}

// now reads it.
func (f *file) now(l later) any {
	p := parser{src: l.in.src, at: l.at, fuel: &f.fuel}
	v := sound(p.next(0))
	if l.in.sealed {
		return f.clear(v, l.in.of, 0)
	}
	return v
}
