// What archived scripts see of their place in the world. Almost all of a window and a document can be defined anew, so
// that archived scripts have the real ones, and every identity holds. Only location and top can't be: for them the server
// puts calls of __lsV, __lsO and __lsT into scripts. These get whatever stands there, and give back what is not theirs.
const place = self.location, realTop = self.top, realParent = self.parent;
const worldMark = Symbol.for("linkstead.world");
const placeHref = getter(place, "href"), placeHash = getter(place, "hash"), setHash = free(own(place, "hash").set);
const leads = { __proto__: null, assign: free(place.assign), replace: free(place.replace) }, reload = free(place.reload);
const fragment = (href) => { const n = indexOf(href, "#"); return n < 0 ? "" : slice(href, n); };
const bare = (href) => { const n = indexOf(href, "#"); return n < 0 ? href : slice(href, 0, n); };

// pageURL is where the page is, as far as it knows.
let hrefSeen = "", urlSeen = "";
const pageURL = () => {
  const href = placeHref(place);
  if (href !== hrefSeen) {
    const m = read(href);
    urlSeen = m ? urlHref(new URL(m.url)) : href; // about:blank, about:srcdoc, blob:
    hrefSeen = href;
  }
  return moved.url || urlSeen;
};
const pageOrigin = () => {
  const u = new URL(pageURL()), scheme = urlProtocol(u);
  return scheme === "about:" || scheme === "blob:" ? archivedOrigin : scheme === "file:" ? "null" : urlOrigin(u);
};

// go leads this window elsewhere, as ref is meant by a page at from. A frame's document goes on as one of a frame.
const scripted = /^[\0- ]*javascript:/i;
const ownMod = (read(placeHref(place)) || first).mod;
const go = (way, ref, from) => {
  const text = S(ref);
  if (exec(scripted, text)) return leads[way](place, scopeURL(text));
  let u;
  try {
    u = new URL(outside(text), from || current().url);
  } catch {
    return leads[way](place, text); // throws what it has to
  }
  const href = urlHref(u);
  if (fragment(href) && bare(href) === bare(pageURL())) {
    if (way === "assign") setHash(place, fragment(href));
    else leads.replace(place, bare(placeHref(place)) + fragment(href));
    return undefined;
  }
  return leads[way](place, inside(href, ownMod));
};

// archived is the location of this window as its scripts see it.
const archived = O.create(getPrototypeOf(place));
const offers = (name, get, set) => {
  const native = own(place, name);
  if (!native) return;
  defineProperty(archived, name, {
    __proto__: null, enumerable: true,
    get: disguise({ get() { return get(); } }.get, native.get),
    set: native.set && disguise({ set(v) { set(v); } }.set, native.set),
  });
};
const does = (name, f, enumerable = true) => {
  defineProperty(archived, name, { __proto__: null, value: disguise({ f(v) { return f(v); } }.f, place[name]), enumerable });
};
offers("href", pageURL, (v) => go("assign", v));
offers("origin", pageOrigin);
offers("hash", () => (moved.url ? fragment(moved.url) : placeHash(place)), (v) => setHash(place, v));
for (const name of ["protocol", "host", "hostname", "port", "pathname", "search"]) {
  const get = getter(URL.prototype, name), set = free(own(URL.prototype, name).set);
  offers(name, () => get(new URL(pageURL())), (v) => {
    const u = new URL(pageURL());
    set(u, v);
    go("assign", urlHref(u));
  });
}
const noOrigins = O.create(proto("DOMStringList") || O.prototype, { length: { value: 0 }, item: { value: () => null }, contains: { value: () => false } });
offers("ancestorOrigins", () => noOrigins);
does("assign", (v) => go("assign", v));
does("replace", (v) => go("replace", v));
does("reload", () => reload(place));
does("toString", pageURL);
does("valueOf", () => archived, false);
defineProperty(archived, Symbol.toPrimitive, { __proto__: null, value: undefined });

// worldOf is what our script in another window tells: an empty one if it is none there, null if it is out of reach.
const worldOf = (w) => {
  try {
    return w[worldMark] || (w.document ? { __proto__: null } : null);
  } catch {
    return null; // of another origin
  }
};

