// Linkstead's replay shim. SPDX-License-Identifier: Apache-2.0
//
// The server rewrites the references that stand in a page. This script stands before all others of the page and turns
// the references inward that scripts make later, so that they find their captures instead of the policy's refusal.
//
// The parts in this folder are one script: assets.go joins them in its order and puts them into one function, so that
// they share their names and leave none to the page. This part comes first: what is taken here from the page's world is
// as the browser made it, before the page's scripts could change it.
//
// The Content-Security-Policy stays behind all of it; nothing here is trusted to keep a page in. Pages render without it too.
const mark = Symbol.for("linkstead.replay");
if (self[mark]) return;
Object.defineProperty(self, mark, { value: true });

const { URL, Proxy, Reflect, Object: O, String: S } = self;

// The tools: a property, a method or a constructor gets its argument turned inward first.
const property = (proto, name, turn) => {
  const d = proto && O.getOwnPropertyDescriptor(proto, name);
  if (!d || !d.set || !d.configurable) return;
  O.defineProperty(proto, name, {
    ...d,
    set(value) {
      const to = turn.call(this, value);
      if (to !== undefined) Reflect.apply(d.set, this, [to]);
    },
  });
};
const method = (owner, name, turn) => {
  const native = owner && owner[name];
  if (typeof native !== "function") return;
  const wrapped = {
    [name](...args) {
      const to = turn.call(this, args);
      return to === undefined ? undefined : Reflect.apply(native, this, to);
    },
  }[name];
  O.defineProperty(owner, name, { value: wrapped, writable: true, configurable: true, enumerable: true });
};
const constructor = (name, turn) => {
  const native = self[name];
  if (typeof native !== "function") return;
  self[name] = new Proxy(native, { construct: (target, args, as) => Reflect.construct(target, turn(args), as) });
};
const proto = (name) => self[name] && self[name].prototype;
const at = (i, turn) => (args) => (i < args.length ? args.map((v, k) => (k === i ? turn(v) : v)) : args);
