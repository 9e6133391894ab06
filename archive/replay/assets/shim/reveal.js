// What is read of addresses: where the page finds one, it finds the URL that it stands for.
const reveal = (owner, ...names) => { for (const name of names) property(proto(owner), name, { get: outside }); };
for (const [owner, list] of O.entries(properties)) {
  for (const p of list) if (p !== "srcset" && p !== "imageSrcset" && p !== "srcdoc" && p !== "background") reveal(owner, p);
}
property(proto("HTMLBodyElement"), "background", { get: written }); // the one that tells no URL
reveal("HTMLImageElement", "currentSrc");
reveal("HTMLMediaElement", "currentSrc");
reveal("Document", "URL", "documentURI");
reveal("Node", "baseURI");
reveal("StyleSheet", "href");
reveal("CSSImportRule", "href");
reveal("PerformanceEntry", "name");
reveal("HashChangeEvent", "oldURL", "newURL");
reveal("ErrorEvent", "filename");
reveal("SecurityPolicyViolationEvent", "documentURI", "blockedURI", "sourceFile", "referrer");
reveal("NavigationDestination", "url");
reveal("NavigationHistoryEntry", "url");

// Style texts hold several addresses, candidates too, and these keep how each was spelt.
const oneAddress = "(?:" + quoted(facts.home) + ")?" + quoted(facts.prefix) + "\\d{1,14}(?:[a-z]{2}_)?(?:~[a-z0-9]+)?/";
const addressed = RegExp(oneAddress + "((?:https?|file):)", "g"), candidate = RegExp("(?:/\\.)?" + oneAddress + "(?:https?|file):[^\\s\"'()<>,]*", "g");
const revealed = (text) => (typeof text === "string" && within(text, facts.prefix) ? swap(text, addressed, (m) => m[1]) : text);
const writtenAll = (text) => (typeof text === "string" && within(text, facts.prefix) ? swap(text, candidate, (m) => written(m[0])) : text);
for (const [owner, p] of [["HTMLImageElement", "srcset"], ["HTMLSourceElement", "srcset"], ["HTMLLinkElement", "imageSrcset"]]) property(proto(owner), p, { get: writtenAll });

// Attributes give back what their author wrote. Those that hold addresses of ours were turned by the server or by what stands in
// elements.js.
const several = names("srcset", "imagesrcset", "archive", "values"), styleNames = names("style", "content", ...O.keys(presentation));
const single = names(...O.keys(urls), "data", "cite", "to", "from", "by", "icon", "manifest");
const asWritten = (value, attr) => {
  if (typeof value !== "string" || !within(value, facts.prefix)) return value;
  const name = lower(S(attr));
  if (several[name] || begins(name, "data-")) return writtenAll(value);
  return styleNames[name] ? revealed(value) : single[name] ? written(value) : value;
};
method(element, "getAttribute", (it, args, native) => asWritten(apply(native, it, args), args[0]));
method(element, "getAttributeNS", (it, args, native) => asWritten(apply(native, it, args), args[1]));
property(Attr.prototype, "value", { get: (v, attr) => asWritten(v, attrName(attr)) });
property(Node.prototype, "nodeValue", { get: (v, node) => (v && nodeType(node) === 2 ? asWritten(v, attrName(node)) : v) });
property(proto("MutationRecord"), "oldValue", { get: (v, record) => (recordType(record) === "attributes" ? asWritten(v, recordName(record)) : v) });

// dataset has no accessors to stand before; a Proxy takes the place of each.
const datasets = new WeakMap();
for (const owner of ["HTMLElement", "SVGElement", "MathMLElement"]) {
  property(proto(owner), "dataset", { get: (map) => {
    let ours = weakGet(datasets, map);
    if (!ours) {
      const get = (target, key) => (typeof key === "string" ? writtenAll(target[key]) : target[key]);
      ours = new Proxy(map, { __proto__: null, get, getOwnPropertyDescriptor: (target, key) => {
        const d = own(target, key);
        return d && { ...d, value: get(target, key) };
      } });
      weakSet(datasets, map, ours);
    }
    return ours;
  } });
}

