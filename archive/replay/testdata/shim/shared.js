var id = Math.floor(crypto.getRandomValues(new Uint32Array(1))[0]); onconnect = function (e) { e.ports[0].postMessage({ id: id, name: self.name, href: location.href }); };
