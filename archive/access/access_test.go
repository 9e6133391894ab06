package access_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"linkstead/archive/access"
	"linkstead/archive/urlkey"
)

func keyOf(url string) (string, error) {
	u, err := urlkey.Parse("", url)
	return urlkey.Key(u), err
}

var (
	now  = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	year = func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
)

func set(t testing.TB, rules ...access.Rule) *access.Set {
	t.Helper()
	for i := range rules {
		r := &rules[i]
		if r.ID == "" {
			r.ID = fmt.Sprintf("r%d", i)
		}
		r.Collection, r.Reason, r.Since = "c", "why", year(2020).AddDate(0, 0, i)
	}
	s, err := access.Compile(rules, keyOf)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ruling(s *access.Set, url string, at time.Time) access.Verdict {
	k, _ := keyOf(url)
	return s.Of(k).At(at, now)
}

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern  string
		yes, no  []string
		says     string
		wildcard bool
	}{
		{pattern: "*", yes: []string{"http://a.test/", "file:///x", "urn:x:y"}, says: "the whole collection"},
		{pattern: "example.org", yes: []string{"http://example.org/", "https://www.example.org/a?b", "http://example.org:8080/x"},
			no: []string{"http://sub.example.org/", "http://example.org.evil.test/", "http://example.organic/", "http://anexample.org/"}, says: "the host example.org"},
		{pattern: "example.org:8080", yes: []string{"http://example.org:8080/x"}, no: []string{"http://example.org/", "http://example.org:80801/"}, says: "the host example.org:8080"},
		{pattern: "*.example.org", yes: []string{"http://example.org/", "http://a.b.example.org:81/x"}, no: []string{"http://example.com/", "http://notexample.org/"}, says: "the domain example.org with all its hosts"},
		{pattern: "http://*.example.org/*", yes: []string{"http://a.example.org/x"}, no: []string{"http://example.com/"}},
		{pattern: "http://example.org/*", yes: []string{"http://example.org/", "https://example.org/a/b?c"}, no: []string{"http://example.org:81/", "http://a.example.org/"}},
		{pattern: "http://example.org/dir/*", yes: []string{"http://example.org/dir/", "http://example.org/dir", "http://example.org/dir/?q=1", "https://www.example.org/DIR/x/y"},
			no: []string{"http://example.org/direct", "http://example.org/", "http://example.org/di"}, says: "all addresses under http://example.org/dir/"},
		{pattern: "http://example.org/dir*", yes: []string{"http://example.org/dir/", "http://example.org/direct"}, no: []string{"http://example.org/di"}},
		{pattern: "example.org/dir/*", yes: []string{"https://example.org/dir/x"}, no: []string{"http://example.org/d"}},
		{pattern: "http://example.org/page?*", yes: []string{"http://example.org/page?a=1", "http://example.org/page?z"}, no: []string{"http://example.org/page", "http://example.org/page2?a"}},
		{pattern: "https://example.org/page?b=2&a=1", yes: []string{"http://example.org/page?a=1&b=2"}, no: []string{"http://example.org/page", "http://example.org/page?a=1"}, says: "one address, https://example.org/page?b=2&a=1"},
		{pattern: "http://example.org", yes: []string{"http://example.org/"}, no: []string{"http://example.org/x"}},
		{pattern: "http://example.org/caf%C3*", yes: []string{"http://example.org/café"}, no: []string{"http://example.org/caf"}},
		{pattern: "surt:org,example)/dir/", yes: []string{"http://example.org/dir/x", "http://example.org/dir"}, no: []string{"http://example.org/direct"}},
		{pattern: "surt:org,example,", yes: []string{"http://a.example.org/", "http://example.org/"}, no: []string{"http://examples.org/"}},
		{pattern: "127.0.0.1", yes: []string{"http://127.0.0.1/", "http://127.0.0.1:81/a"}, no: []string{"http://127.0.0.10/", "http://127.0.0.2/"}, says: "the host 127.0.0.1"},
		{pattern: "[::1]", yes: []string{"http://[::1]/a", "http://[::1]:80/", "http://[::1]:8080/"}, no: []string{"http://[::2]/"}},
		{pattern: "[::1]:8080", yes: []string{"http://[::1]:8080/"}, no: []string{"http://[::1]/"}},
		{pattern: "file:///home/*", yes: []string{"file:///home/a.md"}, no: []string{"file:///etc/a.md"}},
		{pattern: "http://EXAMPLE.org/A/../B", yes: []string{"http://example.org/b"}, no: []string{"http://example.org/a"}},
	} {
		s := set(t, access.Rule{Pattern: c.pattern, Effect: access.Private})
		for _, u := range c.yes {
			if ruling(s, u, now).Shown() {
				t.Errorf("%s is not about %s", c.pattern, u)
			}
		}
		for _, u := range c.no {
			if !ruling(s, u, now).Shown() {
				t.Errorf("%s is about %s", c.pattern, u)
			}
		}
		if p, err := access.ParsePattern(c.pattern, keyOf); err != nil || c.says != "" && p.Says() != c.says || p.String() != c.pattern {
			t.Errorf("%s: says %q, %v", c.pattern, p.Says(), err)
		}
	}
}

