package link_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"linkstead/archive/link"
)

// Simulated years: links of a made-up world live and die by scripts drawn at random, and are looked at when NextCheck says,
// through a network of ours that fails now and then. The oracle knows the world and not the rules: what each verdict claims of
// the world is held against what was so, and each lasting death must have been told within a time.

// truth is what a link's address does, as the world has it.
type truth string

const (
	lives    truth = "lives"
	hops     truth = "hops"     // redirects for the time being, or within the site
	moves    truth = "moves"    // redirects for good to another site
	notFound truth = "404"      //
	removed  truth = "410"      //
	noName   truth = "nxdomain" //
	noDNS    truth = "servfail" // the name servers fail
	silent   truth = "silent"   // nobody answers, in one of several ways
	broken   truth = "5xx"      //
	badTLS   truth = "tls"      //
	soft     truth = "soft"     // 200 for whatever is asked
	rootward truth = "root"     // everything leads to the front page
	parked   truth = "parked"   //
	rewrite  truth = "rewrite"  // other words under the same address
	walled   truth = "walled"   // behind 403, 429, bot walls
	paid     truth = "paid"     // 401, 402, login
	forbade  truth = "robots"   //
)

// span is a time in which a truth holds.
type span struct {
	from, to time.Time
	is       truth
}

// life is a link's script.
type life struct {
	host    string
	url     string
	spans   []span
	nightly time.Duration // when on each day the server is mended …
	mending time.Duration // … and for how long; 0: never
}

const hour, day = time.Hour, 24 * time.Hour

var begin = time.Date(2021, 3, 1, 0, 0, 0, 0, time.UTC)

const years = 5

// blips are what may happen to a page that lives, and for how long at most it may last without anybody calling it dead: the
// oracle's own idea of what is short, thinking of sites that move house, not of strikes.
var blips = []struct {
	is   truth
	most time.Duration
}{
	{notFound, 5 * day}, {removed, 2 * day}, {noName, 60 * hour}, {noDNS, 12 * day}, {silent, 12 * day}, {broken, 12 * day},
	{badTLS, 13 * day}, {soft, 60 * hour}, {rootward, 60 * hour}, {rewrite, 60 * hour}, {walled, 40 * day}, {paid, 40 * day}, {forbade, 60 * day},
}

// deaths are the lasting ends, what they are to be called, and within which time of being asked in vain.
var deaths = []struct {
	is     truth
	called link.Verdict
	within time.Duration
}{
	{notFound, link.Gone, 40 * day}, {removed, link.Gone, 37 * day}, {noName, link.DNSDead, 37 * day}, {noDNS, link.DNSDead, 50 * day},
	{silent, link.Timeout, 50 * day}, {broken, link.ServerError, 50 * day}, {badTLS, link.TLSBad, 50 * day},
	{soft, link.Soft404, 37 * day}, {rootward, link.Soft404, 37 * day}, {parked, link.Usurped, 37 * day},
	{rewrite, link.Drifted, 37 * day}, {moves, link.Moved, 100 * day},
}

func lifeOf(rng *rand.Rand, n int) life {
	l := life{host: fmt.Sprintf("http://site%d.example", n/3)}
	l.url = fmt.Sprintf("%s/2016/02/story-%d.html", l.host, n)
	if rng.IntN(4) == 0 {
		l.nightly, l.mending = time.Duration(rng.Int64N(int64(day))), time.Duration(1+rng.Int64N(int64(4*hour)))
	}
	at, end := begin, begin.AddDate(years, 0, 0)
	add := func(is truth, d time.Duration) {
		to := at.Add(d)
		if to.After(end) {
			to = end
		}
		l.spans = append(l.spans, span{at, to, is})
		at = to
	}
	flaps := rng.IntN(10) == 0
	resting := lives
	for at.Before(end) {
		calm := time.Duration(6+rng.IntN(400)) * day
		if flaps {
			calm = time.Duration(6+rng.IntN(20)) * day
		}
		add(resting, calm)
		switch rng.IntN(6) {
		case 0: // dies for good, or for long
			d := deaths[rng.IntN(len(deaths))]
			add(d.is, time.Duration(120+rng.IntN(1200))*day)
			resting = lives // some come back
		case 1:
			resting = hops
		default:
			b := blips[rng.IntN(len(blips))]
			add(b.is, time.Duration(1+rng.Int64N(int64(b.most))))
		}
	}
	return l
}

