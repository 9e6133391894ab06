// Addresses of the archive for URLs, and for the URLs that stand in style sheets and candidate lists.
// inside is the archive's address of what ref refers to. Addresses of the archive, fragments, and URLs that ask no
// server (data:, blob:, javascript:, mailto:) stay as they are.
const inside = (ref, mod = "") => {
  const text = S(ref).trim();
  if (text === "" || text[0] === "#" || rooted.test(text)) return ref;
  const page = current();
  let u;
  try {
    u = new URL(text);
  } catch {
    try {
      u = new URL(text, page.url);
    } catch {
      return ref;
    }
  }
  if (u.protocol !== "http:" && u.protocol !== "https:") return ref;
  if (u.origin === here.origin) {
    if (rooted.test(u.pathname)) return ref;
    u = new URL(u.pathname + u.search + u.hash, page.url);
  }
  return `/web/${page.time}${mod}/${u.href}`;
};

const insideSrcset = (text) =>
  S(text).replace(/([^\s,]\S*[^\s,]|[^\s,])((?:\s+[^,]*)?(?:,|$))/g, (_, url, rest) => inside(url, "im_") + rest);

const insideCSS = (text) =>
  S(text)
    .replace(/\burl\(\s*(?:"([^"]*)"|'([^']*)'|([^"'()\s]+))\s*\)/gi, (all, a, b, c) => {
      const url = a ?? b ?? c;
      const to = inside(url, "oe_");
      return to === url ? all : `url("${S(to).replace(/["\\\n]/g, encodeURIComponent)}")`;
    })
    .replace(/(@import\s+)(?:"([^"]*)"|'([^']*)')/gi, (_, at, a, b) => `${at}"${inside(a ?? b, "cs_")}"`);
