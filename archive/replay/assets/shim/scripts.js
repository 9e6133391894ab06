// Scripts that get their code as text.
const isScript = (n) => n !== null && nodeType(n) === 1 && kind(n) === "script" && isScriptType(getAttribute(n, "type"));
const codeOf = (v, n) => (typeof v === "string" && isScript(n) ? scopeCode(v) : v);
property(proto("HTMLScriptElement"), "text", { set: codeOf });
property(Node.prototype, "textContent", { set: codeOf });
property(element, "innerHTML", { set: codeOf });
property(HTMLElement.prototype, "innerText", { set: codeOf });
const coded = (args, parent) => {
  if (!isScript(parent)) return;
  for (let i = 0; i < args.length; i++) {
    const v = args[i];
    if (typeof v === "string") args[i] = scopeCode(v);
    else if (v && nodeType(v) === 3) setData(v, scopeCode(data(v)));
  }
};
for (const name of ["appendChild", "insertBefore", "replaceChild"]) before(Node.prototype, name, coded);
for (const name of ["append", "prepend", "replaceChildren"]) before(element, name, coded);
