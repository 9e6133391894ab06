// localStorage and sessionStorage: an object of ours over the browser's, or over memory.
const nativeStorage = (name) => {
  try {
    return self[name];
  } catch {
    return null; // in a sandbox
  }
};
const storage = Storage.prototype;
const storeGet = free(storage.getItem), storeSet = free(storage.setItem), storeRemove = free(storage.removeItem), storeKey = free(storage.key);
const storeLength = getter(storage, "length");
const quota = 5 << 20; // characters that memory holds, as browsers do

// inBrowser keeps items in the browser's storage, under names with our origin before them.
const inBrowser = (native) => ({
  __proto__: null,
  get: (key) => storeGet(native, apart + key),
  set: (key, value) => storeSet(native, apart + key, value),
  remove: (key) => storeRemove(native, apart + key),
  keys: () => {
    const keys = [];
    for (let n = storeLength(native), i = 0; i < n; i++) {
      const key = storeKey(native, i);
      if (begins(key, apart)) push(keys, slice(key, apart.length));
    }
    return keys;
  },
});
const inMemory = () => {
  const items = O.create(null);
  let size = 0;
  const sized = (key) => (key in items ? key.length + items[key].length : 0);
  return {
    __proto__: null,
    get: (key) => (key in items ? items[key] : null),
    set: (key, value) => {
      const then = size - sized(key) + key.length + value.length;
      if (then > quota) refuse("Failed to execute 'setItem' on 'Storage': Setting the value of '" + key + "' exceeded the quota.", "QuotaExceededError");
      items[key] = value;
      size = then;
    },
    remove: (key) => {
      size -= sized(key);
      delete items[key];
    },
    keys: () => ownKeys(items),
  };
};

const stores = new WeakMap(); // of our storage objects
const isItem = (key) => typeof key === "string" && !(key in storage);
const storageObject = (items) => {
  const it = new Proxy(O.create(storage), {
    __proto__: null,
    get: (o, key, as) => (isItem(key) ? items.get(key) ?? undefined : Reflect.get(o, key, as)),
    set: (o, key, value, as) => {
      if (!isItem(key)) return Reflect.set(o, key, value, as);
      items.set(key, S(value));
      return true;
    },
    has: (o, key) => (isItem(key) ? items.get(key) !== null : key in o),
    deleteProperty: (o, key) => {
      if (isItem(key)) items.remove(key);
      return true;
    },
    ownKeys: () => items.keys(),
    getOwnPropertyDescriptor: (o, key) => {
      const value = isItem(key) ? items.get(key) : null;
      return value === null ? undefined : { __proto__: null, value, writable: true, enumerable: true, configurable: true };
    },
    defineProperty: (o, key, d) => {
      if (!isItem(key)) return defineProperty(o, key, d);
      items.set(key, S(d.value));
      return true;
    },
  });
  weakSet(stores, it, items);
  return it;
};
const needs = (args, n, name) => {
  if (args.length < n) throw new TypeError("Failed to execute '" + name + "' on 'Storage': " + n + " argument" + (n > 1 ? "s" : "") + " required, but only " + args.length + " present.");
};
const acts = (name, n, act) => method(storage, name, (it, args, native) => {
  const items = weakGet(stores, it);
  if (!items) return apply(native, it, args);
  needs(args, n, name);
  return act(items, args);
});
acts("getItem", 1, (items, args) => items.get(S(args[0])));
acts("setItem", 2, (items, args) => { items.set(S(args[0]), S(args[1])); });
acts("removeItem", 1, (items, args) => { items.remove(S(args[0])); });
acts("key", 1, (items, args) => items.keys()[args[0] >>> 0] ?? null);
acts("clear", 0, (items) => {
  for (let keys = items.keys(), i = 0; i < keys.length; i++) items.remove(keys[i]);
});
const lengthOf = storeLength;
accessor(storage, "length", (it) => {
  const items = weakGet(stores, it);
  return items ? items.keys().length : lengthOf(it);
});

const areas = O.create(null);
const natives = O.create(null);
for (const name of ["localStorage", "sessionStorage"]) {
  const native = nativeStorage(name);
  natives[name] = native;
  begin(() => { areas[name] = storageObject(native ? inBrowser(native) : inMemory()); });
  accessor(self, name, () => areas[name]);
}

// Pages hear of what others of their origin stored, and of nobody else.
const eventKey = getter(proto("StorageEvent"), "key"), eventArea = getter(proto("StorageEvent"), "storageArea");
const stop = free(Event.prototype.stopImmediatePropagation);
const isTrusted = (e) => e.isTrusted; // [LegacyUnforgeable]
const hearStorage = (e) => {
  if (!isTrusted(e)) return;
  stop(e);
  const key = eventKey(e), area = eventArea(e) === natives.localStorage ? areas.localStorage : areas.sessionStorage;
  if (key === null || !begins(key, apart)) return;
  const heard = new StorageEvent("storage", { __proto__: null, key: slice(key, apart.length), oldValue: e.oldValue, newValue: e.newValue, url: outside(e.url) });
  O.defineProperty(heard, "storageArea", { __proto__: null, value: area }); // its own would have to be the browser's
  dispatch(self, heard);
};
