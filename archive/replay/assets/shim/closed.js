// What the past can't answer is refused as a network that is down would: the page gets an object whose events tell that
// nothing was reached. Nothing is asked of anybody.
const { CloseEvent } = self;
const states = new WeakMap(); // of our objects
const state = (it) => {
  const s = weakGet(states, it);
  if (!s) throw new TypeError("Illegal invocation");
  return s;
};
const refuse = (message, name) => { throw new DOMException(message, name); };

// target makes an event target of a native's prototype, whose state is ours.
const target = (as, s) => {
  const it = construct(EventTarget, [], as);
  weakSet(states, it, s);
  return it;
};
// reads gives the native's accessors the values of our state; onsomething is a listener.
const reads = (name, ...list) => { for (const p of list) accessor(proto(name), p, (it) => state(it)[p]); };
const hears = (name, ...types) => {
  for (const type of types) {
    const slot = "on" + type;
    accessor(proto(name), slot, (it) => state(it)[slot] ?? null, (f, it) => {
      const s = state(it);
      if (s[slot] === undefined) {
        listen(it, type, (e) => {
          if (s[slot] && apply(s[slot], it, [e]) === false) e.preventDefault();
        });
      }
      s[slot] = typeof f === "function" ? f : null;
    });
  }
};

const failing = (name, closed, s, as, events) => {
  const it = target(as, { __proto__: null, readyState: 0, ...s });
  setTimeout(() => {
    if (state(it).readyState === closed) return;
    state(it).readyState = closed;
    events(it);
  }, 1);
  return it;
};
const meant = (url, schemes) => {
  const u = absolute(S(url));
  if (!u || !schemes[urlProtocol(u)]) refuse("The URL '" + S(url) + "' is invalid.", "SyntaxError");
  return outside(urlHref(u));
};

instead("WebSocket", (args, as) => {
  if (args.length === 0) throw new TypeError("Failed to construct 'WebSocket': 1 argument required, but only 0 present.");
  const url = swap(meant(args[0], { __proto__: null, "ws:": 1, "wss:": 1, "http:": 1, "https:": 1 }), /^http/g, () => "ws");
  return failing("WebSocket", 3, { url, protocol: "", extensions: "", bufferedAmount: 0, binaryType: "blob" }, as, (it) => {
    dispatch(it, new Event("error"));
    dispatch(it, new CloseEvent("close", { __proto__: null, code: 1006, reason: "", wasClean: false }));
  });
});
reads("WebSocket", "url", "readyState", "protocol", "extensions", "bufferedAmount");
accessor(proto("WebSocket"), "binaryType", (it) => state(it).binaryType, (v, it) => { if (v === "blob" || v === "arraybuffer") state(it).binaryType = v; });
hears("WebSocket", "open", "message", "error", "close");
method(proto("WebSocket"), "send", (it) => {
  if (state(it).readyState === 0) refuse("Failed to execute 'send' on 'WebSocket': Still in CONNECTING state.", "InvalidStateError");
});
method(proto("WebSocket"), "close", (it) => { if (state(it).readyState === 0) state(it).readyState = 2; });

instead("EventSource", (args, as) => {
  if (args.length === 0) throw new TypeError("Failed to construct 'EventSource': 1 argument required, but only 0 present.");
  const url = meant(args[0], { __proto__: null, "http:": 1, "https:": 1 });
  return failing("EventSource", 2, { url, withCredentials: !!(args[1] && args[1].withCredentials) }, as, (it) => dispatch(it, new Event("error")));
});
reads("EventSource", "url", "readyState", "withCredentials");
hears("EventSource", "open", "message", "error");
method(proto("EventSource"), "close", (it) => { state(it).readyState = 2; });

instead("WebTransport", (args, as) => {
  const it = construct(O, [], as), failed = () => {
    const p = rejected(self.WebTransportError ? new self.WebTransportError({ message: "Opening handshake failed." }) : new DOMException("Opening handshake failed."));
    then(p, undefined, () => {}); // a page need not have heard of it
    return p;
  };
  weakSet(states, it, { __proto__: null, ready: failed(), closed: failed(), draining: new Promise(() => {}), congestionControl: "default", reliability: "pending" });
  return it;
});
reads("WebTransport", "ready", "closed", "draining", "congestionControl", "reliability");
for (const p of ["createBidirectionalStream", "createUnidirectionalStream", "getStats"]) method(proto("WebTransport"), p, (it) => state(it).closed);
method(proto("WebTransport"), "close", () => {});

// A peer connection is real, but has no servers, makes no candidates of its own and hears of none, so that it sends nothing.
const alone = (config) => ({ __proto__: null, ...(config !== null && typeof config === "object" ? config : {}), iceServers: [], iceTransportPolicy: "relay", iceCandidatePoolSize: 0 });
// In a frame there is none: Chromium 156 ends a page for one in a frame of it, where Connection-Allowlist forbids peers.
const inFrame = !!self.document && self.parent !== self;
for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection"]) {
  instead(name, (args, as, native) => {
    if (inFrame) refuse("Failed to construct 'RTCPeerConnection': Cannot create so many PeerConnections", "UnknownError");
    return construct(native, [alone(args[0])], as);
  });
}
before(proto("RTCPeerConnection"), "setConfiguration", (args) => { args[0] = alone(args[0]); });
method(proto("RTCPeerConnection"), "addIceCandidate", () => resolved());
const candidateLine = /^a=(?:candidate|remote-candidates):.*(?:\r\n|\n|$)/gm;
before(proto("RTCPeerConnection"), "setRemoteDescription", (args) => {
  const d = args[0];
  if (d && typeof d === "object") args[0] = { __proto__: null, type: d.type, sdp: swap(S(d.sdp ?? ""), candidateLine, () => "") };
});

method(proto("Navigator"), "sendBeacon", (it, args) => {
  if (args.length === 0) throw new TypeError("Failed to execute 'sendBeacon' on 'Navigator': 1 argument required, but only 0 present.");
  return true;
});
