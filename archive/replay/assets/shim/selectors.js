// Selectors of attributes in what scripts ask for, and in their style sheets: what they compare is what was written. The server does the
// same with the style sheets it sends, and selectors.go tells of it.
const ledRoot = "/." + facts.prefix;
const wholeOnly = [["*", "/./"], ["*", "/%2e/"], ["*", "/%2E/"]];
const beginsURL = (given) => {
  const v = lower(given);
  return begins(v, "http://") || begins(v, "https://") || begins("https://", v) || begins("http://", v);
};
const hostOnly = (v) => (exec(/^(?:https?:)?\/\/[^\/?#]+$/, v) ? v + "/." : v);

// comparisons tells which addresses a comparison means: lists of what holds, and of what does not.
const notSegmented = [wholeOnly[1]]; // "./a" looks like "/a" behind its mark
const comparisons = (op, v) => {
  const ours = ["^", facts.prefix], hostFirst = ["^", ledRoot];
  if (op === "*") {
    const whole = [[ours, ["*", v]], wholeOnly];
    return within(v, ":") || within("https://", v) ? [whole] : [whole, [[hostFirst, ["*", v]], []]];
  }
  if (op === "$") return [[[ours, ["$", v + "/."]], []], [[hostFirst, ["$", v + "/."]], []]];
  if (op === "^") {
    if (v === "/") return [[[ours, wholeOnly[0]], notSegmented], [[hostFirst], []]];
    if (v === "//") return [[[hostFirst], []]];
    if (begins(v, "//")) return [[[hostFirst, ["*", ":" + v]], []]];
    if (v[0] === "/") return [[[ours, ["*", "/." + v]], notSegmented]];
    if (v[0] === "?") return [[[ours, wholeOnly[2], ["*", v]], []]];
    const relative = [[ours, ["*", "/%2e/" + v]], []];
    return beginsURL(v) ? [relative, [[ours, ["*", "/" + v]], wholeOnly]] : [relative];
  }
  if (begins(v, "//")) return [[[hostFirst, ["$", ":" + hostOnly(v)]], []]];
  if (v[0] === "/") return [[[ours, ["$", "/." + v]], notSegmented]];
  if (v[0] === "?") return [[[ours, wholeOnly[2], ["$", v]], []]];
  return beginsURL(v) ? [[[ours, ["$", "/" + hostOnly(v)]], wholeOnly]] : [[[ours, ["$", "/%2e/" + v]], []]];
};
const concerned = (op, v) => {
  if (v === "" || v[0] === "#") return false;
  if (op === "*") {
    const u = new URL(current().url), origin = urlOrigin(u) + "/";
    return v.length > 1 && (within(origin, v) || within(v, slice(origin, indexOf(origin, "//") + 2, -1)) || within("https://", v));
  }
  if (op === "$") return (within(v, "//") && hostOnly(v) !== v) || exec(/^[^\/]*\.?\b(?:com|org|net|edu|gov)$/, v) !== null;
  const scheme = exec(/^([^:]*):/, v);
  return !scheme || scheme[1] === "http" || scheme[1] === "https" || exec(/[\/?#.]/, scheme[1]) !== null;
};
const hidesOurs = (op, v) => op === "*" || (op === "^" && (begins(ledRoot, v) || begins(facts.prefix, v)));

// In CSS. What stands in strings and comments is left.
const askable = names("href", "src", "action", "formaction", "poster", "background", "data", "cite", "longdesc", "xlink:href",
  "data-src", "data-href", "data-lazy-src", "data-original", "data-bg", "data-image", "data-thumb", "data-poster");
const attributeSelector = /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|\/\*[^]*?\*\/|\\[^]|\[\s*((?:(?:[-\w]*|\*)\|)?((?:[-\w]|\\:)+))\s*([*^$~]?)=\s*(?:"((?:[^"\\\n]|\\[^])*)"|'((?:[^'\\\n]|\\[^])*)'|((?:[-\w]|[^\0-\x7f])+))\s*(?:([is])\s*)?\]/gi;
const cssEscapes = /\\(?:([\da-f]{1,6})\s?|([^]))/gi, cssUnsafe = /[\\"\n\r\f<]/g, cssCodes = { __scheme__: null, "\n": "\\a ", "\r": "\\d ", "\f": "\\c ", "<": "\\3c " };
const cssString = (v) => '"' + swap(v, cssUnsafe, (m) => cssCodes[m[0]] || "\\" + m[0]) + '"';
// What a page reads of its style sheets is what it wrote: the first of each list.
const turnedSelector = /\[([^\]=]+)\]:where\((\[[^\]"]*"(?:[^"\\]|\\.)*"[^\]]*\])(?::not\([^()]*\))?(?:,(?:[^(),"]|"(?:[^"\\]|\\.)*"|:not\((?:[^()"]|"(?:[^"\\]|\\.)*")*\))*)+\)/g;
const outsideSelectors = (text) => (typeof text === "string" && within(text, "]:where([") && within(text, facts.prefix) ? swap(text, turnedSelector, (m) => m[2]) : text);
const insideSelectors = (given) => {
  const text = outsideSelectors(S(given)); // once is enough
  return within(text, "[") && within(text, "=") ? swap(text, attributeSelector, (m) => {
    if (!m[1] || !askable[swap(lower(m[2]), /\\/g, () => "")]) return m[0];
    const attr = m[1], op = m[3], v = swap(m[4] ?? m[5] ?? m[6], cssEscapes, (e) => (e[1] ? codePoint(parseInt(e[1], 16) || 0xfffd) : e[2] === "\n" ? "" : e[2]));
    if (!concerned(op, v)) return m[0];
    const flag = m[7] ? " " + m[7] : "", test = (c) => "[" + attr + c[0] + "=" + cssString(c[1]) + flag + "]";
    let out = "[" + attr + "]:where(" + test([op, v]);
    if (hidesOurs(op, v)) out += ":not(" + test(["^", facts.prefix]) + "," + test(["^", ledRoot]) + ")";
    for (let list = comparisons(op, v), i = 0; i < list.length; i++) {
      const all = list[i][0], none = list[i][1];
      out += ",";
      for (let k = 0; k < all.length; k++) out += test(all[k]);
      for (let k = 0; k < none.length; k++) out += (k ? "," : ":not(") + test(none[k]);
      if (none.length > 0) out += ")";
    }
    return out + ")";
  }) : text;
};

// In XPath, which compares alike.
const xpathTest = /(^|[[(,\s])(?:@((?:xlink:)?[-\w]+)\s*=\s*|(starts-with|contains)\(\s*@((?:xlink:)?[-\w]+)\s*,\s*)("[^"]*"|'[^']*')(\s*\))?/g;
const insideXPath = (given) => {
  const text = S(given);
  return within(text, "@") ? swap(text, xpathTest, (m) => {
    const attr = "@" + (m[2] || m[4]), op = m[2] ? "" : m[3] === "contains" ? "*" : "^", v = slice(m[5], 1, -1), close = m[6] || "";
    if (!askable[lower(m[2] || m[4])] || (op !== "" && !close) || !concerned(op, v) || within(v, '"') || within(v, "'")) return m[0];
    const test = (c) => {
      const literal = '"' + c[1] + '"';
      if (c[0] === "^") return "starts-with(" + attr + "," + literal + ")";
      if (c[0] === "*") return "contains(" + attr + "," + literal + ")";
      return c[0] === "$" ? "substring(" + attr + ",string-length(" + attr + ")-" + (c[1].length - 1) + ")=" + literal : attr + "=" + literal;
    };
    const not = (c) => " and not(" + test(c) + ")";
    let out = "(" + test([op, v]);
    if (hidesOurs(op, v)) out += not(["^", facts.prefix]) + not(["^", ledRoot]);
    for (let list = comparisons(op, v), i = 0; i < list.length; i++) {
      const all = list[i][0], none = list[i][1];
      out += " or ";
      for (let k = 0; k < all.length; k++) out += (k ? " and " : "") + test(all[k]);
      for (let k = 0; k < none.length; k++) out += not(none[k]);
    }
    return m[1] + out + ")" + (op === "" ? close : "");
  }) : text;
};

for (const owner of [Element.prototype, Document.prototype, DocumentFragment.prototype]) {
  for (const name of ["querySelector", "querySelectorAll"]) before(owner, name, at(0, insideSelectors));
}
for (const name of ["matches", "webkitMatchesSelector", "closest"]) before(Element.prototype, name, at(0, insideSelectors));
for (const name of ["evaluate", "createExpression"]) before(Document.prototype, name, at(0, insideXPath));
before(proto("XPathEvaluator"), "evaluate", at(0, insideXPath));
before(proto("XPathEvaluator"), "createExpression", at(0, insideXPath));

property(proto("CSSStyleRule"), "selectorText", { get: outsideSelectors, set: insideSelectors });
property(proto("CSSRule"), "cssText", { get: (v) => revealed(outsideSelectors(v)) });