// A custom element is told of its attributes by name and value.
method(proto("CustomElementRegistry"), "define", (it, args, native) => {
  const owner = args[1] && args[1].prototype, changed = owner && owner.attributeChangedCallback, d = owner && own(owner, "attributeChangedCallback");
  if (typeof changed !== "function" || (d && !d.configurable)) return apply(native, it, args);
  const told = { told(...given) { // the browser takes it when the element is defined, and asks no more
    for (let i = 1; i < 3 && i < given.length; i++) given[i] = asWritten(given[i], given[0]);
    return apply(changed, this, given);
  } }.told;
  define(owner, "attributeChangedCallback", told);
  try {
    return apply(native, it, args);
  } finally {
    if (d) defineProperty(owner, "attributeChangedCallback", d);
    else delete owner.attributeChangedCallback;
  }
});

// Markup that a page reads shows its attributes alike.
const inMarkup = /(\s)([^\s"'<>\/=]+)="([^"]*)"/g, keptName = "data-archive-";
const outsideHTML = (html) => (typeof html === "string" && (within(html, facts.prefix) || within(html, keptName)) ? swap(html, inMarkup, (m) => {
  const name = begins(m[2], keptName) && dropped[slice(m[2], keptName.length)] ? slice(m[2], keptName.length) : m[2];
  return m[1] + name + '="' + asWritten(m[3], name) + '"';
}) : html);
for (const owner of [element, proto("ShadowRoot")]) property(owner, "innerHTML", { get: outsideHTML });
property(element, "outerHTML", { get: outsideHTML });
for (const owner of [element, proto("ShadowRoot")]) method(owner, "getHTML", (it, args, native) => outsideHTML(apply(native, it, args)));

// Links have the parts of their URL, too.
for (const owner of ["HTMLAnchorElement", "HTMLAreaElement"]) {
  const link = proto(owner), href = getter(link, "href"), setHref = free(own(link, "href").set);
  for (const name of ["protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash", "origin"]) {
    const get = getter(URL.prototype, name), set = free((own(URL.prototype, name) || {}).set), native = getter(link, name);
    accessor(link, name, (el) => {
      const u = parsedURL(href(el));
      return u ? get(u) : native(el);
    }, (v, el) => {
      const u = parsedURL(href(el));
      if (!u) return;
      set(u, v);
      setHref(el, urlHref(u));
    });
  }
  method(link, "toString", (it) => href(it));
}

// Where the document says that it comes from. What led here and is no page of the past never was.
const referrer = getter(Document.prototype, "referrer");
accessor(Document.prototype, "referrer", (d) => {
  const from = read(referrer(d));
  return from ? from.url : "";
});
const domains = new WeakMap();
accessor(Document.prototype, "domain", (d) => weakGet(domains, d) ?? (d === document ? urlHostname(new URL(first.url)) : ""), (v, d) => {
  const host = urlHostname(new URL(first.url)), to = lower(S(v));
  if (!domainMatches(host, to)) refuse("Failed to set the 'domain' property on 'Document': '" + to + "' is not a suffix of '" + host + "'.", "SecurityError");
  weakSet(domains, d, to);
});

// When the document was last changed: what its server said, or the page's now (HTML, "dom-document-lastmodified"), by the reader's own zone.
const modified = exec(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, ownFact("data-modified") || "");
const dateParts = [];
for (const name of ["getMonth", "getDate", "getFullYear", "getHours", "getMinutes", "getSeconds"]) push(dateParts, free(NativeDate.prototype[name]));
const twoDigits = (n) => (n < 10 ? "0" : "") + n;
accessor(Document.prototype, "lastModified", (d) => {
  const m = d === document ? modified : null;
  const t = new NativeDate(m ? utc(+m[1], m[2] - 1, +m[3], +m[4], +m[5], +m[6]) : now()), part = (i) => twoDigits(dateParts[i](t) + (i === 0 ? 1 : 0));
  return part(0) + "/" + part(1) + "/" + part(2) + " " + part(3) + ":" + part(4) + ":" + part(5);
});