func TestBadPattern(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                           "name an address",
		"a b":                        "name an address",
		"http://exam*":               "begins with a whole host",
		"http://example.org/p?a=*":   "can't end within a query",
		"http://example.org/a%2*":    "percent-escape",
		"http://example.org/.*":      "dot segment",
		"http://example.org/a*b*":    "one star",
		"a.*.example.org":            "a star stands",
		"*.":                         "a star stands",
		"surt:":                      "SURT prefix is empty",
		"surt:,":                     "names no host",
		"http://example.org/a#b":     "fragment",
		"http://[::1":                "pattern",
		"user@example.org":           "a star stands",
		strings.Repeat("a", 5000):    "4096 bytes at most",
		"http://*.example.org/dir/*": "one star",
	} {
		_, err := access.ParsePattern(pattern, keyOf)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", pattern, err, want)
		}
	}
}

func TestMostSpecific(t *testing.T) {
	s := set(t,
		access.Rule{ID: "all", Pattern: "*", Effect: access.Private, Hidden: true},
		access.Rule{ID: "dom", Pattern: "*.example.org", Effect: access.Public},
		access.Rule{ID: "sub", Pattern: "*.deep.example.org", Effect: access.Private},
		access.Rule{ID: "host", Pattern: "example.org", Effect: access.Private},
		access.Rule{ID: "dir", Pattern: "http://example.org/dir/*", Effect: access.Public},
		access.Rule{ID: "dir2", Pattern: "http://example.org/dir/in/*", Effect: access.Embargo, Until: year(2030)},
		access.Rule{ID: "old", Pattern: "http://example.org/dir/old/*", Effect: access.Embargo, Until: year(2025)},
		access.Rule{ID: "one", Pattern: "http://example.org/dir/in/one", Effect: access.Public},
		access.Rule{ID: "law", Pattern: "http://example.org/dir/*", Effect: access.Withheld, From: year(2016), Before: year(2017)},
		access.Rule{ID: "y18", Pattern: "http://example.org/dir/in/one", Effect: access.Private, From: year(2018), Before: year(2019)},
	)
	for _, c := range []struct {
		url    string
		at     time.Time
		rule   string
		status int
	}{
		{"http://other.test/", year(2020), "all", 404},
		{"http://a.example.org/", year(2020), "dom", 200},
		{"http://a.deep.example.org/", year(2020), "sub", 403},
		{"http://example.org/", year(2020), "host", 403},
		{"http://example.org/dir", year(2020), "dir", 200},
		{"http://example.org/dir/x", year(2020), "dir", 200},
		{"http://example.org/dir/x", year(2016), "law", 451},
		{"http://example.org/dir/x", year(2017), "dir", 200},
		{"http://example.org/dir/in/x", year(2020), "dir2", 403},
		{"http://example.org/dir/old/x", year(2020), "dir", 200}, // that embargo has ended
		{"http://example.org/dir/in/one", year(2020), "one", 200},
		{"http://example.org/dir/in/one", year(2016), "law", 451}, // though a rule of its own opens it
		{"http://example.org/dir/in/one", year(2018), "y18", 403},
	} {
		v := ruling(s, c.url, c.at)
		if v.Rule == nil || v.Rule.ID != c.rule || v.Status() != c.status {
			t.Errorf("%s of %s: %d by %+v, want %d by %s", c.url, access.Day(c.at), v.Status(), v.Rule, c.status, c.rule)
		}
	}
	if v := ruling(nil, "http://a.test/", now); !v.Shown() || v.Rule != nil {
		t.Errorf("without rules: %+v", v)
	}
}

