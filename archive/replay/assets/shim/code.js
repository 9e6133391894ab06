// Code that a page makes at run time is scoped as archive/markup/scope.go scopes the code that the server sees: the two
// are one algorithm, and a test compares them. What is a fault there is one here, and leaves the code as it is.
const { scopeCode, scopeURL } = (() => {
const { Set, decodeURIComponent, encodeURIComponent } = self;
const turnsLiterals = true; // the server has not seen what is imported
const reserved = new Set(("await break case catch class const continue debugger default delete do else enum export extends false finally for " +
  "function if import in instanceof new null return super switch this throw true try typeof yield var void while with").split(" "));
const scopeName = /(?:^|[^\w$])(?:location|top|postMessage|eval|import)(?![\w$])/;
const wordPart = "[$\\u200c\\u200d\\p{ID_Continue}]|\\\\u[\\dA-Fa-f]{4}|\\\\u\\{[\\dA-Fa-f]+\\}";
const lexemes = {
  space: /[\s\uFEFF]+/y,
  line: /[^\n\r\u2028\u2029]*/y,
  word: new RegExp(`(?:[$_\\p{ID_Start}]|\\\\u[\\dA-Fa-f]{4}|\\\\u\\{[\\dA-Fa-f]+\\})(?:${wordPart})*`, "uy"),
  number: /0[xX][\da-fA-F_]+n?|0[bB][01_]+n?|0[oO][0-7_]+n?|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?n?/y,
  string: /"(?:[^"\\\n\r]|\\(?:\r\n|[^]))*"|'(?:[^'\\\n\r]|\\(?:\r\n|[^]))*'/y,
  template: /(?:[^`\\$]|\\[^]|\$(?!\{))*(?:`|\$\{)/y,
  regexp: /\/(?:[^/\\[\n\r\u2028\u2029]|\\[^\n\r]|\[(?:[^\]\\\n\r]|\\[^\n\r])*\])+\/[$\p{ID_Continue}]*/uy,
  punctuator: />>>=|\.\.\.|===|!==|\*\*=|<<=|>>=|>>>|&&=|\|\|=|\?\?=|=>|\?\.(?!\d)|==|!=|<=|>=|&&|\|\||\?\?|\*\*|<<|>>|\+\+|--|[-+*/%&|^]=|[-+*/%&|^!~<>=?:;,.(){}[\]]/y,
};
const assignments = new Set("= += -= *= **= /= %= <<= >>= >>>= &= |= ^= &&= ||= ??=".split(" "));
const operators = new Set([...assignments, ..."== === ! != !== < <= << > >= >> >>> + ++ - -- * ** / % & | ^ ~ && || ?? ?.".split(" ")]);
const afterBlock = new Set(["", ";", "{", "}", ")", "=>", "else", "do", "try", "finally", "]", "'", "`", "`}", "/", "#", "this", "null", "true",
  "false", "++", "--", "catch", "break", "continue", "debugger", "static"]);
const afterValue = new Set(["]", "'", "`", "`}", "/", "#", "this", "super", "null", "true", "false", "++", "--"]);
const isWord = (v) => /^[\w$\\\u0080-\uffff]/.test(v) && !/^\d/.test(v);
const isName = (v) => isWord(v) && !reserved.has(v);

// tokensOf reads a script: v is what a token is (the text of words and punctuators, "'" any string, "`" a template, "`{",
// "}{" and "`}" the parts of one, "/" a regular expression, "0" a number, "#" a private name), k what kind it is where there are several.
const tokensOf = (code) => {
  const list = [];
  const levels = [{ k: "block" }];
  const templates = [];
  let [last, before, closed, ternary, newline, pos, module] = ["", "", "", false, false, 0, false];
  const take = (name) => {
    const re = lexemes[name];
    re.lastIndex = pos;
    const m = re.exec(code);
    return m ? m[0] : "";
  };
  const dot = (v) => v === "." || v === "?.";
  const regexpMayBegin = () => {
    if (last === ")") return closed === "head" || closed === "for";
    if (last === "}") return closed === "block";
    return !afterValue.has(last) && !dot(before) && last !== "0" && !isName(last);
  };
  const braceKind = (top) => {
    if (top.class) return "class";
    if (top.imports && (last === "import" || last === "export" || last === ",")) return "names";
    if (last === ":") return ternary ? "object" : "block";
    if (last === "let") return "object";
    if (last === "of") return top.k === "for" ? "object" : "block";
    return afterBlock.has(last) || last === "0" || isName(last) ? "block" : "object";
  };
  const parenKind = () => {
    if (dot(before)) return "";
    if (last === "if" || last === "while" || last === "with" || last === "switch") return "head";
    return last === "for" || (last === "await" && before === "for") ? "for" : "";
  };
  if (code.startsWith("#!")) pos = take("line").length;
  while (pos < code.length) {
    const c = code[pos];
    const two = code.substr(pos, 2);
    let text = take("space");
    if (text) {
      newline ||= /[\n\r\u2028\u2029]/.test(text);
      pos += text.length;
      continue;
    }
    if (two === "//" || code.startsWith("<!--", pos) || ((newline || !list.length) && code.startsWith("-->", pos))) {
      pos += take("line").length;
      continue;
    }
    if (two === "/*") {
      const end = code.indexOf("*/", pos + 2);
      if (end < 0) return null;
      newline ||= /[\n\r\u2028\u2029]/.test(code.slice(pos, end));
      pos = end + 2;
      continue;
    }
    const t = { v: "", s: pos, e: 0, nl: newline, k: "", m: -1 };
    newline = false;
    if (c === '"' || c === "'") [text, t.v] = [take("string"), "'"];
    else if (c === "`" || (c === "}" && templates.at(-1) === levels.length)) {
      pos++;
      text = take("template");
      pos--;
      if (!text) return null;
      const more = text.endsWith("{");
      t.v = c === "`" ? (more ? "`{" : "`") : more ? "}{" : "`}";
      text = c + text;
      if (c === "`" && more) templates.push(levels.length + 1);
      if (c === "}" && !more) templates.pop();
    } else if (/[\d]/.test(c) || (c === "." && /\d/.test(code[pos + 1] || ""))) [text, t.v] = [take("number"), "0"];
    else if (c === "#") {
      pos++;
      text = take("word");
      pos--;
      if (!text) return null;
      [text, t.v] = [c + text, "#"];
    } else if (c === "/" && regexpMayBegin()) [text, t.v] = [take("regexp"), "/"];
    else if ((text = take("word"))) {
      if (last === "0" && list.at(-1).e === pos) return null;
      t.v = text;
    } else t.v = text = take("punctuator");
    if (!text) return null;
    pos = t.e = pos + text.length;
    if (t.v === "/" && text === "/") t.v = "/ "; // the operator
    const top = levels.at(-1);
    const own = !dot(last);
    const push = (closes) => levels.push({ k: t.k, closes, open: list.length, ternaries: 0 });
    const pop = (closes) => {
      if (levels.length === 1 || top.closes !== closes) return false;
      levels.pop();
      [closed, t.m, t.k] = [top.k, top.open, top.k];
      list[top.open].m = list.length;
      return true;
    };
    switch (t.v) {
      case "(": if (last === "class") top.class = false; t.k = parenKind(); push(")"); break;
      case "[": push("]"); break;
      case "{": t.k = braceKind(top); top.class = false; push("}"); break;
      case "`{": push("`}"); break;
      case "}{": if (!pop("`}")) return null; t.k = ""; push("`}"); break;
      case ")": case "]": case "}": case "`}": if (!pop(t.v)) return null; break;
      case "?": top.ternaries = (top.ternaries || 0) + 1; break;
      case ":":
        ternary = top.k === "object";
        if (top.ternaries > 0) { top.ternaries--; t.k = "ternary"; ternary = true; }
        if (last === "class") top.class = false;
        break;
      case "class": top.class = own; break;
      case "import": case "export": top.imports = own; module ||= own && t.v === "export" && levels.length === 1; break;
      case "'": module ||= top.imports && levels.length === 1 && (last === "import" || last === "from"); top.imports = false; break;
      case ";": top.ternaries = 0; top.class = top.imports = false; break;
      case "meta": module ||= last === "." && before === "import"; break;
      case "of": if (top.k === "for" && own) t.k = "of"; break;
    }
    [before, last] = [last, t.v];
    list.push(t);
  }
  return levels.length > 1 ? null : O.assign(list, { module });
};

// scopeCode is the code as the archived world runs it.
const scopeCode = (code) => {
  if (typeof code !== "string" || !scopeName.test(code)) return code;
  try {
    const list = tokensOf(code);
    return list ? scoped(code, list) : code;
  } catch {
    return code; // as deep or as long as no code is
  }
};

// scopeURL does the same for a javascript: URL.
const scopeURL = (url) => {
  const m = /^[\0- ]*javascript:/i.exec(url);
  if (!m) return url;
  const raw = url.slice(m[0].length);
  let code = raw;
  try {
    code = decodeURIComponent(raw);
  } catch { /* it isn't encoded */ }
  const to = scopeCode(code);
  return to === code ? url : m[0] + (code === raw ? to : encodeURIComponent(to));
};

const scoped = (code, list) => {
  const edits = [];
  const ranks = { __lsO: 0, __lsE: 1, __lsI: 1, __lsU: 2, __lsV: 3 };
  const v = (i) => (i >= 0 && i < list.length ? list[i].v : "");
  const dot = (i) => v(i) === "." || v(i) === "?.";
  const surround = (from, to, open, end, rank) => {
    const [a, b] = [list[from].s, list[to].e];
    edits.push({ at: a, to: a, text: open, half: 1, other: b, rank }, { at: b, to: b, text: end, half: 0, other: a, rank });
  };
  const replace = (i, text) => edits.push({ at: list[i].s, to: list[i].e, text, half: 2, other: 0, rank: 0 });
  const wrap = (name, from, to) => {
    let [open, end] = [name + "(", ")"];
    if (v(from - 1) === "new") [open, end] = ["(" + open, "))"];
    else if (/[\w$]/.test(code[list[from].s - 1] || "")) open = " " + open;
    surround(from, to, open, end, ranks[name]);
  };
  const method = (i) => v(i + 1) === "(" && v(list[i + 1].m + 1) === "{";
  const endsExpression = (i) => {
    const x = v(i);
    if (x === ")") return list[i].k === "";
    if (["]", "this", "super", "import", "`", "`}", "'", "#", "/"].includes(x)) return true;
    if (reserved.has(x)) return dot(i - 1) || x === "null" || x === "true" || x === "false";
    return x === "0" || (isName(x) && list[i].k !== "of");
  };
  const binding = (i) => ["(", "{", "[", ",", "..."].includes(v(i)) || (v(i) === ":" && list[i].k !== "ternary");
  const declares = (i) => !dot(i - 1) && (isName(v(i + 1)) || ["{", "[", "yield", "await"].includes(v(i + 1)));
  const binds = (i, top) => {
    const t = list[i];
    const [prev, after] = [v(i - 1), v(t.m + 1)];
    if (t.v === "(") return after === "=>" || (after === "{" && t.k === "");
    if (t.v !== "[" && t.k !== "object") return false;
    if (t.v === "[" && top.k === "object" && (prev === "{" || prev === ",")) return false;
    if (["var", "const", "let"].includes(prev) || (top.list && prev === ",") || (top.pattern && binding(i - 1))) return true;
    if (after === "=") return t.v === "{" || !endsExpression(i - 1);
    return top.k === "for" && prev === "(" && (after === "in" || after === "of");
  };
  const key = (i) => {
    const prev = v(i - 1);
    if (prev === "{" || prev === ",") return v(i + 1) === "(" || v(i + 1) === "=";
    return ["get", "set", "async", "*"].includes(prev) && method(i);
  };
  const reads = (i, top) => {
    const [prev, next] = [v(i - 1), v(i + 1)];
    if (["function", "class", "import", "as", "var", "const", "typeof"].includes(prev)) return false;
    if (prev === "break" || prev === "continue") return list[i].nl;
    if (prev === "let") return !declares(i - 1);
    if (prev === "*" && v(i - 2) === "function") return false;
    if (prev === "(" && ((v(i - 2) === "typeof" && next === ")") || v(i - 2) === "__lsV")) return false;
    if (next === "=>" || (next === ":" && list[i + 1].k !== "ternary" && prev !== "case")) return false;
    if ((top.pattern && binding(i - 1)) || (top.list && prev === ",")) return false;
    if (top.k === "for" && prev === "(" && (next === "in" || next === "of")) return false;
    if (top.k === "names") return false;
    if (top.k === "object") return !key(i);
    if (top.k === "class") {
      return (operators.has(prev) || prev === "/ " || ["?", ":", "=>", ","].includes(prev)) && prev !== "++" && prev !== "--" && !method(i);
    }
    return true;
  };
  const bare = (i, top) => {
    const [name, prev, next] = [v(i), v(i - 1), v(i + 1)];
    if (assignments.has(next)) {
      if (name === "location" && (next === "=" || next === "+=")) replace(i, "__lsT(location,v=>location=v).v");
    } else if (((next === "++" || next === "--") && !list[i + 1].nl) || prev === "++" || prev === "--") {
      return;
    } else if (name === "eval" && next === "(") {
      const end = list[i + 1].m;
      if (end > i + 2 && v(i + 2) !== "__lsE") wrap("__lsE", i + 2, end - 1);
    } else if (top.k === "object" && (prev === "{" || prev === ",")) surround(i, i, name + ":__lsV(", ")", ranks.__lsV);
    else wrap("__lsV", i, i);
  };
  const starts = (r, start, last, called) => {
    r.start = start;
    if (dot(start - 1)) return null;
    let inner = start;
    if (v(start) === "(" && list[start].m === last) [inner, last] = [start + 1, last - 1];
    if (v(inner) === "__lsO" && v(inner + 1) === "(" && list[inner + 1].m === last) return null;
    if (v(start - 1) === "new" && called && v(start) !== "(") r.start = start - 1;
    return r;
  };
  const receiver = (i) => {
    const r = { start: 0, optional: false };
    const last = i;
    let called = false;
    while (i >= 0) {
      const t = list[i];
      if (t.v === ")" || t.v === "]") {
        if (t.m < 0 || t.k === "head" || t.k === "for") return null;
        called ||= t.v === ")";
        if (v(t.m - 1) === "}") return null;
        if (v(t.m - 1) === "?.") [r.optional, i] = [true, t.m - 2];
        else if (endsExpression(t.m - 1)) i = t.m - 1;
        else return starts(r, t.m, last, called);
      } else if (v(i - 1) === "." && (isWord(t.v) || t.v === "#")) i -= 2;
      else if (v(i - 1) === "?.") [r.optional, i] = [true, i - 2];
      else if ((isName(t.v) && t.k !== "of") || t.v === "this" || t.v === "import") return starts(r, i, last, called);
      else return null;
    }
    return null;
  };
  const member = (at, name, prop) => {
    if (prop === "top" && (assignments.has(v(name + 1)) || v(at - 1) === "style")) return;
    const r = receiver(at - 1);
    if (!r) return;
    wrap("__lsO", r.start, at - 1);
    if (r.optional && v(at) === ".") replace(at, "?.");
    else if (r.optional && v(at) === "[") replace(at, "?.[");
  };
  const indexed = (i) => {
    if (v(i + 1) !== "'" || v(i + 2) !== "]" || i === 0) return;
    const prop = code.slice(list[i + 1].s + 1, list[i + 1].e - 1);
    if (!["location", "top", "postMessage", "eval"].includes(prop) || (prop === "top" && assignments.has(v(i + 3)))) return;
    if (v(i - 1) === "?.") member(i - 1, i + 1, "");
    else if (endsExpression(i - 1)) member(i, i + 1, "");
  };
  const destructured = (i) => {
    const [t, end] = [v(i + 1), v(i + 2)];
    if (v(i - 1) !== "}" || (t !== "this" && !isName(t))) return;
    if (end && !list[i + 2].nl && !(operators.has(end) || /^(?:[{}()[\].;,?:]|=>|\.\.\.|\/ )$/.test(end))) return;
    if ([".", "?.", "(", "[", "?", "=>", "/ "].includes(end) || operators.has(end)) return;
    for (let k = list[i - 1].m + 1; k < i; k++) {
      if (list[k].m > k) k = list[k].m;
      else if ((v(k - 1) === "{" || v(k - 1) === ",") && (v(k) === "location" || v(k) === "top")) return wrap("__lsO", i + 1, i + 1);
    }
  };
  const imported = (i) => {
    if (dot(i - 1)) return;
    if (v(i + 1) === ".") {
      const ours = v(i - 1) === "," && v(i + 5) === ")" && v(list[i + 5].m - 1) === "__lsI";
      if (v(i + 2) === "meta" && v(i + 3) === "." && v(i + 4) === "url" && !assignments.has(v(i + 5)) && v(i - 2) !== "__lsU" && !ours) wrap("__lsU", i, i + 4);
    } else if (v(i + 1) === "(") {
      const [from, last] = [i + 2, list[i + 1].m];
      let to = from;
      while (to < last && v(to) !== ",") to = Math.max(to, list[to].m) + 1;
      const literal = to === from + 1 && (v(from) === "'" || v(from) === "`");
      if (from >= to || (literal && !turnsLiterals) || v(from) === "__lsI" || method(i)) return;
      surround(from, to - 1, "__lsI(", list.module ? ",import.meta.url)" : ")", ranks.__lsI);
    }
  };
  const levels = [{ k: "block" }];
  for (let i = 0; i < list.length; i++) {
    const t = list[i];
    const top = levels.at(-1);
    switch (t.v) {
      case "[": indexed(i); // falls through
      case "(": case "{": case "`{": levels.push({ k: t.k, pattern: binds(i, top), list: false }); break;
      case ")": case "}": case "]": case "`}": levels.pop(); break;
      case "var": case "const": case "let": top.list = declares(i); break;
      case ";": case "in": case "if": case "return": case "for": case "while": case "do": case "switch": case "throw": case "try": top.list = false; break;
      case "of": top.list &&= t.k !== "of"; break;
      case "import": imported(i); break;
      case "=": destructured(i); break;
      case "location": case "top": case "eval":
        if (dot(i - 1)) member(i - 1, i, t.v);
        else if (reads(i, top)) bare(i, top);
        break;
      case "postMessage": if (dot(i - 1)) member(i - 1, i, t.v); break;
      case "__lsT": if (v(i + 1) === "(") i = list[i + 1].m; break;
    }
  }
  const order = (a, b) => a.at - b.at || a.half - b.half || b.other - a.other || (a.half ? a.rank - b.rank : b.rank - a.rank);
  let [out, done] = ["", 0];
  for (const e of edits.sort(order)) {
    if (e.at < done) continue;
    out += code.slice(done, e.at) + e.text;
    done = e.to;
  }
  return out + code.slice(done);
};
return { scopeCode, scopeURL };
})();
