// Addresses of the archive for URLs, and URLs for its addresses.
const urlHref = getter(URL.prototype, "href"), urlOrigin = getter(URL.prototype, "origin"), urlProtocol = getter(URL.prototype, "protocol");
const urlPath = (u) => { // path, query and fragment
  const href = urlHref(u);
  return slice(href, urlOrigin(u).length);
};

// Workers have no base to which a path could be relative, nor have blobs.
const wholeRoot = facts.home + facts.prefix;
let root = self.document && !exec(/^(?:blob|data):/, self.location.href) ? facts.prefix : wholeRoot;

// absolute is the URL that a page means by ref, or null if it is none.
const absolute = (ref) => {
  try {
    return new URL(ref);
  } catch {}
  try {
    return new URL(ref, current().url);
  } catch {
    return null;
  }
};

// inside is the archive's address of what ref refers to. Addresses of the archive, fragments, and URLs that ask no
// server (data:, blob:, javascript:, mailto:) stay as they are. If it goes into an attribute (keep), it keeps how ref was spelt.
const inside = (ref, mod = "", keep = false) => {
  const written = S(ref), text = trim(written);
  if (text === "" || text[0] === "#" || exec(rooted, text)) return written;
  let u = absolute(text);
  const scheme = u && urlProtocol(u);
  if (scheme !== "http:" && scheme !== "https:") return written;
  const page = current();
  if (urlOrigin(u) === facts.home) {
    const path = urlPath(u);
    if (exec(rooted, path)) return written;
    u = new URL(path, page.url); // made of location, or by resolving against it
  }
  const front = root + page.time + mod + "/", address = front + urlHref(u);
  return keep ? spelt(text, front, u, page.url, address) : address;
};

// How a reference was spelt the server tells by dot segments, which the browser takes out of an address (spelling.go): written
// reads it, spelt writes it.
const spelling = RegExp("^(/\\.)?(?:" + quoted(facts.home) + ")?" + quoted(facts.prefix) + "\\d{1,14}(?:[a-z]{2}_)?(?:~[a-z0-9]+)?/((?:https?|file):)(//[^/?#]*)([^]*)$");
const written = (value) => {
  const before = value[0] <= " " ? exec(/^[\t\n\f\r ]*/, value)[0] : "";
  if (before) return before + written(slice(value, before.length));
  const m = exec(spelling, value);
  if (!m) return value;
  let rest = m[4], at;
  if (m[3] === "//" && rest[0] === "#") return slice(rest, 1); // it names no URL of ours
  const path = exec(/^[^?#]*/, rest)[0];
  if (path === "/.") rest = slice(rest, 2); // no more than a host
  if (m[1]) return m[3] + rest;
  if ((at = indexOf(path, "/%2e/")) >= 0) return slice(rest, at + 5);
  if ((at = indexOf(path, "/%2E/")) >= 0) return slice(rest, path.length);
  if ((at = indexOf(path, "/./")) >= 0) return slice(rest, at + 2);
  return m[2] + m[3] + rest;
};
const hosted = /^(https?:)?(\/\/[^/?#\\]+)([^]*)$/i, directory = /^[^?#]*\//;
const spelt = (text, front, u, page, address) => {
  const m = exec(hosted, text);
  let to;
  if (m) to = (m[1] ? "" : "/.") + front + (m[1] || urlProtocol(u)) + m[2] + (m[3][0] === "/" ? "" : "/.") + m[3];
  else if (text[0] === "/") to = front + urlOrigin(u) + "/." + text;
  else {
    const dir = exec(directory, page)[0];
    to = front + dir + (text[0] === "?" ? "%2E/" + slice(exec(/^[^?#]*/, page)[0], dir.length) : "%2e/") + text;
  }
  return written(to) === text && urlHref(new URL(to, facts.home)) === urlHref(new URL(address, facts.home)) ? to : address;
};

// outside is the URL that an address of the archive stands for; what is none stays as it is.
const outside = (address) => {
  const text = S(address); // without dot segments, though not parsed where a document has no base
  const m = read(exec(rooted, text) ? urlHref(new URL(text, facts.home)) : text);
  return m ? (begins(m.url, "http://#") ? slice(m.url, 8) : m.url) : text;
};

const candidates = /([^\s,]\S*[^\s,]|[^\s,])((?:\s+[^,]*)?(?:,|$))/g;
const insideSrcset = (text) => swap(S(text), candidates, (m) => inside(m[1], "im_", true) + m[2]);

const urlFunction = /\b(url|src)\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^"'()\s]+))\s*\)/gi;
const imageSet = /(image-set\(|,)(\s*)(?:"([^"]*)"|'([^']*)')(?=\s*(?:type\(|[\d.]+(?:x|dppx|dpi|dpcm)\b|,|\)))/gi;
const importRule = /(@import\s+)(?:"([^"]*)"|'([^']*)')/gi;
const unsafe = /["\\\n\r\f]/g;
const quote = (url) => '"' + swap(url, unsafe, (m) => "%" + (m[0] === '"' ? "22" : m[0] === "\\" ? "5C" : m[0] === "\n" ? "0A" : m[0] === "\r" ? "0D" : "0C")) + '"';

// insideCSS turns the URLs of a style sheet, or of a part of one.
const insideCSS = (text) => {
  let css = S(text);
  if (within(css, "[")) css = insideSelectors(css);
  if (within(css, "(")) {
    css = swap(css, urlFunction, (m) => {
      const url = m[2] ?? m[3] ?? m[4], to = inside(url, "oe_");
      return to === url ? m[0] : m[1] + "(" + quote(to) + ")";
    });
    if (within(css, "image-set(")) {
      css = swap(css, imageSet, (m) => m[1] + m[2] + quote(inside(m[3] ?? m[4], "im_")));
    }
  }
  return within(css, "@import") ? swap(css, importRule, (m) => m[1] + quote(inside(m[2] ?? m[3], "cs_"))) : css;
};
