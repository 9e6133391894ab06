// Where a page says that it is, and where a reader is led.

// history: a page may give its address any path of its own origin.
for (const name of ["pushState", "replaceState"]) {
  method(History.prototype, name, (it, args, native) => {
    const ref = args[2];
    if (args.length < 3 || ref === null || ref === undefined) return apply(native, it, args);
    const page = current(), text = S(ref), u = absolute(outside(text));
    const failed = "Failed to execute '" + name + "' on 'History': A history state object with URL '" + text + "' cannot be created in a document with origin '" + originOf(page.url) + "' and URL '" + page.url + "'.";
    if (!u || urlOrigin(u) !== originOf(page.url)) refuse(failed, "SecurityError");
    try {
      apply(native, it, [args[0], args[1], root + page.time + page.mod + "/" + urlHref(u)]);
    } catch { // in a sandbox browsers keep the address of a page
      apply(native, it, [args[0], args[1]]);
      move(urlHref(u));
    }
  });
}

// windows that a page opens are its own until they are led elsewhere
method(holder("open"), "open", (it, args, native) => {
  try { at(0, (v) => inside(v))(args); } catch {}
  const opened = apply(native, it, args);
  reached(opened);
  return opened;
});

// Links and forms that came in by another way are put right at the last moment.
const composedPath = free(Event.prototype.composedPath);
const submitter = getter(proto("SubmitEvent"), "submitter"), eventTarget = getter(Event.prototype, "target");
const clicked = (e) => {
  for (let path = composedPath(e), i = 0; i < path.length; i++) {
    try {
      const name = kind(path[i]);
      if (name === "a" || name === "area") right(path[i], "href");
    } catch {} // window is no node
  }
};
const submitted = (e) => {
  try {
    right(eventTarget(e), "action");
    right(submitter(e), "formaction");
  } catch {}
};

// Where the browser tells of navigations, none leads out.
const { navigation } = self;
let navigated = null;
const nativeLocation = self.location, assign = free(nativeLocation.assign);
if (navigation) {
  const destination = getter(proto("NavigateEvent"), "destination"), destinationURL = getter(proto("NavigationDestination"), "url");
  before(proto("Navigation"), "navigate", at(0, (v) => inside(v)));
  const preventDefault = free(Event.prototype.preventDefault);
  navigated = (e) => {
    const url = destinationURL(destination(e)), to = inside(url);
    if (!e.cancelable || to === url) return;
    preventDefault(e);
    setTimeout(() => assign(nativeLocation, to));
  };
}

// Nothing that a reader types into a page of the past can be lost by leaving it: no page is asked whether it may be left.
const left = (e) => stop(e);

// A window forgets its listeners when its document is opened anew; one that it has it does not get twice.
const hear = () => {
  for (const type in { __proto__: null, click: 0, auxclick: 0 }) listen(self, type, clicked, true);
  listen(self, "submit", submitted, true);
  listen(self, "beforeunload", left, true);
  listen(self, "storage", hearStorage, true);
  if (navigated) listen(navigation, "navigate", navigated);
};
begin(hear);
for (const name of ["open", "write", "writeln"]) {
  method(Document.prototype, name, (it, args, native) => {
    const made = apply(native, it, args);
    hear();
    return made;
  });
}
