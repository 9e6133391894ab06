// Markup that comes as a string, and what the attributes of elements hold.

// The modifier only helps the server where a type is missing.
const modifiers = { __proto__: null, SCRIPT: "js_", IMG: "im_", IMAGE: "im_", INPUT: "im_", IFRAME: "if_", FRAME: "if_", A: "", AREA: "", FORM: "", BASE: "", BUTTON: "" };
const modifierOf = (tag, name, rel) => {
  if (tag === "LINK") return exec(/stylesheet/i, S(rel || "")) ? "cs_" : "oe_";
  if (name === "action" || name === "formaction") return "";
  return modifiers[tag] ?? "oe_";
};
const names = (...list) => O.assign(O.create(null), ...list.map((n) => ({ [n]: true })));
const urls = names("src", "href", "xlink:href", "action", "formaction", "poster", "background", "lowsrc", "longdesc", "codebase", "archive", "classid", "dynsrc", "cite");
const dropped = names("integrity", "nonce", "ping", "attributionsrc", "csp", "referrerpolicy");

// convert tells what an attribute is to hold instead, or undefined if it is not to be set: it would make the browser
// refuse what has been rewritten, or tell others of it. Then it is kept under another name.
const convert = (tag, name, value, rel) => {
  tag = upper(S(tag));
  name = lower(S(name));
  if (dropped[name] || (name === "type" && tag === "SCRIPT" && speculates(value))) return undefined;
  if (isHandler(name)) return scopeCode(S(value));
  if (urls[name] || (name === "data" && tag === "OBJECT")) {
    const text = S(value);
    return tag === "IFRAME" || tag === "FRAME" || name === "href" || name === "action" || name === "formaction" ? insideScripted(text, modifierOf(tag, name, rel)) : inside(text, modifierOf(tag, name, rel), true);
  }
  if (name === "srcset" || name === "imagesrcset") return insideSrcset(value);
  if (name === "style") return insideCSS(value);
  if (name === "srcdoc") return insideDocument(value);
  if (name === "sandbox" && tag === "IFRAME") return withOrigin(S(value));
  if (presentation[name] && tag !== "META") return insideCSS(value);
  return value;
};
// A frame without an origin would get nothing of what the archive's hosts serve to their own pages.
const withOrigin = (flags) => (exec(/(?:^|\s)allow-same-origin(?:\s|$)/i, flags) ? flags : flags + " allow-same-origin");
const speculates = (type) => lower(trim(S(type))) === "speculationrules"; // no policy stops what it loads
const keptAs = (name) => "data-archive-" + name;
const presentation = names("fill", "stroke", "filter", "mask", "clip-path", "marker-start", "marker-mid", "marker-end", "cursor");
const insideScripted = (text, mod) => (exec(/^[\0- ]*javascript:/i, text) ? scopeURL(text) : inside(text, mod, true));
const isHandler = (name) => exec(/^on[a-z\d]/, name) !== null;

// insideRefresh turns the URL of a meta refresh. What can't be understood leads nowhere.
const refresh = /^([\s\d.]*[;,\s]\s*(?:url\s*=\s*)?)(["']?)([^"']+)/i;
const insideRefresh = (content) => {
  const text = S(content), m = exec(refresh, text);
  if (!m) return exec(/^[\s\d.;,]*$/, text) ? text : "";
  return m[1] + m[2] + inside(m[3]) + slice(text, m[0].length);
};

const references = /&(?:amp|lt|gt|quot|#(\d{1,7})|#x([\da-f]{1,6}));/gi;
const named = { __proto__: null, "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"' };
const codePoint = S.fromCodePoint, { parseInt } = self;
const decoded = (text) => (within(text, "&") ? swap(text, references, (m) => {
  const code = m[1] ? parseInt(m[1], 10) : m[2] ? parseInt(m[2], 16) : -1;
  if (code < 0) return named[lower(m[0])];
  return code > 0 && code <= 0x10ffff ? codePoint(code) : m[0];
}) : text);
const marks = /[&"]/g;
const encoded = (text) => swap(text, marks, (m) => (m[0] === "&" ? "&amp;" : "&quot;"));

// insideHTML rewrites the tags in a string of markup, which may be a part of a document that comes in pieces. What is
// no markup (comments, text of scripts and text areas) stays.
const piece = /<!--[^]*?(?:-->|$)|<(\/?)([a-z][^\s\/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
const attribute = /([^\s"'<>\/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'=<>`]+)/g;
const rawText = names("script", "style", "textarea", "title", "xmp", "noembed");
const relation = /\brel\s*=\s*["']?([^"'>]*)/i, isRefresh = /\bhttp-equiv\s*=\s*["']?refresh\b/i;

const typeOf = /\btype\s*=\s*["']?([^"'>]*)/i;
const isScriptType = (type) => exec(/^\s*(?:|module|(?:text|application)\/(?:x-)?(?:java|ecma|live|j)script[\d.]*)\s*$/i, type || "") !== null;

const insideTag = (tag, rest) => {
  const rel = exec(relation, rest), refreshes = lower(tag) === "meta" && exec(isRefresh, rest);
  return swap(rest, attribute, (m) => {
    const given = m[3], bare = given[0] !== '"' && given[0] !== "'";
    const value = decoded(bare ? given : slice(given, 1, -1));
    const to = refreshes && lower(m[1]) === "content" ? insideRefresh(value) : convert(tag, m[1], value, rel && rel[1]);
    if (to === undefined) return keptAs(m[1]) + m[2] + given;
    return to === value ? m[0] : m[1] + '="' + encoded(to) + '"';
  });
};
const insideHTML = (markup) => {
  const html = S(markup);
  if (!within(html, "<")) return html;
  let out = "", from = 0, raw = "", runs = false, m;
  piece.lastIndex = 0;
  while ((m = exec(piece, html))) {
    const end = piece.lastIndex, tag = m[2] && lower(m[2]);
    if (raw && !(m[1] && tag === raw)) {
      piece.lastIndex = m.index + 1; // a tag may begin within what looked like one
      continue;
    }
    const text = slice(html, from, m.index);
    out += raw === "style" ? insideCSS(text) : raw === "script" && runs ? scopeCode(text) : text;
    raw = tag && !m[1] && rawText[tag] ? tag : "";
    runs = raw === "script" && isScriptType((exec(typeOf, m[3]) || "")[1]);
    out += tag && !m[1] && m[3] ? "<" + m[2] + insideTag(m[2], m[3]) + ">" : m[0];
    from = end;
    piece.lastIndex = end;
  }
  const rest = slice(html, from);
  return out + (raw === "style" ? insideCSS(rest) : raw === "script" && runs ? scopeCode(rest) : rest);
};

// insideDocument is markup of a whole document, which gets this script, too, and is told what its address doesn't tell. A doctype stays
// the first.
const pageFacts = () => stringify({ ...current(), home: facts.home, prefix: facts.prefix });
const doctype = /^\s*<!doctype[^>]*>/i;
const insideDocument = (html) => {
  const first = (exec(doctype, html) || [""])[0];
  return first + (facts.shim ? '<script src="' + facts.shim + '" data-page="' + encoded(pageFacts()) + '"></' + "script>" : "") + insideHTML(slice(html, first.length));
};