func (l *life) at(t time.Time) span {
	for _, s := range l.spans {
		if t.Before(s.to) {
			return s
		}
	}
	return l.spans[len(l.spans)-1]
}

// mended says whether the server is down for the night.
func (l *life) mended(t time.Time) bool {
	if l.mending == 0 {
		return false
	}
	return (t.Sub(t.Truncate(day))-l.nightly+day)%day < l.mending
}

var (
	ours   = link.Text{Words: 900, Simhash: 0x00ff00ff00ff00ff, Title: "Story"}
	theirs = link.Text{Words: 120, Simhash: 0xff00ff00ff00ff00, Title: "Other"}
)

// look is what a prober would find at t. down says that our own network fails; known, that a round of canaries tells so.
func (l *life) look(t time.Time, rng *rand.Rand, n int, down bool) link.Evidence {
	e := link.Evidence{URL: l.url, At: t, Kind: link.Probe, Ref: fmt.Sprintf("s/%08d", n), Round: "r"}
	if down {
		e.Void = true
		e.Outcome = []string{"timeout", "dns", "unreachable", "refused"}[rng.IntN(4)]
		if e.Outcome == "dns" {
			e.DNS = "not-found"
		}
		return e
	}
	is := l.at(t).is
	if l.mended(t) {
		is = []truth{broken, silent}[rng.IntN(2)]
	}
	page := func(s link.Text, same float64) {
		e.Outcome, e.Status = "captured", 200
		text := s
		e.Text = &text
		e.Copy = &link.Comparison{Ref: "c/1", At: begin, Text: ours, Similarity: same, Had: link.Yes, Quoted: link.Yes}
		if same < 0.5 {
			e.Copy.Quoted = link.No
		}
	}
	redirect := func(to string, status int) {
		e.Hops, e.Final = []link.Hop{{URL: l.url, Status: status, Target: to}}, to
	}
	random := link.Sibling{URL: l.host + "/2016/02/abcdefghijklmnopqrstuvwxy", Random: true, Outcome: "captured", Status: 404, Similarity: 0.1}
	switch is {
	case lives:
		if rng.IntN(3) == 0 {
			e.Outcome, e.Status = "captured", 304
			break
		}
		page(ours, 0.9+rng.Float64()/10)
	case hops:
		page(ours, 0.97)
		redirect(l.url+"?x=1", 302)
	case moves:
		page(ours, 0.97)
		redirect("https://elsewhere.example/story", 301)
	case notFound:
		e.Outcome, e.Status = "captured", 404
	case removed:
		e.Outcome, e.Status = "captured", 410
	case noName:
		e.Outcome, e.DNS = "dns", "not-found"
	case noDNS:
		e.Outcome, e.DNS, e.Phase = "dns", "server-failure", "dns"
	case silent:
		e.Outcome, e.Phase = []string{"timeout", "refused", "reset", "unreachable"}[rng.IntN(4)], "connect"
	case broken:
		e.Outcome, e.Status = "captured", []int{500, 502, 503, 504}[rng.IntN(4)]
	case badTLS:
		e.Outcome, e.TLS = "tls", "expired"
	case soft:
		page(theirs, 0.05)
		random.Status, random.Similarity = 200, 0.99
		e.Siblings = []link.Sibling{random}
	case rootward:
		page(theirs, 0.05)
		redirect(l.host+"/", 302)
		e.Siblings = []link.Sibling{random}
	case parked:
		page(theirs, 0.02)
		e.Host = &link.Host{NameServers: []string{"ns1.bodis.com"}, Parking: []string{"ns-parking"}}
	case rewrite:
		page(theirs, 0.1)
		e.Siblings = []link.Sibling{random}
	case walled:
		e.Outcome, e.Status = "captured", []int{403, 429, 503}[rng.IntN(3)]
		if e.Status == 503 {
			e.Flags = []string{"bot-wall"}
		}
		if e.Status == 429 {
			e.RetryAfter = hour
		}
	case paid:
		e.Outcome, e.Status = "captured", []int{401, 402, 200}[rng.IntN(3)]
		if e.Status == 200 {
			e.Flags = []string{"login"}
		}
	case forbade:
		e.Outcome = "robots"
	}
	return e
}

