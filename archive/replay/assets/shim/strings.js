// Markup from strings, and nodes that come into the page. The text of a style element is CSS however it comes in.
const nodeName = getter(proto("Node"), "nodeName"), nodeType = getter(proto("Node"), "nodeType"), parentOf = getter(proto("Node"), "parentNode");
const kind = (n) => lower(nodeName(n));
const isStyle = (n) => n !== null && nodeType(n) === 1 && kind(n) === "style";

const markup = (v, el) => {
  if (v === null) return v;
  const name = nodeType(el) === 1 ? kind(el) : "";
  if (name === "style") return insideCSS(v);
  return name === "script" || name === "textarea" || name === "title" || name === "xmp" ? v : insideHTML(v);
};
const loose = (v) => (v === null ? v : insideHTML(v));
const { prototype: element } = Element;
for (const owner of [element, proto("ShadowRoot")]) {
  property(owner, "innerHTML", { set: markup, done: adopting });
  inserting(owner, "setHTMLUnsafe", at(0, markup));
  inserting(owner, "setHTML", at(0, markup));
}
property(element, "outerHTML", { set: loose, done: adopting });
inserting(element, "insertAdjacentHTML", at(1, loose));
before(Range.prototype, "createContextualFragment", at(0, loose));
before(proto("Document") && Document, "parseHTMLUnsafe", at(0, loose));
method(DOMParser.prototype, "parseFromString", (it, args, native) => { // other XML is data, or a template
  const type = S(args[1]), drawn = type === "image/svg+xml" || type === "application/xhtml+xml";
  if (type === "text/html") args[0] = insideHTML(args[0]);
  const made = apply(native, it, args);
  try { if (drawn) rightDocument(made, current()); } catch {}
  return made;
});
for (const name of ["write", "writeln"]) {
  inserting(Document.prototype, name, (args) => { for (let i = 0; i < args.length; i++) args[i] = insideHTML(args[i]); });
}

// Text that comes into a style element, or stands in one.
const textOf = (v, it) => {
  if (nodeType(it) === 2) return attrTurned(v, it);
  return isStyle(it) || isStyle(parentOf(it)) ? insideCSS(v) : v;
};
for (const name of ["textContent", "nodeValue"]) property(Node.prototype, name, { set: textOf, done: adopting });
property(HTMLElement.prototype, "innerText", { set: textOf });
property(CharacterData.prototype, "data", { set: textOf });
for (const [name, i] of [["appendData", 0], ["insertData", 1], ["replaceData", 2]]) before(CharacterData.prototype, name, at(i, textOf));
const data = getter(CharacterData.prototype, "data"), setData = free(own(CharacterData.prototype, "data").set);
const styled = (args, parent) => {
  if (!isStyle(parent)) return;
  for (let i = 0; i < args.length; i++) {
    const v = args[i];
    if (typeof v === "string") args[i] = insideCSS(v);
    else if (v && nodeType(v) === 3) setData(v, insideCSS(data(v)));
  }
};
for (const name of ["appendChild", "insertBefore", "replaceChild"]) inserting(Node.prototype, name, styled);
for (const owner of [element, Document.prototype, DocumentFragment.prototype]) {
  for (const name of ["append", "prepend", "replaceChildren", "moveBefore"]) inserting(owner, name, styled);
}
for (const owner of [element, CharacterData.prototype, DocumentType.prototype]) {
  for (const name of ["before", "after", "replaceWith"]) inserting(owner, name, (args, it) => styled(args, parentOf(it)));
}
for (const name of ["insertAdjacentElement"]) inserting(element, name, () => {});
for (const name of ["insertNode", "surroundContents"]) inserting(Range.prototype, name, () => {});

// What a transformation makes is markup, too.
for (const name of ["transformToFragment", "transformToDocument"]) {
  method(proto("XSLTProcessor"), name, (it, args, native) => {
    const made = apply(native, it, args);
    try { if (made) rightDocument(made, current()); } catch {}
    return made;
  });
}
