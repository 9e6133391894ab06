package cite_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"linkstead/archive/cite"
)

var update = flag.Bool("update", false, "write the goldens anew")

// records are such as are met, and such as mean harm.
func records() []cite.Record {
	at := time.Date(2016, 2, 6, 14, 10, 5, 0, time.UTC)
	date := func(s string) cite.Date { d, _ := cite.ParseDate(s); return d }
	sum := []string{"sha256:MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43UOV3HO6DZPIYTEMZUGU3A"}
	const memento = "http://replay.localhost:8081/web/20160206141005/"
	hostile := "50% of {A_B} & C$ #1 ~ x^2 \\end{x} [[a|b]] {{c}} ''d'' <i>e</i> | “f” *g* `h` __TOC__ http://x.test/ }"
	return []cite.Record{
		{
			ID: "3f8k29qrtz", Permanent: "http://replay.localhost:8081/r/3f8k2-9qrtz", URL: "http://paper.test/2016/02/story?id=1&x=50%25", Memento: memento + "http://paper.test/2016/02/story?id=1&x=50%25", Captured: at, Archive: "Library of Test",
			Digests: sum, Name: "urn:uuid:0", PWIDName: "archive.test", Quote: "two schools were bombed", Cited: date("2016-02-06T12:00:00Z"), Live: "gone",
			Meta: cite.Meta{
				Title: cite.Fact{Value: "A hospital, bombed"}, Authors: []cite.Name{{Family: "Doe", Given: "Jane"}, {Particle: "van der", Family: "Berg", Given: "Jan", Suffix: "Jr."}},
				Site: cite.Fact{Value: "The Paper"}, Published: cite.Dated{Date: date("2016-02-05")}, Lang: cite.Fact{Value: "en-GB"}, Type: cite.Fact{Value: "article-newspaper"},
			},
		},
		{
			URL: "http://journal.test/a_b#c{d}", Memento: memento + "http://journal.test/a_b", Captured: at, Digests: sum, PWIDName: "archive.test", Cited: date("2016-02"), Live: "alive",
			Meta: cite.Meta{
				Title: cite.Fact{Value: "Über das Verschwinden – 消失"}, Authors: []cite.Name{{Literal: "Research and Development, Unit 4"}, {Literal: "王小明"}, {Family: "García Márquez", Given: "Gabriel"}},
				Container: cite.Fact{Value: "Journal of Links & Rot"}, Publisher: cite.Fact{Value: "Test Press"}, Published: cite.Dated{Date: date("2016-01")}, Lang: cite.Fact{Value: "de"},
				Type: cite.Fact{Value: "article-journal"}, DOI: cite.Fact{Value: "10.1000/x_(1)"}, Volume: "3", Issue: "4", Pages: "12-15",
			},
		},
		{
			URL: "http://evil.test/", Memento: memento + "http://evil.test/", Captured: at, Digests: sum, Live: "usurped",
			Meta: cite.Meta{
				Title: cite.Fact{Value: hostile}, Authors: []cite.Name{{Family: "O'Neil {x", Given: "A} and B, C"}, {Family: "d'Arc", Given: "Jeanne"}}, Site: cite.Fact{Value: hostile},
				Published: cite.Dated{Date: date("2016")},
			},
		},
		{
			ID: "b01234567w", URL: "http://dead.test/x|y", Captured: at, Name: "urn:uuid:1", Evidence: "http://127.0.0.1:8080/attempts/1", Live: "dns-dead",
			Failure: "the name does not resolve to an address.",
		},
		{URL: "http://dead.test/x|y", Captured: at, Failure: "refused", Dead: true, Repaired: "The post has lost its link, which was found again by alignment, confidence 0.98"},
		{URL: "http://dead.test/robots", Captured: at, Failure: "The site's robots.txt asks not to fetch this address."},
		{URL: "http://dead.test/error", Memento: memento + "http://dead.test/error", Captured: at, Failure: "the server answered 404 Not Found.", NoPage: true, Dead: true},
	}
}

func TestFormatsAsTheyWere(t *testing.T) {
	for _, f := range cite.Formats {
		path := filepath.Join("testdata", f.Name+".golden")
		got := f.Write(records())
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is not as it was; if that is meant, run the test with -update:\n%s", f.Name, got)
		}
	}
}

func TestFormatNames(t *testing.T) {
	for name, want := range map[string]string{"csl": "csl", ".bib": "bibtex", "json": "csl", "MD": "markdown", "txt": "text", "ris": "ris", "wiki": "wikipedia"} {
		if f, err := cite.FormatOf(name); err != nil || f.Name != want {
			t.Errorf("%s: %s, %v", name, f.Name, err)
		}
	}
	if _, err := cite.FormatOf("docx"); err == nil || !strings.Contains(err.Error(), "bibtex") {
		t.Errorf("docx: %v", err)
	}
}

func TestURLStatus(t *testing.T) {
	for live, want := range map[string]string{
		"": "", "unknown": "", "excluded": "", "alive": "live", "redirected": "live", "moved": "live", "blocked": "live", "paywalled": "live", "drifted": "deviated", "usurped": "usurped",
		"gone": "dead", "dns-dead": "dead", "soft-404": "dead", "tls-bad": "dead", "timeout": "dead", "server-error": "dead",
	} {
		if r := (cite.Record{Live: live}); r.URLStatus() != want {
			t.Errorf("%q: %q, want %q", live, r.URLStatus(), want)
		}
	}
}
