// Code from strings, in pages and in workers, and the functions that scoped code calls (archive/markup/scope.go).
const { eval: evaluate } = self;
const indirectEval = disguise({ eval: (code) => evaluate(scopeCode(code)) }.eval, evaluate);
const lastIsCode = (args) => {
  const i = args.length - 1;
  if (i >= 0) args[i] = scopeCode(S(args[i]));
};
instead("Function", (args, as, native) => { lastIsCode(args); return construct(native, args, as); }, (args, native) => { lastIsCode(args); return apply(native, undefined, args); });
for (const native of [async () => {}, function* () {}, async function* () {}].map((f) => f.constructor)) {
  const turned = (args) => { lastIsCode(args); return args; };
  const ours = new Proxy(native, {
    __proto__: null,
    apply: (target, it, args) => apply(target, it, turned(args)),
    construct: (target, args, as) => construct(target, turned(args), as === ours ? target : as),
  });
  weakSet(masks, ours, native);
  defineProperty(native.prototype, "constructor", { ...own(native.prototype, "constructor"), value: ours });
}
for (const name of ["setTimeout", "setInterval"]) before(holder(name), name, at(0, (v) => (typeof v === "string" ? scopeCode(v) : v)));

// imported is the address of what import() is to fetch. What is relative to its script stays so, since the script's own
// address is the archive's; what is no URL is for the import map.
const imported = (specifier, from) => {
  const text = S(specifier);
  if (exec(/^\.{1,2}\//, text) || exec(rooted, text) || !exec(/^(?:\/|[a-z][a-z0-9+.-]*:)/i, text)) return text;
  try {
    return inside(text[0] === "/" ? urlHref(new URL(text, from === undefined ? current().url : outside(from))) : text, "js_");
  } catch {
    return text;
  }
};
const offer = (functions) => {
  for (const name of ownKeys(functions)) defineProperty(self, name, { __proto__: null, value: functions[name] });
};
offer({ __lsE: scopeCode, __lsI: imported, __lsU: outside });
// A worker's location is put right by itself, and it has no top.
if (!self.document) {
  accessor(holder("origin"), "origin", () => originOf(facts.url));
  offer({ __lsV: (x) => (x === evaluate ? indirectEval : x), __lsO: (x) => x, __lsT: (x, set) => ({ get v() { return x; }, set v(to) { set(to); } }) });
}
