// CSS that comes from scripts.
// Chromium keeps the properties of a style out of any prototype; one that is put there goes first (Web IDL §3.9.3).
const style = proto("CSSStyleDeclaration");
const getPropertyValue = free(style.getPropertyValue), setProperty = free(style.setProperty);
const plain = own(style, "cssText");
const declared = (v) => (v === null ? "" : insideCSS(v));
for (const name of ["background", "background-image", "border-image", "border-image-source", "list-style", "list-style-image", "content",
  "cursor", "filter", "backdrop-filter", "clip-path", "mask", "mask-image", "-webkit-mask", "-webkit-mask-image", "mask-border-source",
  "shape-outside", "offset-path", "fill", "stroke", "src"]) {
  for (const p of new Set([name, name.replace(/-./g, (m) => m[1].toUpperCase())])) {
    for (const owner of [style, proto("CSSStyleProperties"), proto("CSS2Properties"), proto("CSSFontFaceDescriptors")]) property(owner, p, { set: declared });
    if (p in style) continue;
    O.defineProperty(style, p, {
      get: disguise({ get() { return getPropertyValue(this, name); } }.get, plain.get),
      set: disguise({ set(v) { setProperty(this, name, declared(v)); } }.set, plain.set),
      configurable: true, enumerable: true,
    });
  }
}
property(style, "cssText", { set: insideCSS });
for (const owner of ["HTMLElement", "SVGElement", "MathMLElement"]) property(proto(owner), "style", { set: insideCSS });
before(style, "setProperty", at(1, declared));
before(proto("CSSStyleSheet"), "insertRule", at(0, insideCSS));
before(proto("CSSGroupingRule"), "insertRule", at(0, insideCSS));
before(proto("CSSStyleSheet"), "addRule", at(1, insideCSS));
for (const name of ["replace", "replaceSync"]) before(proto("CSSStyleSheet"), name, at(0, insideCSS));
before(proto("StylePropertyMap"), "set", (args) => { for (let i = 1; i < args.length; i++) if (typeof args[i] === "string") args[i] = insideCSS(args[i]); });
before(proto("StylePropertyMap"), "append", (args) => { for (let i = 1; i < args.length; i++) if (typeof args[i] === "string") args[i] = insideCSS(args[i]); });
before(self.CSSStyleValue, "parse", at(1, insideCSS));
before(self.CSSStyleValue, "parseAll", at(1, insideCSS));
constructor("FontFace", at(1, (v) => (typeof v === "string" ? insideCSS(v) : v)));
