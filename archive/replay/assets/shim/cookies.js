// Cookies of the past: a small store by RFC 6265, for the archived host, in the window's own storage. The cookies of the
// replay host are never read or written.
const jarName = "linkstead cookies", maxCookies = 180, maxCookie = 4096;
let remembered = [];
const jar = () => {
  if (!natives.sessionStorage) return remembered;
  try {
    const list = parse(storeGet(natives.sessionStorage, jarName) || "[]");
    return A.isArray(list) ? list : [];
  } catch {
    return [];
  }
};
const keep = (list) => {
  remembered = list;
  try {
    if (natives.sessionStorage) storeSet(natives.sessionStorage, jarName, stringify(list));
  } catch {} // it is full: the cookie is lost, as browsers lose some
};

const where = () => {
  const u = new URL(current().url);
  return { host: urlHostname(u), path: urlPathname(u), secure: urlProtocol(u) === "https:" };
};
const urlHostname = getter(URL.prototype, "hostname"), urlPathname = getter(URL.prototype, "pathname");
const ends = (text, end) => text.length >= end.length && slice(text, text.length - end.length) === end;
const isAddress = (host) => exec(/^[\d.]+$|^\[/, host) !== null;
const domainMatches = (host, domain) => host === domain || (!isAddress(host) && ends(host, "." + domain)); // §5.1.3
const pathMatches = (path, of) => path === of || (begins(path, of) && (ends(of, "/") || path[of.length] === "/")); // §5.1.4
const defaultPath = (path) => exec(/^(.*)\/[^/]*$/s, path)?.[1] || "/";

const live = (list, at) => {
  const out = [];
  for (let i = 0; i < list.length; i++) if (list[i].expires === null || list[i].expires > at) push(out, list[i]);
  return out;
};
const last = (list, n) => {
  const out = [];
  for (let i = list.length > n ? list.length - n : 0; i < list.length; i++) push(out, list[i]);
  return out;
};
const same = (a, b) => a.name === b.name && a.domain === b.domain && a.hostOnly === b.hostOnly && a.path === b.path;
const put = (cookie) => {
  const list = jar(), out = [];
  let created = now();
  for (let i = 0; i < list.length; i++) {
    if (same(list[i], cookie)) created = list[i].created;
    else push(out, list[i]);
  }
  push(out, { ...cookie, created });
  keep(last(live(out, now()), maxCookies));
};

// parseCookie reads a Set-Cookie string (§5.2); null if it is to be ignored.
const attributeOf = /\s*([^=;]*?)\s*(?:=\s*([^;]*?)\s*)?(?:;|$)/g;
const parseDate = NativeDate.parse;
const parseCookie = (text) => {
  const cut = indexOf(text, ";"), pair = cut < 0 ? text : slice(text, 0, cut), eq = indexOf(pair, "=");
  const name = trim(eq < 0 ? "" : slice(pair, 0, eq)), value = trim(eq < 0 ? pair : slice(pair, eq + 1));
  const at = where();
  if ((name === "" && value === "") || name.length + value.length > maxCookie || exec(/[\0-\x08\x0a-\x1f\x7f]/, text)) return null;
  const cookie = { name, value, domain: at.host, hostOnly: true, path: defaultPath(at.path), expires: null, secure: false };
  let age = null, dated = false, refused = false;
  swap(cut < 0 ? "" : slice(text, cut + 1), attributeOf, (m) => {
    const v = m[2] || "";
    switch (lower(m[1])) {
      case "expires": { const t = parseDate(v); if (t === t) { cookie.expires = t; dated = true; } break; }
      case "max-age": if (exec(/^-?\d+$/, v)) age = +v; break;
      case "domain": {
        const domain = lower(v[0] === "." ? slice(v, 1) : v);
        if (domain === "") break;
        if (!domainMatches(at.host, domain) || (domain !== at.host && !within(domain, "."))) refused = true;
        cookie.domain = domain;
        cookie.hostOnly = false;
        break;
      }
      case "path": if (v[0] === "/") cookie.path = v; break;
      case "secure": cookie.secure = true; break;
      case "httponly": refused = true; break; // scripts can't
    }
    return "";
  });
  if (age !== null) cookie.expires = age <= 0 ? -1 : now() + age * 1000;
  if (cookie.secure && !at.secure) refused = true;
  if (begins(name, "__Secure-") && !cookie.secure) refused = true;
  if (begins(name, "__Host-") && !(cookie.secure && cookie.hostOnly && cookie.path === "/")) refused = true;
  return refused || (dated && cookie.expires !== cookie.expires) ? null : cookie;
};

// visible are the cookies of this page, those of longer paths first, then older ones (§5.4).
const visible = () => {
  const at = where(), list = live(jar(), now()), out = [];
  for (let i = 0; i < list.length; i++) {
    const c = list[i];
    if (!(c.hostOnly ? c.domain === at.host : domainMatches(at.host, c.domain)) || !pathMatches(at.path, c.path) || (c.secure && !at.secure)) continue;
    let k = out.length;
    push(out, c);
    for (; k > 0 && (out[k - 1].path.length < c.path.length || (out[k - 1].path.length === c.path.length && out[k - 1].created > c.created)); k--) out[k] = out[k - 1];
    out[k] = c;
  }
  return out;
};
accessor(Document.prototype, "cookie", () => {
  let text = "";
  for (let list = visible(), i = 0; i < list.length; i++) text += (i ? "; " : "") + (list[i].name === "" ? "" : list[i].name + "=") + list[i].value;
  return text;
}, (v) => {
  const cookie = parseCookie(S(v));
  if (cookie) put(cookie);
});

// cookieStore is the same jar.
const told = (c) => ({ name: c.name, value: c.value, domain: c.hostOnly ? null : c.domain, path: c.path, expires: c.expires, secure: c.secure, sameSite: "lax", partitioned: false });
const wanted = (v) => (v !== null && typeof v === "object" ? v.name : v);
const matching = (v) => {
  const name = wanted(v), out = [];
  for (let list = visible(), i = 0; i < list.length; i++) if (name === undefined || list[i].name === S(name)) push(out, told(list[i]));
  return out;
};
const cookieStore = proto("CookieStore");
method(cookieStore, "get", (it, args) => resolved(matching(args[0])[0] ?? null));
method(cookieStore, "getAll", (it, args) => resolved(matching(args[0])));
const stored = (name, value, o) => {
  const at = where();
  put({ name: S(name), value: S(value), domain: o.domain ? lower(S(o.domain)) : at.host, hostOnly: !o.domain, path: o.path ? S(o.path) : "/", expires: o.expires ?? null, secure: at.secure });
  return resolved(undefined);
};
method(cookieStore, "set", (it, args) => {
  const o = args[0] !== null && typeof args[0] === "object" ? args[0] : { name: args[0], value: args[1] };
  if (o.domain && !domainMatches(where().host, lower(S(o.domain)))) return rejected(new TypeError("Cookie domain must domain-match current host"));
  return stored(o.name, o.value, o);
});
method(cookieStore, "delete", (it, args) => stored(wanted(args[0]), "", { ...(typeof args[0] === "object" ? args[0] : {}), expires: -1 }));