func TestEmbargo(t *testing.T) {
	s := set(t, access.Rule{Pattern: "*", Effect: access.Embargo, After: access.Period{Months: 12}})
	for _, c := range []struct {
		at     time.Time
		status int
	}{
		{now.AddDate(-1, 0, 0), 200},
		{now.AddDate(-1, 0, 0).Add(time.Microsecond), 403},
		{now, 403},
		{year(1999), 200},
	} {
		if v := ruling(s, "http://a.test/", c.at); v.Status() != c.status {
			t.Errorf("captured %s: %d", c.at, v.Status())
		}
	}
	if v := ruling(s, "http://a.test/", year(2026)); !v.Until.Equal(year(2027)) {
		t.Errorf("it ends %s", v.Until)
	}
	k, _ := keyOf("http://a.test/")
	if got, want := s.Of(k).Spans(now), []access.Span{{Before: now.AddDate(-1, 0, 0).Add(time.Microsecond)}}; !reflect.DeepEqual(got, want) {
		t.Errorf("spans %v, want %v", got, want)
	}
	if _, ok := s.Of(k).Whole(now); ok {
		t.Error("it depends on the capture")
	}
}

// TestSpans holds the spans to what each moment's verdict is.
func TestSpans(t *testing.T) {
	s := set(t,
		access.Rule{Pattern: "*", Effect: access.Private},
		access.Rule{Pattern: "a.test", Effect: access.Public, From: year(2016), Before: year(2018)},
		access.Rule{Pattern: "http://a.test/x", Effect: access.Withheld, From: year(2017), Before: year(2017).AddDate(0, 6, 0)},
		access.Rule{Pattern: "http://a.test/x", Effect: access.Public, From: year(2020)},
		access.Rule{Pattern: "http://a.test/x", Effect: access.Embargo, After: access.Period{Months: 1, Days: 3}, From: year(2021)},
	)
	k, _ := keyOf("http://a.test/x")
	v := s.Of(k)
	spans := v.Spans(now)
	if len(spans) != 3 {
		t.Errorf("%d spans: %v", len(spans), spans)
	}
	for at := year(2015); at.Before(year(2027)); at = at.Add(7 * time.Hour) {
		in := false
		for _, sp := range spans {
			in = in || (sp.From.IsZero() || !at.Before(sp.From)) && (sp.Before.IsZero() || at.Before(sp.Before))
		}
		if in != v.At(at, now).Shown() {
			t.Fatalf("%s: in a span %v, shown %v", at, in, !in)
		}
	}
	if got := (access.View{}).Spans(now); !reflect.DeepEqual(got, []access.Span{{}}) {
		t.Errorf("without rules: %v", got)
	}
	other, _ := keyOf("http://b.test/")
	if got := s.Of(other).Spans(now); len(got) != 0 {
		t.Errorf("private: %v", got)
	}
	if w, ok := s.Of(other).Whole(now); !ok || w.Status() != 403 {
		t.Errorf("private: %v %v", w, ok)
	}
}

func TestCollections(t *testing.T) {
	hidden := access.Rule{Pattern: "*", Effect: access.Private, Hidden: true}
	for _, c := range []struct {
		name         string
		s            *access.Set
		listed, gone bool
	}{
		{"no rules", nil, true, false},
		{"one page", set(t, access.Rule{Pattern: "http://a.test/", Effect: access.Private}), true, false},
		{"private", set(t, access.Rule{Pattern: "*", Effect: access.Private}), false, false},
		{"hidden", set(t, hidden), false, true},
		{"hidden, a part open", set(t, hidden, access.Rule{Pattern: "a.test", Effect: access.Public}), false, false},
		{"hidden, a part withheld", set(t, hidden, access.Rule{Pattern: "a.test", Effect: access.Withheld}), false, false},
		{"hidden for a time", set(t, access.Rule{Pattern: "*", Effect: access.Private, Hidden: true, Before: year(2020)}), true, false},
		{"embargo over", set(t, access.Rule{Pattern: "*", Effect: access.Embargo, Until: year(2020)}), true, false},
	} {
		if l, g := c.s.Listed(now), c.s.Gone(now); l != c.listed || g != c.gone {
			t.Errorf("%s: listed %v, gone %v", c.name, l, g)
		}
	}
}

