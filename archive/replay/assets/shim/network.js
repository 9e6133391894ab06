// What asks for data. The archive answers every method: it finds the capture by method and body, so both go along.
const { Request, Response, Headers, XMLHttpRequest } = self;
const requestOf = (v) => (v instanceof Request ? v : inside(v, "mp_"));

// initial makes of the options of a request such as the archive can answer: it is of this origin, or of none. Digests are left out,
// since an archive may hold bytes that were cut, or were another day's.
const initial = (init) => {
  if (init === null || typeof init !== "object") return init;
  const ours = { __proto__: null };
  for (let names = requestInit, i = 0; i < names.length; i++) {
    const name = names[i], v = init[name];
    if (v === undefined || name === "integrity") continue;
    if (name === "referrer" && v !== "") ours[name] = inside(v);
    else if (name === "mode") ours[name] = sealed && v === "same-origin" ? "cors" : v;
    else if (name === "credentials") ours[name] = sealed ? "omit" : v;
    else ours[name] = v;
  }
  return ours;
};
const requestInit = ["method", "headers", "body", "referrer", "referrerPolicy", "mode", "credentials", "cache", "redirect", "keepalive", "signal",
  "window", "duplex", "priority"];
const asked = (args) => {
  if (args.length > 0) args[0] = requestOf(args[0]);
  if (args.length > 1) args[1] = initial(args[1]);
};
const responseAddress = getter(proto("Response"), "url"), responseHead = getter(proto("Response"), "headers"), requestAddress = getter(proto("Request"), "url");
before(holder("fetch"), "fetch", asked);
constructor("Request", asked);
property(proto("Request"), "url", { get: outside });
property(proto("Request"), "referrer", { get: outside });
property(proto("Response"), "url", { get: outside });

// Of the fields of an answer a page sees those that were captured: the archive's own it never knew.
const origPrefix = "x-archive-orig-";
const passed = { __proto__: null, "content-type": true, "content-language": true, "content-disposition": true };
const capturedName = (name) => (begins(name, origPrefix) ? slice(name, origPrefix.length) : passed[name] ? name : "");
const fromArchive = (address) => begins(address, facts.home + facts.prefix);

const appendHeader = free(Headers.prototype.append), eachHeader = free(Headers.prototype.forEach);
const heads = new WeakMap(); // of Responses
property(proto("Response"), "headers", { get: (native, response) => {
  if (!fromArchive(responseAddress(response))) return native;
  let head = weakGet(heads, response);
  if (!head) {
    weakSet(heads, response, (head = new Headers()));
    eachHeader(native, (value, name) => {
      const as = capturedName(name);
      if (as) appendHeader(head, as, value);
    });
  }
  return head;
} });

if (XMLHttpRequest) {
  const x = XMLHttpRequest.prototype, xhrAddress = getter(x, "responseURL");
  before(x, "open", at(1, (v) => inside(v, "mp_")));
  property(x, "responseURL", { get: outside });
  property(x, "withCredentials", { set: (v) => v && !sealed }); // an opaque origin would be refused the answer
  const nativeAll = free(x.getAllResponseHeaders), field = /^([^:]+): (.*\r\n)/gm;
  const fields = (it) => swap(nativeAll(it) || "", field, (m) => {
    const as = capturedName(lower(m[1]));
    return as ? as + ": " + m[2] : "";
  });
  method(x, "getResponseHeader", (it, args, native) => {
    if (args.length === 0 || !fromArchive(xhrAddress(it))) return apply(native, it, args);
    const name = lower(S(args[0]));
    let value = null;
    swap(fields(it), field, (m) => {
      if (m[1] === name) value = (value === null ? "" : value + ", ") + slice(m[2], 0, -2);
      return "";
    });
    return value;
  });
  method(x, "getAllResponseHeaders", (it, args, native) => (fromArchive(xhrAddress(it)) ? fields(it) : apply(native, it, args)));
}
