// Workers. This script runs in a worker, too, before the worker's own: a few lines bring in the one and the other, and the
// fragment of their address tells what they are of. (A script of another origin than the page's, as all are in a
// sandbox, a browser would refuse.)
const { Blob, atob, decodeURIComponent, encodeURIComponent, Uint8Array } = self;
const createObjectURL = free(URL.createObjectURL), revokeObjectURL = free(URL.revokeObjectURL);
const mapSize = getter(Map.prototype, "size"), blobType = getter(Blob.prototype, "type");
const blobs = new Map(); // what blob: URLs stand for: pages revoke them as soon as a worker is made
const maxBlobs = 4096;
let asDocument = (blob) => (exec(/html|xml/i, blobType(blob)) ? new Blob([blob], { __proto__: null, type: "text/plain;charset=utf-8" }) : blob); // see blobs.js; what a worker makes is no page
method(URL, "createObjectURL", (it, args, native) => {
  const shown = [args[0]];
  try { shown[0] = asDocument(args[0]); } catch {} // what is no Blob
  const url = apply(native, it, args.length > 0 ? shown : args);
  try {
    const type = blobType(args[0]); // throws for what is no Blob
    if ((type === "" || exec(/script|text\/plain|octet-stream/i, type)) && mapSize(blobs) < maxBlobs) mapSet(blobs, url, args[0]);
  } catch {}
  return url;
});
method(URL, "revokeObjectURL", (it, args, native) => {
  mapDelete(blobs, S(args[0]));
  return apply(native, it, args);
});

// unpacked is the script that a data: URL holds.
const unpacked = (url) => {
  const m = exec(/^data:([^,]*),(.*)$/is, url);
  const text = decodeURIComponent(m[2]);
  if (!exec(/;\s*base64\s*$/i, m[1])) return text;
  const bytes = atob(text), out = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = charCode(bytes, i);
  return out;
};

// introduced is the address of a script that brings in ours and then the one at ref.
const introduced = (ref, options, alone) => {
  let module = options !== null && typeof options === "object" && options.type === "module";
  const text = trim(S(ref)), script = inside(text, "js_");
  const late = module && sealed; // a worker of an opaque origin gets no module to begin with, but may import one
  if (late) module = false;
  const bring = (url) => (module ? "import " : "importScripts(") + stringify(url) + (module ? ";" : ");");
  const url = begins(script, root) ? facts.home + (root === facts.prefix ? script : slice(script, facts.home.length)) : script;
  const tells = { home: facts.home, prefix: facts.prefix, time: current().time, shim: facts.shim, url: read(url)?.url || current().url };
  let parts = [bring(facts.shim), bring(url)];
  if (begins(text, "blob:")) {
    const blob = mapGet(blobs, text);
    if (!blob) return ref;
    tells.at = "blob:" + archivedOrigin + slice(text, text.length - 37);
    parts = [parts[0], blob];
  } else if (begins(lower(text), "data:")) {
    tells.at = text;
    parts = [parts[0], unpacked(text)];
  } else if (!read(url)) return ref;
  else if (alone && !module && !sealed) {
    tells.run = url; // found again by its address by the other pages that share it
    parts = null;
  }
  if (late) {
    tells.module = read(url) ? url : createObjectURL(URL, new Blob([parts[1]], { __proto__: null, type: "text/javascript" }));
    parts = [parts[0]];
  }
  const address = parts ? createObjectURL(URL, new Blob(parts, { __proto__: null, type: "text/javascript" })) : facts.shim;
  if (parts) setTimeout(() => revokeObjectURL(URL, address), 60000);
  return address + "#" + encodeURIComponent(stringify(tells));
};
constructor("Worker", (args) => {
  if (args.length === 0) return;
  args[0] = introduced(args[0], args[1]);
  if (sealed && args[1] !== null && typeof args[1] === "object") args[1] = { __proto__: null, name: args[1].name ?? "" };
});
if (sealed) delete self.SharedWorker; // it would throw: pages know that many browsers have none
constructor("SharedWorker", (args) => {
  if (args.length === 0) return;
  args[0] = introduced(args[0], args[1], true);
  const options = args[1];
  if (options !== null && typeof options === "object") args[1] = { __proto__: null, name: namedApart(options.name ?? ""), type: options.type, credentials: options.credentials };
  else args[1] = namedApart(options ?? "");
});
before(proto("Worklet"), "addModule", at(0, (v) => inside(v, "js_")));

// Within a worker: its scripts, its address and its name are those of the past.
if (self.WorkerGlobalScope) {
  before(holder("importScripts"), "importScripts", (args) => { for (let i = 0; i < args.length; i++) args[i] = inside(args[i], "js_"); });
  const at = facts.at || facts.url, u = new URL(at), place = proto("WorkerLocation");
  for (const p of ["href", "origin", "protocol", "host", "hostname", "port", "pathname", "search", "hash"]) {
    const value = u[p];
    accessor(place, p, () => value);
  }
  method(place, "toString", () => at);
  const name = self.name;
  if (self.SharedWorkerGlobalScope) accessor(holder("name"), "name", () => unnamed(name));
  if (facts.run) self.importScripts(facts.run);
  if (facts.module) { // what comes before it is there waits
    const { MessageEvent } = self, stop = free(Event.prototype.stopImmediatePropagation);
    let early = [];
    listen(self, "message", (e) => {
      if (!early) return;
      stop(e);
      push(early, e);
    });
    then(import(facts.module), () => {
      const list = early;
      early = null;
      for (let i = 0; i < list.length; i++) dispatch(self, new MessageEvent("message", { __proto__: null, data: list[i].data, ports: list[i].ports }));
    }, (e) => { setTimeout(() => { throw e; }); });
  }
}
if (!self.document) return;

// What follows is for pages.
