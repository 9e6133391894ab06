// Linkstead's replay shim. SPDX-License-Identifier: Apache-2.0
//
// The server rewrites the references that stand in a page. This script stands before all others of the page and turns
// the references inward that scripts make later, so that they find their captures instead of the policy's refusal; it
// keeps what pages store apart, and gives them the time of their capture.
//
// The parts in this folder are one script: assets.go joins them in its order and puts them into one function, linkstead,
// so that they share their names and leave none to the page. Its argument, given, holds the facts for a page that has no
// address of its own (about:blank, a worker).
//
// The Content-Security-Policy stays behind all of it; nothing here is trusted to keep a page in. Pages render without it too.
//
// This part comes first: what it takes from the page's world is as the browser made it. Later a page may have put
// anything in the place of String.prototype, Reflect or Promise; hence what runs later calls the natives by the names that
// are given here, counts in loops (for-of, spreading and destructuring of arrays go by Array.prototype), and gives
// descriptors and handlers no prototype.
const { Array: A, DOMException, Error: Fault, Event, EventTarget, Function: F, JSON, Map, Math, Object: O, Promise, Proxy, Reflect, RegExp, String: S, TypeError, URL, WeakMap } = self;
const { apply, construct, defineProperty, getOwnPropertyDescriptor: own, getPrototypeOf, ownKeys } = Reflect;
const { stringify, parse } = JSON;
const { setTimeout } = self;

// free makes a function of a method: free(f)(it, …) is it.f(…).
const free = (f) => f && F.prototype.call.bind(f);
const getter = (owner, name) => free((owner && own(owner, name) || {}).get);
const proto = (name) => self[name] && self[name].prototype;
const holder = (name) => { // of a property of the global object: itself in pages, in workers a prototype
  let o = self;
  while (o && !own(o, name)) o = getPrototypeOf(o);
  return o;
};

const trim = free(S.prototype.trim), lower = free(S.prototype.toLowerCase), upper = free(S.prototype.toUpperCase);
const slice = free(S.prototype.slice), indexOf = free(S.prototype.indexOf), charCode = free(S.prototype.charCodeAt);
const push = (list, v) => define(list, list.length, v);
const exec = free(RegExp.prototype.exec), nativeText = free(F.prototype.toString);
const mapGet = free(Map.prototype.get), mapSet = free(Map.prototype.set), mapDelete = free(Map.prototype.delete);
const weakGet = free(WeakMap.prototype.get), weakSet = free(WeakMap.prototype.set);
const then = free(Promise.prototype.then), resolved = Promise.resolve.bind(Promise), rejected = Promise.reject.bind(Promise);
const listen = free(EventTarget.prototype.addEventListener), dispatch = free(EventTarget.prototype.dispatchEvent);
const within = (text, part) => indexOf(text, part) >= 0;
const begins = (text, part) => slice(text, 0, part.length) === part;

// define gives an object a property, as an assignment would to one without prototype.
const define = (o, name, value) => defineProperty(o, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });

// swap is text with every match of re, which is global, replaced by what turn makes of it.
const swap = (text, re, turn) => {
  let out = "", from = 0, m;
  re.lastIndex = 0;
  while ((m = exec(re, text))) {
    const end = re.lastIndex;
    out += slice(text, from, m.index) + turn(m);
    re.lastIndex = m[0] === "" ? end + 1 : end; // turn may have used it
    from = end;
  }
  return from ? out + slice(text, from) : out + text;
};

// The tools. What stands in the place of a native has its name and length, and its text tells of native code.
const masks = given ? given.masks : new WeakMap();
const disguise = (ours, native) => {
  for (const p of ["name", "length"]) defineProperty(ours, p, { value: native[p], configurable: true });
  weakSet(masks, ours, weakGet(masks, native) || native);
  return ours;
};

// method puts body(it, args, native) in the place of a method.
const method = (owner, name, body) => {
  const d = owner && own(owner, name);
  if (!d || typeof d.value !== "function" || !d.configurable) return;
  const native = d.value;
  const { ours } = { ours(...args) { return body(this, args, native); } };
  defineProperty(owner, name, { ...d, value: disguise(ours, native) });
};

// before lets turn(args, it) change the arguments of a method first. No fault of it reaches the page.
const before = (owner, name, turn) => method(owner, name, (it, args, native) => {
  try { turn(args, it); } catch {}
  return apply(native, it, args);
});

// at turns one argument, if it is there.
const at = (i, turn) => (args, it) => { if (i < args.length) args[i] = turn(args[i], it); };

// property puts get(value, it) and set(value, it) behind the native accessors: what they return is read, or written. done(it)
// runs when it is.
const property = (owner, name, { get, set, done }) => {
  const d = owner && own(owner, name);
  if (!d || !d.get || !d.configurable) return;
  const ours = own({
    get [name]() {
      const value = apply(d.get, this, []);
      try { return get(value, this); } catch { return value; }
    },
    set [name](value) {
      let to = value;
      try { to = set(value, this); } catch {}
      apply(d.set, this, [to]);
      if (done) done(this);
    },
  }, name);
  defineProperty(owner, name, { ...d, get: get ? disguise(ours.get, d.get) : d.get, set: set && d.set ? disguise(ours.set, d.set) : d.set });
};

// accessor puts get(it) and set(value, it) in the place of the native accessors.
const accessor = (owner, name, get, set) => {
  const d = owner && own(owner, name);
  if (!d || !d.get || !d.configurable) return;
  defineProperty(owner, name, {
    ...d,
    get: disguise({ get() { return get(this); } }.get, d.get),
    set: d.set && disguise({ set(v) { if (set) set(v, this); } }.set, d.set),
  });
};

// instead puts our own in the place of a constructor: made(args, as, native) makes the object, called(args, native) is
// what a call without new returns.
const instead = (name, made, called) => {
  const native = self[name];
  if (typeof native !== "function") return;
  const handler = { __proto__: null, construct: (target, args, as) => made(args, as === ours ? target : as, target) };
  if (called) handler.apply = (target, it, args) => called(args, target);
  const ours = new Proxy(native, handler);
  weakSet(masks, ours, weakGet(masks, native) || native);
  defineProperty(self, name, { ...own(self, name), value: ours });
  if (native.prototype) defineProperty(native.prototype, "constructor", { ...own(native.prototype, "constructor"), value: ours });
};

// constructor lets turn(args) change the arguments of a constructor first.
const constructor = (name, turn) => instead(name, (args, as, native) => {
  try { turn(args); } catch {}
  return construct(native, args, as);
});

method(F.prototype, "toString", (it) => nativeText(weakGet(masks, it) || it));
