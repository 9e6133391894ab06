// What the panel of the banner tells is gathered from the start: the parts that a page asked for, each with what the archive
// says of it in Server-Timing, and what the policy stopped.
const bannered = self.top === self ? ownFact("data-banner") : null; // "" or what a reader is to be told
const capturedAt = ownFact("data-taken") || facts.time;
const partList = [], partOf = new Map(), stopped = [], stoppedOf = new Map();
const maxParts = 2000, maxStopped = 200;
let partsChanged = () => {}; // while the panel is open, it tells what comes

// addPart notes one: told are the entries of its Server-Timing, if it is known. Without taken and without a reason why there is
// none, nothing is known of it yet.
const addPart = (source, told) => {
  if (partList.length >= maxParts) return;
  const part = { url: source.url, asked: source.time, mod: source.mod, taken: "", status: "", missing: false, withheld: false, fault: false, fuzzy: false, wall: false };
  for (let i = 0; i < told.length; i++) {
    const { name, description } = told[i];
    if (name === "taken" || name === "status") part[name] = S(description);
    else if (part[name] === false) part[name] = true;
  }
  const before = mapGet(partOf, part.url);
  if (before !== undefined) {
    const old = partList[before];
    if (old.taken && !part.taken && !part.missing) return;
    partList[before] = part;
    partsChanged();
    return;
  }
  mapSet(partOf, part.url, partList.length);
  push(partList, part);
  partsChanged();
};
const known = (p) => p.taken || p.missing || p.withheld || p.fault;

const partName = getter(proto("PerformanceEntry"), "name");
const notePart = (entry) => {
  const source = read(partName(entry));
  if (source) addPart(source, entry.serverTiming || []);
};

// noteAnswer notes what a script was answered: browsers tell of it only once its body is read, and many scripts read none of
// what is not there.
const timed = /([a-z]+)(?:;desc="([^"]*)")?/g, headText = free(Headers.prototype.get);
const noteAnswer = (address, response) => {
  const source = read(address), told = [];
  if (!source) return;
  swap(headText(responseHead(response), "Server-Timing") || "", timed, (m) => {
    push(told, { name: m[1], description: m[2] || "" });
    return "";
  });
  addPart(source, told);
};
const askArchive = self.fetch; // as it is before what the panel asks itself would be noted
const addressOf = (asked) => {
  const to = asked instanceof Request ? requestAddress(asked) : inside(asked, "mp_");
  return begins(to, "/") ? facts.home + to : to;
};

const noteStopped = (e) => {
  const what = S(e.blockedURI || "inline"), key = e.effectiveDirective + " " + what;
  if (mapGet(stoppedOf, key) || stopped.length >= maxStopped) return;
  mapSet(stoppedOf, key, true);
  push(stopped, { url: what, kind: S(e.effectiveDirective) });
  partsChanged();
};
if (bannered !== null) {
  try {
    const observer = new self.PerformanceObserver((list) => {
      const entries = list.getEntries();
      for (let i = 0; i < entries.length; i++) try { notePart(entries[i]); } catch {}
    });
    observer.observe({ type: "resource", buffered: true });
  } catch {} // the panel says less then
  method(self, "fetch", (it, args, native) => {
    let address = "";
    try { address = addressOf(args[0]); } catch {}
    return then(apply(native, it, args), (response) => { // a promise that nobody catches stays one
      try { noteAnswer(address, response); } catch {}
      return response;
    });
  });
  listen(document, "securitypolicyviolation", (e) => { try { noteStopped(e); } catch {} }, true);
} else if (self.top !== self) { // the panel reads what the browser tells of this frame: see frameParts
  const cloned = free(Response.prototype.clone), textOf = free(Response.prototype.text);
  method(self, "fetch", (it, args, native) => then(apply(native, it, args), (response) => {
    try {
      if (headText(responseHead(response), "Server-Timing") === "missing") then(textOf(cloned(response)), () => {}, () => {});
    } catch {}
    return response;
  }));
}
