package configs

import (
	"reflect"
	"strings"
	"testing"
)

func base(t testing.TB) Schedule {
	t.Helper()
	c, err := Load("", func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	return c.NewSchedule()
}

const someSchedules = `# All that a schedule can say.
schedules:
  blog:
    kind: feed
    source: https://blog.example/feed
    every: 6h
    budget: {pages: 10, bytes: 1MiB, time: 30m}
  docs:
    kind: site
    source: https://docs.example/
    cron: "0 3 * * 0"
    tz: Europe/Zurich
    depth: 3
    scope: prefix
    exclude:
      - /old/,
      - \.zip$
    delay: 2s
    robots: record
    allow_private: true
    resolve: [docs.example:443:127.0.0.1]
  list:
    kind: list
    source: urls.txt
    urls: [https://a.example/, "https://b.example/#x"]
    adaptive:
      min: 1h
      max: 30d
  "2026":
    kind: post
    source: "yes"
    at: 2026-12-01T10:00
`

func TestReadSchedules(t *testing.T) {
	got, err := ReadSchedules("s.yaml", []byte(someSchedules), base(t))
	if err != nil || len(got) != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	b, d, l, y := got[0], got[1], got[2], got[3]
	if b.Name != "blog" || b.Line != 3 || b.Kind != "feed" || b.Every != "6h" || b.BudgetPages != 10 || b.BudgetBytes != 1<<20 ||
		b.BudgetTime.String() != "30m" || b.Collection != "default" || b.Delay.String() != "500ms" {
		t.Errorf("%+v", b)
	}
	if d.Cron != "0 3 * * 0" || d.TZ != "Europe/Zurich" || d.Depth != 3 || !reflect.DeepEqual(d.Exclude, []string{"/old/,", `\.zip$`}) ||
		d.Delay.String() != "2s" || d.Robots != "record" || !d.AllowPrivate || len(d.Resolve) != 1 {
		t.Errorf("%+v", d)
	}
	if l.AdaptiveMin != "1h" || l.AdaptiveMax != "30d" || len(l.URLs) != 2 {
		t.Errorf("%+v", l)
	}
	if y.Name != "2026" || y.Source != "yes" || y.At != "2026-12-01T10:00" {
		t.Errorf("%+v", y)
	}
	written, err := WriteSchedules(got, base(t))
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadSchedules("again.yaml", written, base(t))
	if err != nil || len(again) != len(got) {
		t.Fatalf("%v\n%s", err, written)
	}
	for i := range got {
		again[i].Line, again[i].lines = got[i].Line, got[i].lines
		if !reflect.DeepEqual(again[i], got[i]) || len(again[i].Differences(got[i])) != 0 {
			t.Errorf("%+v\nreads again as\n%+v\n%s", got[i], again[i], written)
		}
	}
	if strings.Contains(string(written), "500ms") {
		t.Errorf("what the settings say is written:\n%s", written)
	}
	for key, line := range map[string]int{"adaptive.min": l.Line + 5, "adaptive": l.Line + 4, "retries": l.Line} {
		if got := l.LineOf(key); got != line || line == 0 {
			t.Errorf("%s is said to stand on line %d, not %d", key, got, line)
		}
	}
	other := b
	other.Every, other.BudgetPages = "12h", 0
	if got := other.Differences(b); !reflect.DeepEqual(got, []Difference{{"every", "6h", "12h"}, {"budget.pages", "10", "0"}}) {
		t.Errorf("%+v", got)
	}
}

func TestReadSchedulesRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":     "empty",
		"a: [": "no YAML: line 1: did not find",
		"schedules:\n  a:\n    kind: feed\n   source: x\n    every: 6h\n":                     "no YAML: line 4: did not find",
		"schedules:\n  a:\n    kind: \"feed\n    source: x\n    every: 6h\n":                  "no YAML: line 3: found unexpected",
		"schedules:\n  a:\n    urls: [\n     x,\n     y]\n    kind: feed: x\n    every: 6h\n": "no YAML: line 6: mapping values",
		"schedules:\n---\nx: 1":                              "more than one",
		"blog: {kind: feed}":                                 "s.yaml:1: expected schedules:",
		"schedules: [a]":                                     "s.yaml:1: expected names",
		"schedules:\n  a: 1":                                 "schedule a: s.yaml:2: expected keys",
		"schedules:\n  a:\n    knid: feed":                   "schedule a: s.yaml:3: unknown key knid: did you mean kind?",
		"schedules:\n  a:\n    zzzzzzzzzz: 1":                "docs/schedules.yaml lists the keys",
		"schedules:\n  a:\n    depth: deep":                  "schedule a: s.yaml:3: depth:",
		"schedules:\n  a:\n    budget: {bytes: many}":        "s.yaml:3: budget.bytes:",
		"schedules:\n  a:\n    budget: {page: 1}":            "did you mean",
		"schedules:\n  a:\n    exclude: x,y":                 "exclude is a list",
		"schedules:\n  a: {kind: feed}\n  a: {kind: feed}":   "s.yaml:3: schedule a stands on line 2 already",
		"schedules:\n  a: &x {kind: feed}\n  b: *x":          "aliases are not read",
		"schedules:\n  a: {kind: &x b}\n  *x : {kind: feed}": "s.yaml:3: expected the name of a schedule",
		"schedules:\n  a: {kind: &kind feed, *kind : post}":  "s.yaml:2: expected a key",
		"schedules:\n  \"a\\e[2J\": 1":                       `schedule "a\x1b[2J": s.yaml:2: expected keys`,
		"schedules:\n  a: {\"b\\nc\": 1}":                    `unknown key "b\nc"`,
		"schedules:\n  a:\n    every: 6h\n    every: 7h":     "already",
		"schedules:\n  a:\n    every: [6h]":                  "one plain value",
	} {
		if got, err := ReadSchedules("s.yaml", []byte(text), base(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v, want a word of %q", text, got, err, want)
		}
	}
	if got, err := ReadSchedules("s.yaml", []byte("schedules:\n"), base(t)); err != nil || len(got) != 0 {
		t.Errorf("no schedules: %+v, %v", got, err)
	}
}

func FuzzReadSchedules(f *testing.F) {
	f.Add([]byte(someSchedules))
	b := base(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ReadSchedules("s.yaml", data, b)
		if err != nil {
			return
		}
		written, err := WriteSchedules(got, b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ReadSchedules("again.yaml", written, b)
		if err != nil || len(again) != len(got) {
			t.Fatalf("%q was written as %q: %v", data, written, err)
		}
	})
}
