async function tell(at) {
  var r = {};
  function check(name, got, want) { r[name] = got === want ? true : "got " + got + ", want " + want; }
  check("location.href", location.href.slice(0, at.length), at);
  if (at.slice(0, 5) !== "blob:") {
    check("location.host", location.host, new URL(at).host);
    check("String(location)", String(location), at);
    check("fetch relative", (await fetch("/rel.json")).url, new URL("/rel.json", at).href);
  }
  check("Date", new Date().getFullYear(), 2020);
  check("random", Math.random.toString(), "function random() { [native code] }");
  var f = await fetch("http://api.test/data.json?a=1&b=2");
  check("fetch", f.url + (await f.json()).n, "http://api.test/data.json?a=1&b=25");
  var x = new XMLHttpRequest();
  x.open("GET", "http://api.test/data.json?a=1&b=2", false);
  x.send();
  check("XHR", x.status + x.responseURL, "200http://api.test/data.json?a=1&b=2");
  check("WebSocket", await new Promise(function (ok) { new WebSocket("ws://live.test/").onclose = function (e) { ok(e.code); }; }), 1006);
  check("indexedDB", await new Promise(function (ok) {
    var q = indexedDB.open("worker-db");
    q.onsuccess = function () { ok(q.result.name); };
    q.onerror = function () { ok(/^blob:null/.test(URL.createObjectURL(new Blob())) ? "worker-db" : q.error); };
  }), "worker-db");
  if (self.name === "mine") check("nested", await new Promise(function (ok) {
    new Worker("nested.js").onmessage = function (e) { ok(e.data); };
  }), "http://site.test/dir/nested.js");
  postMessage(r);
}