// calls says what a truth is to be called, if it lasts.
func calls(is truth) link.Verdict {
	for _, d := range deaths {
		if d.is == is {
			return d.called
		}
	}
	return link.Alive
}

// witness is what the looks at a link could have known, as the world had it: kept by the oracle.
type witness struct {
	lived time.Time // the last look that met it living
	from  time.Time // the span in which the last look fell …
	first time.Time // … and the first look in it
}

// oracle judges the verdict at the time of a look.
func (l *life) oracle(t *testing.T, at time.Time, s link.State, w *witness) {
	t.Helper()
	now := l.at(at)
	v := s.Verdict
	if !w.from.Equal(now.from) {
		w.from, w.first = now.from, at
	}
	if now.is == lives || now.is == hops || now.is == moves {
		w.lived = at
	}
	if (v == link.Alive || v == link.Redirected) && calls(now.is) != link.Alive && now.is != moves && at.Sub(w.first) > 40*day {
		t.Errorf("%s is %q on %s, though it is %s since %s, and was looked at on %s: %+v", l.url, v, at, now.is, now.from, w.first, s)
	}
	if !v.Dead() && v != link.Drifted && v != link.Moved {
		return
	}
	if v != link.Moved && s.Since.Before(w.lived) {
		t.Errorf("%s is called %s on %s, since %s, and lived on %s", l.url, v, at, s.Since, w.lived)
	}
	switch {
	case calls(now.is) == v:
	case v.Dead() && calls(now.is).Dead() && l.mending > 0:
		return // dead in one way by day and in another by night
	case calls(now.is) != link.Alive && s.Suspect == calls(now.is) && at.Sub(w.first) < 60*day:
		return // no look met it living between this and what it was before, and it is in doubt
	default:
		t.Errorf("%s is called %s on %s, and the world says %s since %s: %v %+v", l.url, v, at, now.is, now.from, l.around(at), s)
		return
	}
	if s.Since.Before(now.from) {
		return // it was dead before, and no look met it living between
	}
	for _, b := range blips {
		if b.is == now.is && now.to.Sub(now.from) <= b.most {
			t.Errorf("%s is called %s on %s, and was so only from %s to %s: %+v", l.url, v, at, now.from, now.to, s)
		}
	}
}

func (l *life) around(at time.Time) (out []span) {
	for _, s := range l.spans {
		if s.to.Add(60*day).After(at) && s.from.Before(at.Add(day)) {
			out = append(out, s)
		}
	}
	return out
}

// seeds are those of the worlds: always the same, unless LINKSTEAD_SEED names one.
func seeds(t *testing.T) []uint64 {
	s := os.Getenv("LINKSTEAD_SEED")
	if s == "" {
		return []uint64{20160206, 20261123}
	}
	seed, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return []uint64{seed}
}

// outages are the times in which our own network fails: hours, and now and then a week.
func outages(rng *rand.Rand) (out []span) {
	for at := begin; at.Before(begin.AddDate(years, 0, 0)); {
		at = at.Add(time.Duration(rng.Int64N(int64(60 * day))))
		d := time.Duration(rng.Int64N(int64(12 * hour)))
		if rng.IntN(10) == 0 {
			d = time.Duration(rng.Int64N(int64(9 * day)))
		}
		out = append(out, span{from: at, to: at.Add(d)})
		at = at.Add(d)
	}
	return out
}

