package configs

import (
	"net/mail"
	"strings"
	"time"
)

// Politeness says how a host is treated that is slow, fails or asks to be left alone.
type Politeness struct {
	Factor     float64  // the pause after a request, in response times of the host
	MaxDelay   Duration // bound of a pause that adapts
	RetryAfter Duration // bound of what a host may ask for
	Backoff    Duration // after a failure; doubled
	MaxBackoff Duration
	DownAfter  int      // failures in a row
	Patience   Duration // with a host that is down
}

func (c Config) checkPoliteness(v *findings, span func(key string, d Duration, low, high time.Duration)) {
	p := &c.Politeness
	if !(p.Factor >= 0 && p.Factor <= 100) {
		v.add("politeness.factor", p.Factor, "use 0 to 100")
	}
	span("politeness.max_delay", p.MaxDelay, 0, 24*time.Hour)
	span("politeness.retry_after", p.RetryAfter, 0, 24*time.Hour)
	span("politeness.backoff", p.Backoff, 0, 24*time.Hour)
	span("politeness.max_backoff", p.MaxBackoff, 0, 24*time.Hour)
	if p.Backoff > p.MaxBackoff {
		v.add("politeness.max_backoff", p.MaxBackoff, "it bounds politeness.backoff: use "+p.Backoff.String()+" or more")
	}
	if p.DownAfter < 0 || p.DownAfter > 1000 {
		v.add("politeness.down_after", p.DownAfter, "use 1 to 1000, or 0 so that no host ever counts as down")
	}
	span("politeness.patience", p.Patience, 0, 24*time.Hour)
	if c.From != "" && !mailForm(c.From) {
		v.add("from", c.From, "write an e-mail address alone, for example archive@example.org, or leave it empty")
	}
}

// mailForm says whether an address can stand in a From header field (RFC 9110 §10.1.2) as it is.
func mailForm(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s && ascii(s) && !hasControl(s) && len(s) <= 254 && !strings.ContainsAny(s, " \"")
}
