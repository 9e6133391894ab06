package markup

import "bytes"

// element visits the URLs in the attributes of the tag just read, and renames what is to be renamed.
func (h *htmlScan) element(elem uint8, name, nameTo int) {
	switch elem {
	case elemStyle:
		typ := h.plain(attrType)
		h.css = len(typ) == 0 || trimFold(typ, "text/css")
	case elemScript:
		h.scriptKind = scriptKindOf(h.plain(attrType))
	case elemLink:
		h.linkRole, h.linkRel = linkRole(h.plain(attrRel), h.plain(attrAs))
		h.linkFeed = h.linkRole == Alternate && isFeed(h.plain(attrType))
	case elemMeta:
		h.refreshing()
	case elemObject, elemApplet:
		if raw := h.attr(attrCodebase); raw != nil {
			u := unescapeRefs(raw, nil)
			start, end := trim(u, 0, len(u))
			h.codebase = string(u[start:end])
		}
	}
	for i := range h.attrs {
		a := &h.attrs[i]
		if h.renames != 0 && h.rename(h.b[name:nameTo], a) || h.muffleAttr(elem, a) || a.id == 0 || a.bare || a.again {
			continue
		}
		if elem == elemMeta && a.id == attrHTTPEquiv && h.unclear {
			h.defuse(a)
		}
		if a.id == attrHandler {
			h.handler(a)
		} else if n := table.index[elem][a.id]; n != 0 {
			h.place(elem, a, &table.rules[n])
		}
	}
	h.codebase, h.linkRel, h.linkFeed = "", "", false
}

// place visits what an attribute holds.
func (h *htmlScan) place(elem uint8, a *attr, r *rule) {
	if r.role == Base && r.kind == plain {
		h.baseHere(a)
	}
	if h.visit == nil {
		return
	}
	switch r.kind {
	case plain:
		h.special(elem, a, r)
	case guess:
		h.guessed(a, r)
	case sure:
		if certain(h.b[a.start:a.end]) {
			h.url(a, r.role, r.context)
		}
	case guessSet:
		if !bytes.ContainsAny(h.b[a.start:a.end], "{}[]<>|") && bytes.ContainsAny(h.b[a.start:a.end], "/.") {
			scanSrcset(h.scan, h.value(a), r.role, r.context)
		}
	case values:
		h.animated(a, r)
	case foreign:
		h.foreignHref(a, r)
	case inDASH:
		if from, to := trim(h.b, a.start, a.end); h.dash && absolutePath(h.b[from:to]) {
			h.url(a, r.role, r.context)
		}
	case inFeed:
		if h.feed {
			h.url(a, r.role, r.context)
		}
	case words:
		t := h.value(a)
		eachWord(t.b, func(start, end int) { h.part(t, start, end, r) })
	case commas:
		h.parted(a, r, ',')
	case srcset:
		scanSrcset(h.scan, h.value(a), r.role, r.context)
	case css:
		if bytes.IndexByte(h.b[a.start:a.end], '(') >= 0 || bytes.IndexByte(h.b[a.start:a.end], '&') >= 0 {
			scanCSS(h.scan, h.value(a), cssContext{url: r.context, imported: r.context})
		}
	case srcdoc:
		h.srcdoc(a)
	}
}

// parted visits the URLs of a value that are parted by a byte.
func (h *htmlScan) parted(a *attr, r *rule, by byte) {
	t := h.value(a)
	for start := 0; start < len(t.b); {
		n := bytes.IndexByte(t.b[start:], by)
		if n < 0 {
			n = len(t.b) - start
		}
		from, to := trim(t.b, start, start+n)
		h.part(t, from, to, r)
		start += n + 1
	}
}

// animated visits what an animation of SVG puts into an address (SVG Animations §2.3).
func (h *htmlScan) animated(a *attr, r *rule) {
	name := bytes.TrimSpace(h.plain(attrAttributeName))
	if n := bytes.LastIndexByte(name, ':'); n >= 0 {
		name = name[n+1:]
	}
	if (h.xml || h.foreignSeen) && equalFold(name, "href") {
		h.parted(a, r, ';')
	}
}

// part visits one of several URLs in a value.
func (h *htmlScan) part(t *text, start, end int, r *rule) {
	h.found(t, Ref{URL: string(t.b[start:end]), Role: r.role, Context: r.context, Base: h.codebase, Start: start, End: end}, nil)
}

// special visits a URL whose meaning other attributes of the element decide.
func (h *htmlScan) special(elem uint8, a *attr, r *rule) {
	role := r.role
	switch {
	case elem == elemLink:
		role = h.linkRole
	case role == Codebase:
		codebase := h.codebase
		h.codebase = ""
		defer func() { h.codebase = codebase }()
	case role == Base:
		return // baseHere has done it
	case role == Script && h.scriptKind == moduleScript:
		role = Module
	case elem == elemInput && role == Image && !trimFold(h.plain(attrType), "image"):
		return
	case elem == elemParam && !namesFile(h.plain(attrName)):
		return
	case elem == elemMeta:
		h.meta(a)
		return
	}
	h.url(a, role, r.context)
}

