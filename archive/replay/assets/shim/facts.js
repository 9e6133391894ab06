// What the archive's address tells of the page: where the archive is, the page's URL, and the time that was asked for.
// A page without an address of its own goes by what it is given by the one that made it.
const baseURI = getter(proto("Node"), "baseURI");
const based = () => (self.document ? baseURI(document) : "");
const whole = /^(https?:\/\/[^/]+)(\/[^/]+\/)(\d{1,14})([a-z]{2}_)?(~[a-z0-9]+)?\/((?:https?|file):.*)$/s;
const tagged = free((self.Element || {}).prototype?.getAttribute);
const saysOf = (script) => { // what the page that made this one tells of itself, in the tag of this script (markup.js)
  const page = parse(tagged(script, "data-page") || "null");
  return page && { ...page, shim: script.src };
};
const learn = () => {
  if (!self.document) return parse(self.decodeURIComponent(self.location.hash.slice(1)) || "null");
  // A srcdoc document of an opaque origin is out of its maker's reach; its base tells whose it is.
  const alone = !given && self.origin === "null" && self.location.href === "about:srcdoc";
  const m = exec(whole, alone ? based() : self.location.href), script = document.currentScript;
  if (!m && !given && script) return saysOf(script);
  return m ? { home: m[1], prefix: m[2], time: m[3], pick: m[5] || "", url: m[6], shim: script ? script.src : facts && facts.shim } : given;
};
let facts = null;
facts = learn();

// Our own element is none of the page's: it goes before any script of the page could count it. What it tells is read below.
const ownScript = self.document ? document.currentScript : null;
if (ownScript && exec(/\/web\/-\/shim-[\da-f]+\.js$/, ownScript.src || "")) free(Element.prototype.remove)(ownScript);
const ownFact = (name) => (ownScript ? free(Element.prototype.getAttribute)(ownScript, name) : null);
const mark = Symbol.for("linkstead.replay");
if (!facts) return;
if (self[mark]) { // the window was that of an empty document, which had this script from the page around it
  self[mark]();
  return;
}

// begin does what a document begins with. Browsers give the window of an empty document to the one that comes next: then
// it is done again, with what is true of that.
const begun = [];
const begin = (f) => {
  f();
  push(begun, f);
};
O.defineProperty(self, mark, { value: () => {
  facts = { ...facts, ...learn() };
  first = { time: facts.time, mod: "", url: facts.url };
  base = "";
  for (let i = 0; i < begun.length; i++) begun[i]();
} });

// sealed says that the page has an opaque origin, in which browsers refuse it all storage.
const sealed = self.origin === "null";

const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const inner = RegExp(`^${quoted(facts.prefix)}(\\d{1,14})([a-z]{2}_)?(?:~[a-z0-9]+)?/((?:https?|file):.*)$`, "s");
const rooted = RegExp(`^(?:(?:/\\.)?${quoted(facts.prefix)}(?:\\d{1,14}(?:[a-z]{2}_)?(?:~[a-z0-9]+)?|\\d*\\*)/[a-z]+:|/web/-/)`);

// read tells time, modifier and URL of what an address of the archive shows, if it is one.
const read = (href) => {
  const m = begins(href, facts.home + "/") && exec(inner, slice(href, facts.home.length));
  return m ? { time: m[1], mod: m[2] || "", url: m[3] } : null;
};

// current is what the page shows now; it changes with history.pushState and base elements.
let first = { time: facts.time, mod: "", url: facts.url };
let base = "", shown = first;
const current = () => {
  const now = based();
  if (now !== base) {
    base = now;
    shown = read(now) || first;
  }
  return shown;
};
const moved = { __proto__: null, url: "" }; // where history leads, if the address can't tell
const move = (url) => {
  shown = { ...current(), url };
  moved.url = url;
};
const originOf = (url) => urlOrigin(new URL(url));
