// What the past can't answer is refused before anything is asked.
class Closed extends EventTarget {
  constructor(url) {
    super();
    O.assign(this, { url: S(url), readyState: 0, bufferedAmount: 0, extensions: "", protocol: "", binaryType: "blob" });
    O.assign(this, { onopen: null, onmessage: null, onerror: null, onclose: null });
    setTimeout(() => {
      this.readyState = this instanceof self.WebSocket ? 3 : 2;
      for (const e of [new Event("error"), new CloseEvent("close", { code: 1006 })]) {
        if (typeof this["on" + e.type] === "function") this["on" + e.type](e);
        this.dispatchEvent(e);
      }
    });
  }
  send() {}
  close() {}
}
self.WebSocket = class WebSocket extends Closed {};
O.assign(self.WebSocket, { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 });
self.EventSource = class EventSource extends Closed {};
O.assign(self.EventSource, { CONNECTING: 0, OPEN: 1, CLOSED: 2 });
for (const name of ["WebTransport", "RTCPeerConnection", "webkitRTCPeerConnection"]) {
  if (name in self) self[name] = class { constructor() { throw new DOMException("Not in an archived page", "NotSupportedError"); } };
}
if (navigator.sendBeacon) Navigator.prototype.sendBeacon = () => true;
const workers = proto("ServiceWorkerContainer");
if (workers) workers.register = () => Promise.reject(new DOMException("Not in an archived page", "SecurityError"));
