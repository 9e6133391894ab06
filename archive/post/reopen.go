package post

import "slices"

// Formatting elements that a page leaves open in a block are opened anew by the parser in what comes behind it, each time (HTML
// §13.2.4.3): four hundred of them and three thousand paragraphs, 15 KB in all, are more than a million elements. So they are
// counted before the parser makes them, rather too many than too few.

// reopening is what is known of the parser's list of active formatting elements.
type reopening struct {
	list []formatting
	due  bool // a block began or ended: those of the list may not be open
}

// formatting is an element of the list, or a marker in it, which has no tag.
type formatting struct{ name, tag string }

// maxReopened bounds the list; the parser goes no deeper.
const maxReopened = 600

var (
	formats = set(`a b big code em font i nobr s small strike strong tt u`)
	cells   = set(`td th caption`)
	markers = set(`table applet object marquee template`)
)

// start takes note of a start tag, and returns how many elements are opened anew before it.
func (r *reopening) start(name string, raw []byte) (made int) {
	switch {
	case formats[name]:
		if name == "a" {
			r.remove("a")
		}
		made = r.text()
		tag := string(raw[:min(len(raw), 256)])
		r.ark(tag)
		if len(r.list) < maxReopened {
			r.list = append(r.list, formatting{name, tag})
		}
	case cells[name]:
		r.leave(cells)
		r.due = true
		r.list = append(r.list, formatting{name: name})
	case markers[name]:
		r.due = true
		if len(r.list) < maxReopened {
			r.list = append(r.list, formatting{name: name})
		}
	case blocks[name]:
		r.due = true
	default:
		made = r.text()
	}
	return made
}

// text takes note of a run of text, and returns how many elements are opened anew before it.
func (r *reopening) text() (made int) {
	if !r.due {
		return 0
	}
	r.due = false
	return len(r.list) - r.from()
}

// end takes note of an end tag, and returns how many elements are made in putting in order what it closes out of its turn.
func (r *reopening) end(name string) (made int) {
	switch {
	case formats[name]:
		if r.due {
			made = min(len(r.list)-r.from(), 8)
		}
		r.remove(name)
	case cells[name]:
		r.leave(cells)
		r.due = true
	case markers[name]:
		r.leave(map[string]bool{name: true})
		r.due = true
	case blocks[name]:
		r.due = true
	}
	return made
}

// from is where the list begins that counts: behind its last marker.
func (r *reopening) from() int {
	for i, f := range slices.Backward(r.list) {
		if f.tag == "" {
			return i + 1
		}
	}
	return 0
}

// remove takes the last element of a name out.
func (r *reopening) remove(name string) {
	for i, f := range slices.Backward(r.list) {
		if f.tag == "" {
			return
		}
		if f.name == name {
			r.list = slices.Delete(r.list, i, i+1)
			return
		}
	}
}

// ark removes the first of three elements that are the same as the one to come.
func (r *reopening) ark(tag string) {
	first, n := 0, 0
	for i, f := range slices.Backward(r.list) {
		if f.tag == "" {
			break
		}
		if f.tag == tag {
			first, n = i, n+1
		}
	}
	if n >= 3 {
		r.list = slices.Delete(r.list, first, first+1)
	}
}

// leave takes all out down to the last marker of one of the names. Cells are left within their table alone.
func (r *reopening) leave(names map[string]bool) {
	for i, f := range slices.Backward(r.list) {
		if f.tag == "" && names[f.name] {
			r.list = r.list[:i]
			return
		}
		if f.tag == "" && f.name == "table" {
			return
		}
	}
}
