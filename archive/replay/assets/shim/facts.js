// What the archive's address tells of the page: where the archive is, the page's URL, and the time that was asked for.
// A page without an address of its own goes by what it is given by the one that made it.
const baseURI = getter(proto("Node"), "baseURI");
const based = () => (self.document ? baseURI(document) : "");
const whole = /^(https?:\/\/[^/]+)(\/[^/]+\/)(\d{1,14})([a-z]{2}_)?\/((?:https?|file):.*)$/s;
const facts = (() => {
  const m = exec(whole, based());
  if (!self.document) return parse(self.decodeURIComponent(self.location.hash.slice(1)) || "null");
  if (!m) return given;
  const script = document.currentScript;
  return { home: m[1], prefix: m[2], time: m[3], url: m[5], shim: script ? script.src : given && given.shim };
})();
const mark = Symbol.for("linkstead.replay");
if (!facts || self[mark]) return;
O.defineProperty(self, mark, { value: true });
facts.masks = masks;

// sealed says that the page has an opaque origin, in which browsers refuse it all storage.
const sealed = self.origin === "null";

const quoted = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const inner = RegExp(`^${quoted(facts.prefix)}(\\d{1,14})([a-z]{2}_)?/((?:https?|file):.*)$`, "s");
const rooted = RegExp(`^(?:${quoted(facts.prefix)}(?:\\d{1,14}(?:[a-z]{2}_)?|\\d*\\*)/[a-z]+:|/web/-/)`);

// read tells time, modifier and URL of what an address of the archive shows, if it is one.
const read = (href) => {
  const m = begins(href, facts.home + "/") && exec(inner, slice(href, facts.home.length));
  return m ? { time: m[1], mod: m[2] || "", url: m[3] } : null;
};

// current is what the page shows now; it changes with history.pushState and base elements.
const first = { time: facts.time, mod: "", url: facts.url };
let base = "", shown = first;
const current = () => {
  const now = based();
  if (now !== base) {
    base = now;
    shown = read(now) || first;
  }
  return shown;
};
const move = (url) => { shown = { ...current(), url }; };
const originOf = (url) => urlOrigin(new URL(url));
