// What the panel of the banner tells is gathered from the start: the parts that a page asked for, each with what the archive
// says of it in Server-Timing, and what the policy stopped.
const bannered = self.top === self ? ownFact("data-banner") : null; // "" or what a reader is to be told
const capturedAt = ownFact("data-taken") || facts.time;
const partList = [], partOf = new Map(), stopped = [], stoppedOf = new Map();
const maxParts = 2000, maxStopped = 200;

const partName = getter(proto("PerformanceEntry"), "name");
const partSource = (entry) => read(partName(entry)) || null;
const notePart = (entry) => {
  const source = partSource(entry);
  if (!source || partList.length >= maxParts) return;
  const part = { url: source.url, asked: source.time, mod: source.mod, taken: "", status: entry.responseStatus || 0, fuzzy: false, wall: false, missing: entry.responseStatus === 404 };
  const told = entry.serverTiming || [];
  for (let i = 0; i < told.length; i++) {
    if (told[i].name === "taken") part.taken = told[i].description;
    else if (told[i].name === "missing" || told[i].name === "fuzzy" || told[i].name === "wall") part[told[i].name] = true;
  }
  if (part.taken) part.missing = false; // it was captured as what it is
  const before = mapGet(partOf, part.url);
  if (before !== undefined) partList[before] = part;
  else {
    mapSet(partOf, part.url, partList.length);
    push(partList, part);
  }
};
const noteStopped = (e) => {
  const what = S(e.blockedURI || "inline"), key = e.effectiveDirective + " " + what;
  if (mapGet(stoppedOf, key) || stopped.length >= maxStopped) return;
  mapSet(stoppedOf, key, true);
  push(stopped, { url: what, kind: S(e.effectiveDirective) });
};
if (bannered !== null) {
  try {
    const observer = new self.PerformanceObserver((list) => {
      const entries = list.getEntries();
      for (let i = 0; i < entries.length; i++) try { notePart(entries[i]); } catch {}
    });
    observer.observe({ type: "resource", buffered: true });
  } catch {} // the panel says less then
  listen(document, "securitypolicyviolation", (e) => { try { noteStopped(e); } catch {} }, true);
}