func in(spans []span, t time.Time) bool {
	for _, s := range spans {
		if !t.Before(s.from) && t.Before(s.to) {
			return true
		}
	}
	return false
}

// lost is how much of a time our network was away.
func lost(spans []span, from, to time.Time) (d time.Duration) {
	for _, s := range spans {
		a, b := s.from, s.to
		if a.Before(from) {
			a = from
		}
		if b.After(to) {
			b = to
		}
		if b.After(a) {
			d += b.Sub(a) + 2*day // and until the next look
		}
	}
	return d
}

func TestSimulatedYears(t *testing.T) {
	for _, seed := range seeds(t) {
		t.Run(fmt.Sprintf("LINKSTEAD_SEED=%d", seed), func(t *testing.T) { simulate(t, seed, 2000) })
	}
}

func simulate(t *testing.T, seed uint64, links int) {
	rules := link.Defaults()
	away := outages(rand.New(rand.NewPCG(seed, 1)))
	found := map[truth]int{}
	looks, late := 0, 0
	for n := range links {
		rng := rand.New(rand.NewPCG(seed, uint64(n)+2))
		l := lifeOf(rng, n)
		last := map[int]link.State{}
		told := map[int]time.Time{} // when the death of a span was told
		var w witness
		var s link.State
		s.URL = l.url
		end := begin.AddDate(years, 0, 0)
		for at := begin; at.Before(end) && !t.Failed(); looks++ {
			down := in(away, at)
			s, _ = s.Add(l.look(at, rng, looks, down), rules)
			if !down && !l.mended(at) {
				l.oracle(t, at, s, &w)
			}
			for i, p := range l.spans {
				if at.Before(p.from) || !at.Before(p.to) {
					continue
				}
				last[i] = s
				if _, ok := told[i]; !ok && (s.Verdict == calls(p.is) || s.Verdict.Dead() && calls(p.is).Dead()) {
					told[i] = at
				}
			}
			next := link.NextCheck(s, at, rules)
			if next.Before(at.Add(hour)) {
				t.Fatalf("%s is to be looked at again after %s: %+v", l.url, next.Sub(at), s)
			}
			at = next.Add(time.Duration(rng.Int64N(int64(2 * hour)))) // workers are busy
		}
		for i, p := range l.spans {
			for _, d := range deaths {
				if i == 0 || d.is != p.is || d.is == rewrite && l.mending > 0 {
					continue
				}
				flap := time.Duration(1)
				if i > 4 { // it may have come back so often that it is believed less
					flap = 2
				}
				within := flap*d.within + lost(away, p.from, p.to)
				if l.mending > 0 {
					within += 14 * day // some looks meet it at night, when it fails otherwise
				}
				if before := last[i-1].Verdict; i > 1 && (before == "" || before.Dead() || last[i-2].Verdict.Dead()) {
					within += 95 * day // nobody knew that it had come back
				}
				if p.to.Sub(p.from) < within {
					continue
				}
				at, ok := told[i]
				if !ok || at.Sub(p.from) > within {
					late++
					t.Errorf("%s: %s from %s to %s was told on %s, after %s; %s is the bound\n%+v", l.url, p.is, p.from, p.to, at, at.Sub(p.from), within, last[i])
				}
				found[p.is]++
			}
		}
		if t.Failed() {
			t.Fatalf("link %d of seed %d", n, seed)
		}
	}
	t.Logf("%d links, %d looks; deaths told in time: %v, late: %d", links, looks, found, late)
	for _, d := range deaths {
		if found[d.is] == 0 {
			t.Errorf("no link died of %q: nothing is shown", d.is)
		}
	}
}
