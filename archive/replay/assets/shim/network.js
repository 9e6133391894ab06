// What asks for data, runs scripts elsewhere or opens windows.
const request = at(0, (v) => (v instanceof Request ? v : inside(v, "mp_")));
method(self, "fetch", request);
constructor("Request", request);
method(XMLHttpRequest.prototype, "open", at(1, (v) => inside(v, "mp_")));
for (const name of ["Worker", "SharedWorker"]) constructor(name, at(0, (v) => inside(v, "js_")));
constructor("Audio", at(0, (v) => inside(v, "oe_")));
method(self, "open", at(0, (v) => inside(v)));
const past = at(2, (v) => (v === null || v === undefined ? v : inside(v)));
for (const name of ["pushState", "replaceState"]) method(History.prototype, name, past);
