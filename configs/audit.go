package configs

import "time"

// Audit says how 'linkstead audit' asks. Whoever audits waits for the answer, and asks for each link once: its pauses are shorter than
// those of captures.
type Audit struct {
	Concurrency int      // requests at the same time
	PerHost     int      // of them to one host
	Delay       Duration // between the beginnings of requests to one host; hosts on this machine get none unless it is set
	Retries     int      // tries after the first
	Timeout     Duration // of one request
	MaxTime     Duration // of the whole audit; 0: no bound
	Redirects   int      // in a row
}

func (c Config) checkAudit(v *findings, span func(key string, d Duration, low, high time.Duration)) {
	a := &c.Audit
	for _, n := range []struct {
		key       string
		n         int
		low, high int
		use       string
	}{
		{"audit.concurrency", a.Concurrency, 1, 1000, "use 1 to 1000"}, {"audit.per_host", a.PerHost, 1, 64, "use 1 to 64"},
		{"audit.retries", a.Retries, 0, 10, "use 0 to 10"}, {"audit.max_redirects", a.Redirects, 1, 100, "use 1 to 100"},
	} {
		if n.n < n.low || n.n > n.high {
			v.add(n.key, n.n, n.use)
		}
	}
	span("audit.delay", a.Delay, 0, time.Hour)
	span("audit.timeout", a.Timeout, 10*time.Millisecond, time.Hour)
	span("audit.max_time", a.MaxTime, 0, 7*24*time.Hour)
}
