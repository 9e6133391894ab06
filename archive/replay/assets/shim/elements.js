// Properties and attributes of elements.
const localName = getter(proto("Element"), "localName"); // the same in HTML and XML, whatever the prefix
const getAttribute = free(Element.prototype.getAttribute), setAttribute = free(Element.prototype.setAttribute);
const turned = (el, name, value) => convert(localName(el), name, value, getAttribute(el, "rel"));

const properties = {
  HTMLImageElement: ["src", "srcset", "lowsrc", "longDesc"], HTMLScriptElement: ["src"], HTMLLinkElement: ["href", "imageSrcset"],
  HTMLAnchorElement: ["href"], HTMLAreaElement: ["href"], HTMLBaseElement: ["href"], HTMLIFrameElement: ["src", "srcdoc", "longDesc"],
  HTMLFrameElement: ["src", "longDesc"], HTMLMediaElement: ["src"], HTMLVideoElement: ["poster"], HTMLSourceElement: ["src", "srcset"],
  HTMLTrackElement: ["src"], HTMLEmbedElement: ["src"], HTMLObjectElement: ["data", "codeBase"], HTMLInputElement: ["src", "formAction"],
  HTMLButtonElement: ["formAction"], HTMLFormElement: ["action"], HTMLBodyElement: ["background"], HTMLQuoteElement: ["cite"], HTMLModElement: ["cite"],
};
for (const [owner, list] of O.entries(properties)) for (const p of list) property(proto(owner), p, { set: (v, el) => turned(el, p, v) });
property(proto("HTMLIFrameElement"), "sandbox", { set: (v) => withOrigin(S(v)) });

// Those that are dropped are read and written under the other name.
const reserved = { HTMLScriptElement: ["integrity", "referrerPolicy"], HTMLLinkElement: ["integrity", "referrerPolicy"], HTMLAnchorElement: ["ping", "referrerPolicy"],
  HTMLAreaElement: ["ping", "referrerPolicy"], HTMLImageElement: ["referrerPolicy"], HTMLIFrameElement: ["referrerPolicy", "csp"] };
for (const [owner, list] of O.entries(reserved)) {
  for (const p of list) {
    const as = keptAs(lower(p));
    accessor(proto(owner), p, (el) => getAttribute(el, as) ?? "", (v, el) => setAttribute(el, as, v));
  }
}
property(proto("HTMLScriptElement"), "type", { set: (v) => (speculates(v) ? "text/plain" : v) });
method(self.HTMLScriptElement, "supports", (it, args, native) => (args.length > 0 && speculates(args[0]) ? false : apply(native, it, args)));
const metaTurned = (el, name, value) => (name === "content" && lower(S(getAttribute(el, "http-equiv"))) === "refresh" ? insideRefresh(value) : value);
property(proto("HTMLMetaElement"), "content", { set: (v, el) => metaTurned(el, "content", v) });
property(proto("SVGAnimatedString"), "baseVal", { set: (v) => (exec(/^\s*(?:https?:)?\/\//i, S(v)) ? inside(v, "im_") : v) });

const isMeta = (el) => lower(localName(el)) === "meta";
const byName = (i) => (args, el) => {
  if (args.length < i + 2) return;
  const name = S(args[i]), value = isMeta(el) ? metaTurned(el, lower(name), args[i + 1]) : turned(el, name, args[i + 1]);
  if (value === undefined) args[i] = keptAs(lower(name));
  else args[i + 1] = value;
};
before(Element.prototype, "setAttribute", byName(0));
before(Element.prototype, "setAttributeNS", byName(1));

// Attributes as nodes. What is set on one that is in no element yet is turned when it comes into one.
const attrName = getter(proto("Attr"), "name"), attrOwner = getter(proto("Attr"), "ownerElement");
const attrValue = getter(proto("Attr"), "value"), setAttrValue = free(own(Attr.prototype, "value").set);
const attrTurned = (v, attr) => {
  const el = attrOwner(attr), to = el ? turned(el, attrName(attr), v) : v;
  return to === undefined ? "" : to;
};
property(Attr.prototype, "value", { set: attrTurned });
const attributeNode = (args, el) => {
  const attr = args[0], to = turned(el, attrName(attr), attrValue(attr));
  if (to !== attrValue(attr)) setAttrValue(attr, to === undefined ? "" : to);
};
for (const name of ["setAttributeNode", "setAttributeNodeNS"]) before(Element.prototype, name, attributeNode);
const mapped = new WeakMap(); // of NamedNodeMaps, the elements
property(Element.prototype, "attributes", { get: (map, el) => { weakSet(mapped, map, el); return map; } });
for (const name of ["setNamedItem", "setNamedItemNS"]) before(proto("NamedNodeMap"), name, (args, map) => attributeNode(args, weakGet(mapped, map)));

