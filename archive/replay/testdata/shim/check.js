// What the pages of this folder say of what they see: window.results, by name; all are to be true.
var opaque = /^blob:null/.test(URL.createObjectURL(new Blob())); // in a sandbox
var results = {}, pending = 0, waiting = {};
function check(name, got, want) {
  if (arguments.length < 3) want = true;
  results[name] = got === want || (got !== got && want !== want) ? true : "got " + String(got) + ", want " + String(want);
}
function eventually(name, promise, want) {
  pending++;
  waiting[name] = 1;
  var timer = setTimeout(function () { end("timed out"); }, 20000);
  function end(v) {
    clearTimeout(timer);
    if (!(name in results)) { results[name] = v; pending--; delete waiting[name]; }
  }
  Promise.resolve(promise).then(function (v) {
    end(want === undefined || v === want ? true : "got " + String(v) + ", want " + String(want));
  }, function (e) { end("failed: " + ((e && (e.stack || e.message)) || e)); });
}
function attempt(name, f) {
  try { f(); } catch (e) { results[name] = "threw " + (e.stack || e); }
}
function event(target, type) {
  return new Promise(function (ok) { target.addEventListener(type, ok, { once: true }); });
}
