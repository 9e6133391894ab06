package configs

import (
	"net/url"
	"time"
)

// Watch says how the links of posts are looked at, by whoever serves or works.
type Watch struct {
	Enabled  bool
	PerHost  int      // looks that are begun at one host in a day; 0: no bound
	PerDay   int      // looks that are begun by one machine in a day; 0: no bound
	Canaries []string // addresses whose answers tell that our own network works
	Window   Duration // within which failures are held to be of one cause
	Every    Duration // how often new posts are looked for
	Body     Size     // read of an answer
}

// maxCanaries bounds the canaries: each failure asks all of them, at worst.
const maxCanaries = 10

func (c Config) checkWatch(v *findings, span func(key string, d Duration, low, high time.Duration), count func(key string, n, low, high int)) {
	w := &c.Watch
	count("watch.per_host", w.PerHost, 0, 1_000_000)
	count("watch.per_day", w.PerDay, 0, 1<<31-1)
	span("watch.window", w.Window, time.Second, 24*time.Hour)
	span("watch.every", w.Every, 10*time.Millisecond, 24*time.Hour)
	if w.Body < 1<<10 || w.Body > 1<<26 {
		v.add("watch.body", w.Body, "use 1KiB to 64MiB")
	}
	if len(w.Canaries) > maxCanaries {
		v.add("watch.canaries", len(w.Canaries), "name ten at most")
	}
	for _, s := range w.Canaries {
		if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || hasControl(s) {
			v.add("watch.canaries", s, "write addresses, for example https://www.example.org/")
		}
	}
}
