package repair_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"linkstead/archive/repair"
)

func TestRests(t *testing.T) {
	for said, want := range map[string]string{
		"(–politics.html)":                     "tail –politics.html",
		"(/2016/02/foo.html)":                  "tail /2016/02/foo.html",
		"(://www.paper.test/story)":            "tail www.paper.test/story host",
		"ttps://www.paper.test/story/":         "tail www.paper.test/story/ host",
		"http://www.paper.test/2016/02/us-…":   "heads https://www.paper.test/2016/02/us- http://www.paper.test/2016/02/us- https://paper.test/2016/02/us- http://paper.test/2016/02/us-",
		"Paper.test/2016/02/us–talks-go-on...": "heads https://paper.test/2016/02/us http://paper.test/2016/02/us https://www.paper.test/2016/02/us http://www.paper.test/2016/02/us",
		"(http://)":                            "", "(www.)": "", "http://www.paper.test/…": "", "(.html)": "",
	} {
		got := ""
		for _, r := range repair.Rests([]repair.Scar{{Class: "url-tail", Said: said}, {Class: "colon-object", Said: said}}) {
			got = "tail " + r.Tail
			if r.Host {
				got += " host"
			}
			if len(r.Head) > 0 {
				got = "heads " + strings.Join(r.Head, " ")
			}
		}
		if got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}

// TestFromRest: only the one address with a telling rest and a date in keeping is certain.
func TestFromRest(t *testing.T) {
	for _, c := range []struct {
		said, dated string
		known       []string // with the date of whoever cites it behind a space
		more        bool
		want        string // confidences, in the order of known
	}{
		{"(/2016/02/us-drops-demand.html)", "2016-02-21", []string{"http://a.test/2016/02/us-drops-demand.html"}, false, "0.85"}, // two words: us is short
		{"(/2016/02/06/talks-drop-demand.html)", "2016-02-21", []string{"http://a.test/2016/02/06/talks-drop-demand.html"}, false, "0.96"},
		{"(/talks-drop-demand.html)", "2016-02-21", []string{"http://a.test/talks-drop-demand.html"}, false, "0.90"},
		{"(/talks-drop-demand.html)", "2016-02-21", []string{"http://a.test/talks-drop-demand.html 2016-02-20"}, false, "0.96"},
		{"(/talks-drop-demand.html)", "", []string{"http://a.test/2016/02/talks-drop-demand.html"}, false, "0.90"},
		{"(/talks-drop-demand.html)", "2016-02-21", []string{"http://a.test/2016/02/talks-drop-demand.html", "http://b.test/talks-drop-demand.html"}, false, "0.45 0.45"},
		{"(/talks-drop-demand.html)", "2016-02-21", []string{"http://a.test/2016/02/talks-drop-demand.html", "http://b.test/2018/03/01/talks-drop-demand.html"}, false, "0.96 0.14"},
		{"(/talks-drop-demand.html)", "2016-02-21", []string{"http://a.test/2016/03/01/talks-drop-demand.html"}, false, "0.27"},
		{"(/talks-drop-demand.html)", "2016-02-21", []string{"http://a.test/2012/feb/01/talks-drop-demand.html"}, false, "0.90"},
		{"(–politics.html)", "2016-02-21", []string{"http://a.test/world/2016-02-06/x--politics.html"}, false, "0.75"},
		{"(–politics.html)", "2016-02-21", []string{"http://a.test/2016/02/x--politics.html", "http://a.test/2016/01/y--politics.html"}, false, "0.38 0.38"},
		{"(–politics.html)", "2016-02-21", []string{"http://a.test/2016/02/x--politics.html"}, true, "0.07"},
	} {
		var known []repair.Known
		for _, k := range c.known {
			url, cited, _ := strings.Cut(k, " ")
			known = append(known, repair.Known{URL: url, Cited: cited})
		}
		rests := repair.Rests([]repair.Scar{{Class: "url-tail", Said: c.said, Key: "k", Start: 3, End: 9}})
		if len(rests) != 1 {
			t.Fatalf("%q: %v", c.said, rests)
		}
		by := map[string]string{}
		for _, f := range repair.FromRest(rests[0], c.dated, known, c.more) {
			by[f.URL] = fmt.Sprintf("%.2f", math.Round(f.Confidence*1000)/1000)
			if f.Method != repair.ByTail || f.Key != "k" || f.Start != 3 || f.Explanation == "" {
				t.Errorf("%+v", f)
			}
		}
		var got []string
		for _, k := range known {
			got = append(got, by[k.URL])
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s of %s, %v: %v, want %s", c.said, c.dated, c.known, got, c.want)
		}
	}
}

func FuzzFromRest(f *testing.F) {
	f.Add("(–politics.html)", "2016-02", "http://a.test/2016/2/x--politics.html")
	f.Fuzz(func(t *testing.T, said, dated, url string) {
		for _, r := range repair.Rests([]repair.Scar{{Class: "url-tail", Said: said}}) {
			for _, c := range repair.FromRest(r, dated, []repair.Known{{URL: url, Cited: dated}}, false) {
				if c.Confidence <= 0 || c.Confidence > 1 {
					t.Fatalf("%+v", c)
				}
			}
		}
	})
}
