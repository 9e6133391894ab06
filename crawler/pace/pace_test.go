package pace_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"linkstead/crawler/pace"
)

var start = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

var limits = pace.Limits{
	Factor: 2, MaxDelay: 30 * time.Second, RetryAfter: 5 * time.Minute, Backoff: time.Second, MaxBackoff: time.Minute, DownAfter: 5,
	Patience: 2 * time.Minute,
}

func TestDelay(t *testing.T) {
	for _, c := range []struct {
		factor          float64
		delay, response time.Duration
		want            time.Duration
	}{
		{2, 500 * time.Millisecond, 0, 500 * time.Millisecond},
		{2, 500 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond},
		{2, 500 * time.Millisecond, time.Second, 2 * time.Second},
		{0.5, 500 * time.Millisecond, 3 * time.Second, 1500 * time.Millisecond},
		{2, 500 * time.Millisecond, 20 * time.Second, 30 * time.Second},
		{2, time.Minute, 20 * time.Second, time.Minute}, // the delay itself is never cut
		{0, 500 * time.Millisecond, time.Second, 500 * time.Millisecond},
		{2, 0, time.Second, 0}, // nobody wants a pause
		{1e300, time.Second, time.Second, 30 * time.Second},
	} {
		l := limits
		l.Factor = c.factor
		if got := l.Delay(c.delay, c.response); got != c.want {
			t.Errorf("factor %g, delay %s, response %s: %s, want %s", c.factor, c.delay, c.response, got, c.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	for n, want := range map[int]time.Duration{0: 0, 1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 7: time.Minute, 1 << 30: time.Minute} {
		if got := pace.Backoff(time.Second, time.Minute, n, 0); got != want {
			t.Errorf("after %d failures: %s, want %s", n, got, want)
		}
		if got := pace.Backoff(time.Second, time.Minute, n, 1); got != want*3/2 {
			t.Errorf("after %d failures with all jitter: %s, want %s", n, got, want*3/2)
		}
	}
	if got := pace.Backoff(0, time.Minute, 5, 1); got != 0 {
		t.Errorf("no back-off is %s", got)
	}
}

func TestRetryAfter(t *testing.T) {
	const most = 5 * time.Minute
	day := start.Format("Mon, 02 Jan 2006 15:04:05 GMT")
	in := func(d time.Duration) string { return start.Add(d).Format("Mon, 02 Jan 2006 15:04:05 GMT") }
	for _, c := range []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", 0},
		{"0", "", 0},
		{"7", "", 7 * time.Second},
		{" 120\t", "", 2 * time.Minute},
		{"300", "", most},
		{"301", "", most},
		{"86400", "", most},
		{strings.Repeat("9", 400), "", most},
		{strings.Repeat("0", 400) + "3", "", 3 * time.Second},
		{"-1", "", 0},
		{"+1", "", 0},
		{"1.5", "", 0},
		{"5s", "", 0},
		{"soon", "", 0},
		{"٣", "", 0},
		{in(30 * time.Second), "", 30 * time.Second},
		{in(-30 * time.Second), "", 0},
		{in(24 * time.Hour), "", most},
		{"Mon, 23 Nov 2026 08:00:90 GMT", "", 0},
		{start.Add(9 * time.Second).Format("Monday, 02-Jan-06 15:04:05 GMT"), "", 9 * time.Second},
		{start.Add(9 * time.Second).Format("Mon Jan _2 15:04:05 2006"), "", 9 * time.Second},
		{in(10 * time.Second), day, 10 * time.Second},
		// By a clock that is an hour fast, it asks for ten seconds.
		{in(time.Hour + 10*time.Second), in(time.Hour), 10 * time.Second},
		{in(10 * time.Second), "yesterday", 10 * time.Second},
	} {
		if got := pace.RetryAfter(c.value, c.date, start, most); got != c.want {
			t.Errorf("%.40q (date %q): %s, want %s", c.value, c.date, got, c.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "7", "99999999999999999999", "Mon, 23 Nov 2026 08:00:00 GMT", "-1", "Mon Nov 23 08:00:00 2026"} {
		f.Add(s, "Mon, 23 Nov 2026 08:00:00 GMT")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		if got := pace.RetryAfter(value, date, start, time.Minute); got < 0 || got > time.Minute {
			t.Errorf("%q, %q: %s", value, date, got)
		}
	})
}

// TestAfter tells histories of hosts, an exchange a word: KIND[:RETRY-AFTER], each a second long and begun as soon as the
// host may be asked.
func TestAfter(t *testing.T) {
	for _, c := range []struct {
		name, history string
		failures      int
		wait          time.Duration // from the end of the last exchange
		reason        pace.Reason
		verdict       pace.Verdict // right after it
	}{
		{"nothing is known", "", 0, 0, "", pace.Ask},
		{"well", "ok ok ok", 0, 0, "", pace.Ask},
		{"a failure", "ok silent", 1, time.Second, pace.ReasonBackoff, pace.Ask},
		{"three", "silent busy silent", 3, 4 * time.Second, pace.ReasonBackoff, pace.Ask},
		{"an answer ends them", "silent silent silent ok", 0, 0, "", pace.Ask},
		{"what tells nothing changes nothing", "silent unknown silent", 2, 2 * time.Second, pace.ReasonBackoff, pace.Ask},
		{"down", "silent silent silent silent silent", 5, 16 * time.Second, pace.ReasonDown, pace.Probe},
		{"pushes back", "busy busy busy busy busy", 5, 16 * time.Second, pace.ReasonBackoff, pace.Probe},
		{"up again", "silent silent silent silent silent ok", 0, 0, "", pace.Ask},
		{"down for long", "silent silent silent silent silent silent silent silent", 8, time.Minute, pace.ReasonDown, pace.GiveUp},
		{"asks for ten seconds", "busy:10", 1, 10 * time.Second, pace.ReasonRetryAfter, pace.Ask},
		{"asks for too much", "busy:86400", 1, 5 * time.Minute, pace.ReasonRetryAfter, pace.Ask},
		{"asks for less than is due", "busy busy busy busy:1", 4, 8 * time.Second, pace.ReasonBackoff, pace.Ask},
		{"a storm", "busy:60 busy:60 busy:60 busy:60 busy:60", 5, time.Minute, pace.ReasonRetryAfter, pace.GiveUp},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s pace.State
			now := start
			for word := range strings.FieldsSeq(c.history) {
				if s.Until.After(now) {
					now = s.Until
				}
				a := answer(t, word)
				a.Began, a.Ended = now, now.Add(time.Second)
				now = a.Ended
				s = limits.After(s, a, 0)
			}
			var wait time.Duration
			if !s.Until.IsZero() {
				wait = s.Until.Sub(now)
			}
			if v := limits.Judge(s, now); s.Failures != c.failures || wait > c.wait || wait < c.wait-time.Second || s.Reason != c.reason || v != c.verdict {
				t.Errorf("%+v: wait %s, verdict %d; want %d failures, wait %s (%s), verdict %d", s, wait, v, c.failures, c.wait, c.reason, c.verdict)
			}
		})
	}
}

func answer(t *testing.T, word string) (a pace.Answer) {
	t.Helper()
	kind, wait, _ := strings.Cut(word, ":")
	var ok bool
	a.Kind, ok = map[string]pace.Kind{"ok": pace.Answered, "busy": pace.Busy, "silent": pace.Silent, "unknown": pace.Unknown}[kind]
	if !ok {
		t.Fatalf("the word %q is unknown", word)
	}
	if wait != "" {
		var n int
		if _, err := fmt.Sscan(wait, &n); err != nil {
			t.Fatal(err)
		}
		a.Wait = time.Duration(n) * time.Second
	}
	return a
}

// TestTogether: exchanges that were under way at the same time fail once, and an answer that was on its way takes nothing
// back of what the host asked for.
func TestTogether(t *testing.T) {
	var s pace.State
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	for i := range 8 {
		s = limits.After(s, pace.Answer{Kind: pace.Silent, Began: at(i), Ended: at(1000 + i)}, 0)
	}
	if s.Failures != 1 || limits.Judge(s, at(2000)) != pace.Ask {
		t.Errorf("eight requests that failed together: %+v", s)
	}
	s = limits.After(s, pace.Answer{Kind: pace.Silent, Began: at(3000), Ended: at(4000)}, 0)
	if s.Failures != 2 {
		t.Errorf("a later one: %+v", s)
	}
	s = limits.After(pace.State{}, pace.Answer{Kind: pace.Busy, Began: at(0), Ended: at(100), Wait: time.Minute}, 0)
	asked := s.Until
	s = limits.After(s, pace.Answer{Kind: pace.Answered, Began: at(50), Ended: at(200), Took: time.Second}, 0)
	if !s.Until.Equal(asked) || s.Reason != pace.ReasonRetryAfter || s.Response != time.Second {
		t.Errorf("an answer that was on its way: %+v", s)
	}
	s = limits.After(s, pace.Answer{Kind: pace.Silent, Began: at(60), Ended: at(300)}, 0)
	if !s.Until.Equal(asked) || s.Reason != pace.ReasonRetryAfter {
		t.Errorf("a failure that was on its way: %+v", s)
	}
	s = limits.After(s, pace.Answer{Kind: pace.Answered, Began: asked, Ended: asked.Add(1)}, 0)
	if !s.Until.IsZero() || s.Failures != 0 {
		t.Errorf("well again: %+v", s)
	}
}

// TestPatience: a host that is down is tried ever less often while the patience lasts; then its tasks end unasked but for
// one at each time for a try; and in the end it is forgotten.
func TestPatience(t *testing.T) {
	var s pace.State
	now, tries := start, 0
	for limits.Judge(s, now) != pace.GiveUp {
		if s.Until.After(now) {
			now = s.Until
		}
		s = limits.After(s, pace.Answer{Kind: pace.Silent, Began: now, Ended: now}, 1)
		if tries++; tries > 20 {
			t.Fatal("it is never given up")
		}
	}
	if took := now.Sub(start); took < limits.Patience || took > 2*limits.Patience || tries < 6 {
		t.Errorf("given up after %s and %d tries", took, tries)
	}
	if v := limits.Judge(s, s.Until.Add(-1)); v != pace.GiveUp {
		t.Errorf("before the next try: %d", v)
	}
	if v := limits.Judge(s, s.Until); v != pace.Probe {
		t.Errorf("at the next try: %d", v)
	}
	if !s.Alone(true).IsZero() || s.Alone(false).IsZero() {
		t.Error("what has to be asked waits for a host that says nothing")
	}
	if got := limits.Remembered(s, s.Until.Add(limits.Patience-1)); got.Failures != s.Failures {
		t.Errorf("it is forgotten too early: %+v", got)
	}
	if got := limits.Remembered(s, s.Until.Add(limits.Patience)); got.Failures != 0 || limits.Judge(got, now) != pace.Ask {
		t.Errorf("it is not forgotten: %+v", got)
	}
	if v := (pace.Limits{}).Judge(s, now); v != pace.Ask {
		t.Errorf("without limits: %d", v)
	}
}

func TestSmoothing(t *testing.T) {
	var s pace.State
	for range 20 {
		s = limits.After(s, pace.Answer{Kind: pace.Answered, Took: 100 * time.Millisecond}, 0)
	}
	if s.Response != 100*time.Millisecond {
		t.Errorf("of equal ones: %s", s.Response)
	}
	s = limits.After(s, pace.Answer{Kind: pace.Busy, Took: 500 * time.Millisecond}, 0)
	if s.Response != 200*time.Millisecond {
		t.Errorf("after a slow one: %s", s.Response)
	}
	if got := limits.After(s, pace.Answer{Kind: pace.Silent, Took: time.Hour}, 0).Response; got != s.Response {
		t.Errorf("what gave no answer counts: %s", got)
	}
}
