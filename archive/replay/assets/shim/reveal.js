// What is read of addresses: where the page finds one, it finds the URL that it stands for.
const reveal = (owner, ...names) => { for (const name of names) property(proto(owner), name, { get: outside }); };
for (const [owner, list] of O.entries(properties)) {
  for (const p of list) if (p !== "srcset" && p !== "imageSrcset" && p !== "srcdoc") reveal(owner, p);
}
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

// Candidates and style texts hold several.
const addressed = RegExp("(?:" + quoted(facts.home) + ")?" + quoted(facts.prefix) + "\\d{1,14}(?:[a-z]{2}_)?(?:~[a-z0-9]+)?/((?:https?|file):)", "g");
const revealed = (text) => (typeof text === "string" && within(text, facts.prefix) ? swap(text, addressed, (m) => m[1]) : text);
for (const [owner, p] of [["HTMLImageElement", "srcset"], ["HTMLSourceElement", "srcset"], ["HTMLLinkElement", "imageSrcset"]]) property(proto(owner), p, { get: revealed });

// Attributes. Those that hold addresses of ours were turned by the server or by what stands in elements.js.
const attributeNames = names(...O.keys(urls), "data", "srcset", "imagesrcset", "style", "content");
const asWritten = (value, name) => (typeof value === "string" && attributeNames[lower(S(name))] ? revealed(value) : value);
method(element, "getAttribute", (it, args, native) => asWritten(apply(native, it, args), args[0]));
method(element, "getAttributeNS", (it, args, native) => asWritten(apply(native, it, args), args[1]));
property(Attr.prototype, "value", { get: (v, attr) => asWritten(v, attrName(attr)) });

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
