// What a page of the past needs to ask no reader for is denied, without a prompt.
const denies = (name, list, error = "NotAllowedError") => {
  for (const p of list) method(proto(name), p, () => rejected(new DOMException("Permission denied.", error)));
};
denies("Clipboard", ["read", "readText"]);
denies("CredentialsContainer", ["get", "create", "store"]);
denies("MediaDevices", ["getUserMedia", "getDisplayMedia", "selectAudioOutput"]);
denies("PushManager", ["subscribe"]);
denies("PaymentRequest", ["show"]);
denies("Document", ["requestStorageAccess", "requestStorageAccessFor"]);
denies("Navigator", ["requestMIDIAccess", "requestMediaKeySystemAccess", "share"]);
for (const name of ["Bluetooth", "USB", "HID", "Serial"]) denies(name, ["requestDevice", "requestPort", "requestLEScan"], "NotFoundError");
if (self.window) for (const p of ["queryLocalFonts", "getScreenDetails"]) method(holder(p), p, () => rejected(new DOMException("Permission denied.", "NotAllowedError")));
for (const p of ["registerProtocolHandler", "unregisterProtocolHandler"]) method(proto("Navigator"), p, () => {});

accessor(proto("PermissionStatus"), "state", ((real) => (it) => (real(it) === "prompt" ? "denied" : real(it)))(getter(proto("PermissionStatus"), "state")));
if (self.Notification) {
  accessor(self.Notification, "permission", () => "denied");
  method(self.Notification, "requestPermission", (it, args) => {
    const told = args[0];
    if (typeof told === "function") setTimeout(() => told("denied"), 1);
    return resolved("denied");
  });
}
const position = (it, args) => {
  const failed = args[1];
  if (typeof failed === "function") {
    setTimeout(() => failed({ code: 1, message: "User denied Geolocation", PERMISSION_DENIED: 1, POSITION_UNAVAILABLE: 2, TIMEOUT: 3 }), 1);
  }
};
method(proto("Geolocation"), "getCurrentPosition", position);
method(proto("Geolocation"), "watchPosition", (it, args) => { position(it, args); return 1; });
method(proto("Geolocation"), "clearWatch", () => {});

// A service worker would answer for every page of this origin. Pages bear best what browsers do where it is not allowed:
// they go on without. In a sandbox the property itself throws, which no page expects.
const container = self.ServiceWorkerContainer;
if (container) {
  method(container.prototype, "register", () => rejected(new DOMException("Failed to register a ServiceWorker: the page is a copy in an archive.", "SecurityError")));
  method(container.prototype, "getRegistration", () => resolved(undefined));
  method(container.prototype, "getRegistrations", () => resolved([]));
  accessor(container.prototype, "controller", () => null);
  const never = new Promise(() => {});
  accessor(container.prototype, "ready", () => never);
  for (const p of ["startMessages"]) method(container.prototype, p, () => {});
  if (sealed) {
    const none = construct(EventTarget, [], container);
    for (const type of ["controllerchange", "message", "messageerror"]) define(none, "on" + type, null);
    accessor(proto("Navigator"), "serviceWorker", () => none);
  }
}
