// Documents that the browser makes for scripts: XMLHttpRequest of answers, which came as they were, DOMParser of drawings, XSLT. What is
// relative in them to where they stand is right as it is, and becomes relative to the page when it is brought there; what
// names a host, or begins at its root, is turned.
const contentType = getter(Document.prototype, "contentType"), documentURI = getter(Document.prototype, "documentURI");
const attributeNames = free(element.getAttributeNames), templateContent = getter(proto("HTMLTemplateElement"), "content");
const elsewhere = /^[\0- ]*(?:[\/\\]|[a-z][-+.a-z\d]*:)/i;
const rightDocument = (node, theirs) => {
  const page = current();
  for (let list = queries[nodeType(node)](node, "*"), i = 0; i < list.length; i++) {
    const el = list[i], held = attributeNames(el);
    for (let k = 0; k < held.length; k++) {
      const name = held[k];
      if (urls[lower(name)] || name === "data") {
        if (!exec(elsewhere, getAttribute(el, name))) continue;
        shown = theirs;
      }
      try { right(el, name); } finally { shown = page; }
    }
    if (isStyle(el)) {
      const css = text(el), to = insideCSS(css);
      if (to !== css) setText(el, to);
    }
    if (templateContent && localName(el) === "template") try { rightDocument(templateContent(el), theirs); } catch {} // one of SVG has none
  }
};
const markedUp = names("text/html", "application/xhtml+xml", "image/svg+xml"); // other XML is data, or a template
const answered = new WeakMap(); // Documents that were turned
const answer = (v) => {
  if (v === null || typeof v !== "object" || !markedUp[contentType(v)] || weakGet(answered, v)) return v;
  weakSet(answered, v, true);
  const from = read(documentURI(v));
  if (from) rightDocument(v, { ...current(), url: from.url });
  return v;
};
for (const name of ["response", "responseXML"]) property(proto("XMLHttpRequest"), name, { get: answer });
