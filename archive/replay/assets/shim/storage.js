// What a page stores is kept apart by the origin that it was captured from; where browsers refuse all storage, in a
// sandbox, it is kept in memory. The archive's own keys and those of other archived origins are never seen.
let archivedOrigin = "", apart = "";
begin(() => {
  archivedOrigin = originOf(facts.url);
  apart = archivedOrigin + " "; // an origin has no spaces
});
const namedApart = (name) => apart + S(name);
const unnamed = (name) => (begins(name, apart) ? slice(name, apart.length) : name);

// databases and caches
const idb = proto("IDBFactory");
for (const name of ["open", "deleteDatabase"]) {
  method(idb, name, (it, args, native) => {
    if (args.length > 0) args[0] = namedApart(args[0]);
    if (!sealed) return apply(native, it, args);
    return failedRequest();
  });
}
property(proto("IDBDatabase"), "name", { get: unnamed });
const listed = (list, name) => {
  const out = [];
  for (let i = 0; i < list.length; i++) {
    const v = list[i], n = name(v);
    if (begins(n, apart)) push(out, typeof v === "string" ? unnamed(n) : { ...v, name: unnamed(n) });
  }
  return out;
};
method(idb, "databases", (it, args, native) => (sealed ? resolved([]) : then(apply(native, it, args), (list) => listed(list, (v) => v.name))));

// failedRequest is that of a database that can't be opened, as in windows that keep nothing.
const failedRequest = () => {
  const error = new DOMException("The user denied permission to access the database.", "UnknownError");
  const it = target(self.IDBOpenDBRequest, { __proto__: null, readyState: "pending", error: null, source: null, transaction: null });
  setTimeout(() => {
    const s = state(it);
    s.readyState = "done";
    s.error = error;
    dispatch(it, new Event("error", { __proto__: null, bubbles: true, cancelable: true }));
  }, 1);
  return it;
};
if (sealed) {
  reads("IDBRequest", "readyState", "error", "source", "transaction");
  accessor(proto("IDBRequest"), "result", (it) => { throw state(it).error || new DOMException("The request has not finished.", "InvalidStateError"); });
  hears("IDBRequest", "success", "error");
  hears("IDBOpenDBRequest", "blocked", "upgradeneeded");
}

const cacheStorage = proto("CacheStorage");
if (sealed) delete holder("caches")?.caches; // it would throw: pages know that pages without TLS have none
const cacheOpen = cacheStorage && free(cacheStorage.open), cacheNames = cacheStorage && free(cacheStorage.keys), cacheMatch = self.Cache && free(proto("Cache").match);
for (const name of ["open", "has", "delete"]) before(cacheStorage, name, at(0, namedApart));
method(cacheStorage, "keys", (it, args, native) => then(apply(native, it, args), (list) => listed(list, (v) => v)));
method(cacheStorage, "match", (it, args) => {
  const request = requestOf(args[0]), options = args[1], only = options && options.cacheName;
  const search = (list, i) => {
    if (i >= list.length) return undefined;
    if (!begins(list[i], apart) || (only !== undefined && unnamed(list[i]) !== only)) return search(list, i + 1);
    return then(cacheOpen(it, list[i]), (cache) => then(cacheMatch(cache, request, options), (found) => found || search(list, i + 1)));
  };
  return then(cacheNames(it), (list) => search(list, 0));
});
for (const name of ["add", "match", "matchAll", "put", "delete", "keys"]) before(proto("Cache"), name, at(0, (v) => (v === undefined ? v : requestOf(v))));
before(proto("Cache"), "addAll", (args) => {
  const list = [];
  for (let i = 0; i < args[0].length; i++) push(list, requestOf(args[0][i]));
  args[0] = list;
});

// names by which pages and workers of an origin find one another
constructor("BroadcastChannel", (args) => { if (args.length > 0) args[0] = namedApart(args[0]); });
property(proto("BroadcastChannel"), "name", { get: unnamed });
const held = new Map(); // in memory: the end of the last lock by name
method(proto("LockManager"), "request", (it, args, native) => {
  if (args.length > 0) args[0] = namedApart(args[0]);
  if (!sealed) {
    const last = args.length - 1, use = args[last];
    if (typeof use === "function") args[last] = (lock) => use(lock);
    return apply(native, it, args);
  }
  const name = args[0], use = args[args.length - 1];
  const lock = O.create(proto("Lock"));
  weakSet(states, lock, { __proto__: null, name: unnamed(name), mode: "exclusive" });
  const done = then(mapGet(held, name) || resolved(), () => use(lock));
  mapSet(held, name, then(done, () => {}, () => {}));
  return done;
});
if (sealed) reads("Lock", "name", "mode");
else property(proto("Lock"), "name", { get: unnamed });
method(proto("LockManager"), "query", (it, args, native) => (sealed ? resolved({ held: [], pending: [] }) : then(apply(native, it, args), (all) => ({
  held: listed(all.held, (v) => v.name), pending: listed(all.pending, (v) => v.name),
}))));