// The frames of an archived page see it as their top, whoever frames it.
const above = realParent === self ? null : worldOf(realParent);
const atTop = realParent === self || (above ? !above.top : !!read(placeHref(place)) && ownMod !== "if_" && ownMod !== "fr_");
const archivedTop = atTop ? self : above ? above.top : realTop;
const replaced = (name) => (v) => { define(self, name, v); };
if (atTop && realParent !== self) {
  accessor(self, "parent", () => self, replaced("parent"));
  accessor(self, "frameElement", () => null);
}
accessor(holder("origin"), "origin", pageOrigin, replaced("origin"));

// standIn is what stands for a window or a document while one of its properties is taken, or several: what is special is
// ours, all else its own. It is no Proxy of its target, since that would have to tell the truth of what is fixed there.
const standIn = (target, special) => new Proxy(O.create(null), {
  __proto__: null,
  get: (_, key) => (key in special ? special[key] : target[key]),
  set: (_, key, v) => {
    if (key === "location") special.location = v;
    else target[key] = v;
    return true;
  },
  has: (_, key) => key in target,
  deleteProperty: (_, key) => delete target[key],
  ownKeys: () => ownKeys(target),
  getOwnPropertyDescriptor: (_, key) => {
    const d = own(target, key);
    return d && { ...d, value: key in special ? special[key] : target[key], get: undefined, set: undefined, configurable: true };
  },
});
const kept = (map, key, make) => {
  let v = weakGet(map, key);
  if (!v) weakSet(map, key, (v = make()));
  return v;
};

// standFor is what stands for this window in the scripts of another, or of its own.
const stands = new WeakMap();
const standFor = (from) => kept(stands, from, () => standIn(self, {
  __proto__: null,
  get location() { return archived; },
  set location(v) { go("assign", v, from === self ? "" : worldOf(from)?.base()); },
  get top() { return archivedTop; },
  get postMessage() { return from === self ? posting(self) : worldOf(from)?.posting(self); },
  get eval() { return self.eval === evaluate ? indirectEval : self.eval; },
}));

// led stands for the location of a window out of reach: it can be led elsewhere.
const led = (w) => {
  const lead = (way) => (v) => {
    const text = S(v), to = exec(scripted, text) ? scopeURL(text) : inside(text, w.parent === w ? "" : "if_");
    const address = to[0] === "/" ? facts.home + to : to;
    if (way === "replace") w.location.replace(address);
    else w.location = address;
  };
  const does = { __proto__: null, assign: lead("assign"), replace: lead("replace") };
  return new Proxy(O.create(null), {
    __proto__: null,
    get: (_, key) => does[key] || (key === "href" ? outside(w.location.href) : w.location[key]),
    set: (_, key, v) => {
      if (key === "href") does.assign(v);
      else w.location[key] = v;
      return true;
    },
  });
};
const others = new WeakMap();
const otherWindow = (w) => {
  const world = worldOf(w);
  if (world && world.standFor) return world.standFor(self);
  return kept(others, w, () => standIn(w, {
    __proto__: null,
    get location() { return led(w); },
    set location(v) { led(w).href = v; },
    get top() { return archivedTop; },
    get postMessage() { return posting(w); },
  }));
};
const documents = new WeakMap();
const standForDocument = (d, w) => kept(documents, d, () => standIn(d, {
  __proto__: null,
  get location() { return (w === self ? standFor(self) : otherWindow(w)).location; },
  set location(v) { (w === self ? standFor(self) : otherWindow(w)).location = v; },
}));

const isWindow = (x) => {
  try {
    return x.window === x && typeof x.closed === "boolean";
  } catch {
    return false;
  }
};
const valueFor = (x) => {
  if (x === place) return archived;
  if (x === realTop) return archivedTop;
  return x === evaluate ? indirectEval : x;
};
const ownerFor = (x) => {
  if (typeof x !== "object" || x === null) return x;
  if (x === self) return standFor(self);
  if (x === document) return standForDocument(x, self);
  if (x === realTop && archivedTop !== x) return ownerFor(archivedTop);
  if (isWindow(x)) return otherWindow(x);
  const w = x.nodeType === 9 ? x.defaultView : null;
  return w && isWindow(w) ? standForDocument(x, w) : x;
};
const targetFor = (now, set) => ({
  __proto__: null,
  get v() { return valueFor(now); },
  set v(to) {
    if (now === place) go("assign", to);
    else set(to);
  },
});
offer({ __lsV: valueFor, __lsO: ownerFor, __lsT: targetFor });
defineProperty(self, worldMark, { __proto__: null, value: { __proto__: null, top: archivedTop, base: () => current().url, standFor, posting: (w) => posting(w) } });
