// Messages between windows. Their origins are those of the past, so they travel with the message: what is posted is
// sealed in an envelope, which is delivered whatever origins the archive has for the two, and opened on arrival.
const envelope = "linkstead message";
const nativePost = free(self.postMessage);
const { MessageEvent } = self;
const eventData = getter(MessageEvent.prototype, "data");
const opened = (data) => (data !== null && typeof data === "object" && own(data, envelope) ? data : null);

const posts = new WeakMap(), boundPost = self.postMessage;

// posting is the postMessage of a window for the scripts of this one, so that they are the source that the event tells.
const posting = (w) => kept(posts, w, () => disguise({ postMessage(...args) { return post(w, args); } }.postMessage, boundPost));
const post = (w, args) => {
  const message = args[0], target = args[1], options = target !== null && typeof target === "object";
  if (args.length === 0) return nativePost(w);
  let to = options ? target.targetOrigin : target;
  to = to === undefined ? "/" : S(to);
  if (to !== "*") {
    if (to === "/") to = pageOrigin();
    else {
      const u = parsedURL(to);
      if (!u) refuse("Failed to execute 'postMessage' on 'Window': Invalid target origin '" + to + "' in a call to 'postMessage'.", "SyntaxError");
      to = urlOrigin(u) === facts.home ? originOf(outside(to)) : urlOrigin(u);
    }
  }
  const transfer = options ? target.transfer : args[2];
  return nativePost(w, { [envelope]: true, data: message, from: pageOrigin(), to }, "*", transfer === undefined ? [] : transfer);
};
const parsedURL = (text) => {
  try {
    return new URL(text);
  } catch {
    return null;
  }
};
method(holder("postMessage"), "postMessage", (it, args) => post(it === undefined || it === null ? self : it, args));
property(MessageEvent.prototype, "data", { get: (data) => { const e = opened(data); return e ? e.data : data; } });
property(MessageEvent.prototype, "origin", { get: (origin, event) => {
  const e = opened(eventData(event));
  return e ? e.from : origin === facts.home ? archivedOrigin : origin;
} });
listen(self, "message", (event) => {
  const e = opened(eventData(event));
  if (e && e.to !== "*" && e.to !== pageOrigin()) stop(event);
}, true);