// foreignHref visits the href of an SVG or XML element that has no rule of its own.
func (h *htmlScan) foreignHref(a *attr, r *rule) {
	role := r.role
	switch {
	case !h.xml && !h.foreignSeen:
		return // of HTML, where it means nothing
	case role != Use || h.space == inSVG:
	default:
		role = Link // MathML 3 §2.1.6; generic XML
	}
	if role == Script && h.scriptKind == moduleScript {
		role = Module
	}
	h.url(a, role, r.context)
}

// baseHere visits the first base element with an href; others have no effect (HTML §4.2.3).
func (h *htmlScan) baseHere(a *attr) {
	if h.baseSeen || h.templates > 0 || h.space != 0 {
		if h.opts.Defuse != "" {
			h.url(a, Base, "base/@href") // a browser may think otherwise
		}
		return
	}
	if h.inNoscript { // counts where no scripts run, and is text elsewhere
		if !h.onlyBase {
			h.url(a, Base, "base/@href")
		}
		return
	}
	h.baseSeen = true
	if h.depth == 0 {
		h.early = false
	}
	if h.onlyBase {
		u := unescapeRefs(h.b[a.start:a.end], nil)
		start, end := trim(u, 0, len(u))
		h.baseHref, h.stop = string(u[start:end]), true
	}
	h.url(a, Base, "base/@href")
}

// srcdoc reads the document in a srcdoc attribute (HTML §4.8.5), whose base is the parent's unless it has its own.
func (h *htmlScan) srcdoc(a *attr) {
	if h.depth >= maxSrcdoc {
		h.defuse(a)
		return
	}
	t := h.value(a)
	base := h.base
	h.depth++
	if href, ok := FirstBase(t.b); ok {
		h.base = href
	}
	newHTMLScan(h.scan, t, h.opts).document()
	h.depth--
	h.base = base
}

// rename gives the attribute the name that the options tell, if they do.
func (h *htmlScan) rename(elem []byte, a *attr) bool {
	for _, r := range h.opts.Rename {
		if !equalFold(h.b[a.name:a.nameTo], r.Attr) || r.Element != "" && !equalFold(elem, r.Element) {
			continue
		}
		if r.Word != "" {
			h.word(a, r.Word)
			return true
		}
		if r.Value == "" || trimFold(unescapeRefs(h.b[a.start:a.end], nil), r.Value) {
			h.edit(h.t, a.name, a.nameTo, r.To)
			return true
		}
	}
	return false
}

// word puts a word behind those that an attribute holds, unless it is among them.
func (h *htmlScan) word(a *attr, word string) {
	value := h.b[a.start:a.end]
	for w := range bytes.FieldsSeq(unescapeRefs(value, nil)) {
		if equalFold(w, word) {
			return
		}
	}
	switch {
	case a.bare:
		h.edit(h.t, a.nameTo, a.nameTo, `="`+word+`"`)
	case a.quote != 0:
		h.edit(h.t, a.end, a.end, " "+word)
	case bytes.IndexByte(value, '"') < 0:
		h.edit(h.t, a.start, a.end, `"`+string(value)+" "+word+`"`)
	}
}

// renamed is the new name of an attribute that any element may have, "" if it keeps its own.
func (h *htmlScan) renamed(attr string) string {
	for _, r := range h.opts.Rename {
		if r.Attr == attr && r.Element == "" && r.Value == "" {
			return r.To
		}
	}
	return ""
}

// defuse keeps an attribute under a name that nobody obeys.
func (h *htmlScan) defuse(a *attr) {
	if h.opts.Defuse != "" {
		h.edit(h.t, a.name, a.name, h.opts.Defuse)
	}
}

// namesFile says whether the param of that name holds the URL of what is played.
func namesFile(name []byte) bool {
	for _, s := range [...]string{"movie", "src", "url", "filename"} {
		if trimFold(name, s) {
			return true
		}
	}
	return false
}

// FirstBase returns the href of the first base element that has one, as the page spells it, which every relative URL of
// the document is resolved against, those before it too (HTML §4.2.3, §2.4.3). It is cheap where there is none.
func FirstBase(src []byte) (href string, ok bool) {
	t := document(src)
	if !mayHaveBase(t.b) {
		return "", false
	}
	h := newHTMLScan(&scan{}, t, Options{})
	h.onlyBase = true
	h.document()
	return h.baseHref, h.baseSeen
}

func mayHaveBase(b []byte) bool {
	for i := 0; ; i++ {
		n := bytes.IndexByte(b[i:], '<')
		if n < 0 || i+n+6 > len(b) {
			return false
		}
		if i += n; equalFold(b[i+1:i+5], "base") {
			return true
		}
	}
}
