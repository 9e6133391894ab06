// Documents that a page makes within itself (about:blank, srcdoc) have natives of their own. They get this script before
// the page can reach them: whenever something has come into the document, the frames are looked through.
const frameCount = getter(self, "length");
const source = nativeText(linkstead);
const reached = (w) => {
  try {
    if (w === null || w === undefined || w[mark] || w === self) return;
    // Its own realm runs it, so that what it puts in place of natives is of that realm.
    (0, w.eval)("(" + source + ")")({ ...current(), home: facts.home, prefix: facts.prefix, shim: facts.shim, masks });
  } catch {} // of another origin: it is not within the page's reach either
};
const adopt = () => {
  for (let i = frameCount(self); i-- > 0;) reached(self[i]);
};
const adopting = (v) => {
  if (frameCount(self) > 0) adopt();
  return v;
};
// inserting is before, for a method after which there may be more frames.
const inserting = (owner, name, turn) => method(owner, name, (it, args, native) => {
  try { turn(args, it); } catch {}
  return adopting(apply(native, it, args));
});
for (const owner of ["HTMLIFrameElement", "HTMLFrameElement", "HTMLObjectElement"]) {
  property(proto(owner), "contentWindow", { get: (w) => { reached(w); return w; } });
  property(proto(owner), "contentDocument", { get: (d) => { if (d) reached(viewOf(d)); return d; } });
}
const viewOf = getter(proto("Document"), "defaultView");
