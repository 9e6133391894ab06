// Markup that comes as a string.
// What the attributes of elements hold. The modifier only helps the server where a type is missing.
const mods = { SCRIPT: "js_", IMG: "im_", INPUT: "im_", IFRAME: "if_", FRAME: "if_", A: "", AREA: "", FORM: "", BASE: "", BUTTON: "" };
const modOf = (el, name) => {
  const tag = S(el.tagName || el).toUpperCase();
  if (tag === "LINK") return /stylesheet/i.test(el.rel || "") ? "cs_" : "oe_";
  if (name === "action" || name === "formaction") return "";
  return mods[tag] ?? "oe_";
};
const urls = new Set(["src", "href", "xlink:href", "action", "formaction", "poster", "background", "lowsrc"]);
const dropped = new Set(["integrity", "nonce", "ping", "attributionsrc", "csp", "referrerpolicy"]);

// convert tells what an attribute is to hold instead, or undefined if it is not to be set at all.
const convert = (el, name, value) => {
  name = S(name).toLowerCase();
  if (urls.has(name) || (name === "data" && S(el.tagName || el).toUpperCase() === "OBJECT")) return inside(value, modOf(el, name));
  if (name === "srcset" || name === "imagesrcset") return insideSrcset(value);
  if (name === "style") return insideCSS(value);
  if (name === "srcdoc") return insideDocument(value);
  return dropped.has(name) ? undefined : value;
};

// insideHTML rewrites the tags in a string of markup, which may be a part of a document that comes in pieces.
const tags = /<([a-z][^\s\/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi;
const attrs = /([^\s"'<>\/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'=<>`]+)/g;
const insideHTML = (html) => {
  html = S(html);
  if (!html.includes("<")) return html;
  return html
    .replace(tags, (all, tag, rest) => {
      const el = { tagName: tag, rel: (/\brel\s*=\s*["']?([^"'>]*)/i.exec(rest) || [])[1] };
      const out = rest.replace(attrs, (whole, name, eq, quoted) => {
        const raw = /^["']/.test(quoted) ? quoted.slice(1, -1) : quoted;
        const value = raw.replace(/&amp;|&#38;/g, "&").replace(/&quot;/g, '"').replace(/&#0?39;/g, "'");
        const to = convert(el, name, value);
        if (to === undefined) return `data-archive-${name}${eq}${quoted}`;
        if (to === value) return whole;
        return `${name}${eq}"${S(to).replace(/&/g, "&amp;").replace(/"/g, "&quot;")}"`;
      });
      return out === rest ? all : `<${tag}${out}>`;
    })
    .replace(/(<style\b[^>]*>)([^<]*)/gi, (_, tag, css) => tag + insideCSS(css));
};
const shim = document.currentScript && document.currentScript.src;
const insideDocument = (html) => (shim ? `<script src="${shim}"></${"script"}>` : "") + insideHTML(html);