func TestCheck(t *testing.T) {
	good := access.Rule{Pattern: "*", Effect: access.Private, Reason: "r"}
	for want, change := range map[string]func(*access.Rule){
		"":                    func(*access.Rule) {},
		"is unknown":          func(r *access.Rule) { r.Effect = "x" },
		"needs a reason":      func(r *access.Rule) { r.Reason = " " },
		"give one of the two": func(r *access.Rule) { r.Effect = access.Embargo },
		"ends by itself":      func(r *access.Rule) { r.Until = now },
		"can be hidden":       func(r *access.Rule) { r.Effect, r.Hidden = access.Public, true },
		"no capture is of":    func(r *access.Rule) { r.From, r.Before = year(2020), year(2019) },
		"is no URI":           func(r *access.Rule) { r.BlockedBy = "https://a.test/> ; x" },
		"bytes at most":       func(r *access.Rule) { r.Reason = strings.Repeat("x", 3000) },
	} {
		r := good
		change(&r)
		if err := r.Check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	both := access.Rule{Effect: access.Embargo, Reason: "r", Until: now, After: access.Period{Days: 1}}
	if both.Check() == nil {
		t.Error("an embargo that ends twice")
	}
}

func TestPeriod(t *testing.T) {
	for in, want := range map[string]string{"1y": "1y", "18mo": "1y6mo", "2w": "14d", "90 days": "90d", "1 year 6 months": "1y6mo", "1Y6MO3D": "1y6mo3d"} {
		p, err := access.ParsePeriod(in)
		if err != nil || p.String() != want {
			t.Errorf("%s: %s, %v", in, p, err)
		}
		b, err := json.Marshal(access.Rule{After: p})
		var back access.Rule
		if err != nil || json.Unmarshal(b, &back) != nil || back.After != p {
			t.Errorf("%s by way of %s, %v: %v", in, b, err, back.After)
		}
	}
	for _, in := range []string{"", "y", "1", "1m", "-1y", "0d", "2000y", "99999999999999999999y", "1y 2"} {
		if p, err := access.ParsePeriod(in); err == nil {
			t.Errorf("%q: %v", in, p)
		}
	}
	month := access.Period{Months: 1}
	for from, to := range map[string]string{"2026-01-31": "2026-02-28", "2026-02-28": "2026-03-28", "2024-01-30": "2024-02-29", "2026-12-31": "2027-01-31"} {
		at, _ := time.Parse(time.DateOnly, from)
		if got := month.From(at.Add(5 * time.Hour)); got.Format(time.DateTime) != to+" 05:00:00" {
			t.Errorf("a month from %s: %s", from, got)
		}
	}
}

// FuzzPattern: what is read never panics, and what is about an address by its own text is about it.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"*", "*.example.org", "example.org:81", "http://example.org/a/*", "http://h/p?*", "surt:org,example)/", "[::1]", "file:///a*", "http://h/%C3*"} {
		f.Add(s, "http://example.org/a/b?c")
	}
	f.Fuzz(func(t *testing.T, pattern, url string) {
		s, err := access.Compile([]access.Rule{{Pattern: pattern, Effect: access.Private, Reason: "r"}}, keyOf)
		if err != nil {
			return
		}
		p, err := access.ParsePattern(pattern, keyOf)
		if err != nil || p.String() != pattern || p.Says() == "" {
			t.Fatalf("read twice: %v, %v", p, err)
		}
		k, err := keyOf(url)
		if err != nil {
			return
		}
		v := s.Of(k)
		if v.Open() != v.At(now, now).Shown() {
			t.Fatalf("%q on %q: open %v", pattern, k, v.Open())
		}
		if !v.Open() && p.Key() != "" && !strings.HasPrefix(k+"/", p.Key()) {
			t.Fatalf("%q, which is about %q, is about %q", pattern, p.Key(), k)
		}
	})
}

func FuzzPeriod(f *testing.F) {
	f.Add("1y6mo2d", int64(1_700_000_000_000_000))
	f.Fuzz(func(t *testing.T, text string, micros int64) {
		p, err := access.ParsePeriod(text)
		if err != nil {
			return
		}
		if q, err := access.ParsePeriod(p.String()); err != nil || q != p {
			t.Fatalf("%q is %v, and %v, %v", text, p, q, err)
		}
		if micros < -1<<55 || micros > 1<<55 {
			return
		}
		at := time.UnixMicro(micros).UTC()
		if !p.From(at).After(at) || p.From(at.Add(24*time.Hour)).Before(p.From(at)) {
			t.Fatalf("%v from %s is %s", p, at, p.From(at))
		}
	})
}

func BenchmarkOf(b *testing.B) {
	var rules []access.Rule
	for i := range 10_000 {
		rules = append(rules, access.Rule{Pattern: fmt.Sprintf("http://host%d.test/%s/*", i%700, strings.Repeat("d", i%90)), Effect: access.Private, Hidden: i%2 == 0, From: year(1990).AddDate(0, 0, i)})
	}
	s := set(b, rules...)
	key, _ := keyOf("http://other.test/a/page/that/has/no/rule?of=its&own=1")
	b.ReportAllocs()
	for b.Loop() {
		if !s.Of(key).Open() {
			b.Fatal("closed")
		}
	}
}
