// CSS that comes from scripts.
// Chromium keeps the properties of a style out of any prototype; one that is put there goes first (Web IDL §3.9.3).
const style = proto("CSSStyleDeclaration");
const { getPropertyValue, setProperty } = style;
for (const name of ["background", "background-image", "border-image", "border-image-source", "list-style", "list-style-image", "content",
  "cursor", "filter", "clip-path", "mask", "mask-image", "src"]) {
  for (const p of new Set([name, name.replace(/-./g, (m) => m[1].toUpperCase())])) {
    for (const owner of [style, proto("CSSStyleProperties"), proto("CSS2Properties"), proto("CSSFontFaceDescriptors")]) property(owner, p, insideCSS);
    if (p in style) continue;
    O.defineProperty(style, p, {
      get() { return Reflect.apply(getPropertyValue, this, [name]); },
      set(v) { Reflect.apply(setProperty, this, [name, v === null ? "" : insideCSS(v)]); },
      configurable: true, enumerable: true,
    });
  }
}
property(style, "cssText", insideCSS);
property(proto("HTMLElement"), "style", insideCSS);
method(style, "setProperty", at(1, (v) => (v === null ? v : insideCSS(v))));
method(proto("CSSStyleSheet"), "insertRule", at(0, insideCSS));
for (const name of ["replace", "replaceSync"]) method(proto("CSSStyleSheet"), name, at(0, insideCSS));
constructor("FontFace", at(1, (v) => (typeof v === "string" ? insideCSS(v) : v)));
