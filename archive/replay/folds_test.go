package replay_test

import (
	"strings"
	"testing"
	"time"

	"linkstead/archive/urlkey"
)

// TestExactURLWins: where a key folds spellings, whoever asks for one gets that one, whatever is nearer in time; and one of the
// others only if there is none of it.
func TestExactURLWins(t *testing.T) {
	const session, other = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	for name, spellings := range map[string][]string{
		"case":            {"http://a.test/Page?Q=A", "http://a.test/page?q=a", "http://a.test/PAGE?q=A"},
		"www":             {"http://www.b.test/", "http://b.test/", "http://www3.b.test/"},
		"scheme":          {"http://c.test/", "https://c.test/", "https://www.c.test/"},
		"session":         {"http://d.test/x?PHPSESSID=" + session, "http://d.test/x?PHPSESSID=" + other, "http://d.test/x"},
		"path session":    {"http://e.test/x;jsessionid=" + session, "http://e.test/x;jsessionid=" + other, "http://e.test/x"},
		"slash":           {"http://f.test/x/", "http://f.test/x", "http://f.test//x"},
		"order of fields": {"http://g.test/?a=1&b=2", "http://g.test/?b=2&a=1", "http://g.test/?b=2&&a=1"},
		"escapes":         {"http://h.test/%7Ex", "http://h.test/~x", "http://h.test/%257Ex"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newArchive(t)
			for i, url := range spellings[:2] {
				a.capture(capture{url: url, at: day.Add(time.Duration(i) * time.Hour), response: message(200, "text/plain", "This is "+url)})
			}
			for _, url := range spellings {
				if urlkey.Key(url) != urlkey.Key(spellings[0]) {
					t.Fatalf("%s has another key than %s", url, spellings[0])
				}
			}
			for i, url := range spellings[:2] {
				for j := range 2 { // also at the other's very second
					at := day.Add(time.Duration(j) * time.Hour).Format("20060102150405")
					got := a.follow("/web/" + at + "id_/" + url)
					if got.StatusCode != 200 || got.body != "This is "+url {
						t.Errorf("%s (%d) at %s: %d %q", url, i, at, got.StatusCode, got.body)
					}
				}
			}
			late := day.Add(2 * time.Hour).Format("20060102150405")
			if got := a.follow("/web/" + late + "id_/" + spellings[2]); got.StatusCode != 200 || got.body != "This is "+spellings[1] {
				t.Errorf("one that was never captured: %d %q", got.StatusCode, got.body)
			}
		})
	}
}

// follow gets a target, and where it redirects to.
func (a *testArchive) follow(target string) answer {
	a.t.Helper()
	for range 5 {
		got := a.get(target)
		if got.StatusCode/100 != 3 {
			return got
		}
		target = strings.TrimPrefix(got.Header.Get("Location"), testOrigin)
	}
	a.t.Fatalf("%s: redirects without end", target)
	return answer{}
}
