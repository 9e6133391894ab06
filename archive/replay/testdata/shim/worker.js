importScripts("worker-checks.js");
onmessage = function (e) { if (e.data === "early") tell("http://site.test/dir/worker.js?of=page"); };
