// Properties and attributes of elements.
const properties = {
  HTMLImageElement: ["src", "srcset", "lowsrc"], HTMLScriptElement: ["src"], HTMLLinkElement: ["href", "imageSrcset"],
  HTMLAnchorElement: ["href"], HTMLAreaElement: ["href"], HTMLBaseElement: ["href"], HTMLIFrameElement: ["src", "srcdoc"],
  HTMLFrameElement: ["src"], HTMLMediaElement: ["src"], HTMLVideoElement: ["poster"], HTMLSourceElement: ["src", "srcset"],
  HTMLTrackElement: ["src"], HTMLEmbedElement: ["src"], HTMLObjectElement: ["data"], HTMLInputElement: ["src", "formAction"],
  HTMLButtonElement: ["formAction"], HTMLFormElement: ["action"], HTMLBodyElement: ["background"],
};
for (const [name, list] of O.entries(properties)) {
  for (const p of list) property(proto(name), p, function (v) { return convert(this, p, v); });
}
for (const name of ["HTMLScriptElement", "HTMLLinkElement"]) property(proto(name), "integrity", () => undefined);
for (const name of ["HTMLAnchorElement", "HTMLAreaElement"]) property(proto(name), "ping", () => undefined);
property(proto("SVGAnimatedString"), "baseVal", (v) => (/^\s*https?:/i.test(v) ? inside(v, "im_") : v));
method(Element.prototype, "setAttribute", function ([name, value]) {
  const to = convert(this, name, value);
  return to === undefined ? undefined : [name, to];
});
method(Element.prototype, "setAttributeNS", function ([ns, name, value]) {
  const to = convert(this, /(^|:)href$/i.test(name) ? "href" : name, value);
  return to === undefined ? undefined : [ns, name, to];
});

// Markup and CSS from strings. The text of a style element is CSS however it comes in.
const isStyle = (n) => n instanceof HTMLStyleElement || n instanceof (self.SVGStyleElement || HTMLStyleElement);
const markup = function (v) {
  if (isStyle(this)) return insideCSS(v);
  return this instanceof HTMLScriptElement || this instanceof HTMLTextAreaElement || v === null ? v : insideHTML(v);
};
for (const owner of [Element.prototype, proto("ShadowRoot")]) {
  property(owner, "innerHTML", markup);
  method(owner, "setHTMLUnsafe", at(0, insideHTML));
}
property(Element.prototype, "outerHTML", insideHTML);
method(Element.prototype, "insertAdjacentHTML", at(1, insideHTML));
method(Range.prototype, "createContextualFragment", at(0, insideHTML));
method(DOMParser.prototype, "parseFromString", (args) => (/html/i.test(args[1]) ? at(0, insideHTML)(args) : args));
for (const name of ["write", "writeln"]) method(Document.prototype, name, (args) => args.map(insideHTML));
for (const name of ["textContent", "nodeValue"]) {
  property(Node.prototype, name, function (v) { return isStyle(this) || isStyle(this.parentNode) ? insideCSS(v) : v; });
}
property(HTMLElement.prototype, "innerText", function (v) { return isStyle(this) ? insideCSS(v) : v; });
for (const name of ["appendChild", "insertBefore"]) {
  method(Node.prototype, name, function (args) {
    if (isStyle(this) && args[0] instanceof Text) args[0].data = insideCSS(args[0].data);
    return args;
  });
}
method(Element.prototype, "append", function (args) {
  return isStyle(this) ? args.map((v) => (typeof v === "string" ? insideCSS(v) : v)) : args;
});
