package replay_test

import (
	"net/http"
	"strings"
	"testing"
)

// TestDamage: a record whose payload is not that of its digest is answered by an equal copy, or with a fault; never with what
// stands there. The log tells.
func TestDamage(t *testing.T) {
	a := newArchive(t)
	const body, bad = "<p>the whole page", "<p>the w**le page"
	a.capture(capture{url: "http://a.test/x", response: message(200, "text/html", bad), payload: body})
	packed := zipped(body)
	a.capture(capture{url: "http://a.test/gz", response: message(200, "text/html", packed[:12]+"***"+packed[15:], "Content-Encoding: gzip"), payload: packed})
	for _, path := range []string{"x", "gz"} {
		for _, mod := range []string{"", "id_", "im_"} {
			a.log.Reset()
			got := a.get("/web/20200517102030" + mod + "/http://a.test/" + path)
			if got.StatusCode != http.StatusInternalServerError || strings.Contains(got.body, "le page") {
				t.Errorf("%s%s, with no equal copy: %d %q", path, mod, got.StatusCode, got.body)
			}
			if log := a.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "http://a.test/"+path) {
				t.Errorf("the log says %q", log)
			}
		}
	}
	a.capture(capture{url: "http://a.test/x", at: day.AddDate(1, 0, 0), response: message(200, "text/html", body), anew: true})
	a.capture(capture{url: "http://a.test/gz", at: day.AddDate(1, 0, 0), response: message(200, "text/html", packed, "Content-Encoding: gzip"), anew: true})
	must(t, a.journal.FlushAll(t.Context()))
	for _, path := range []string{"x", "gz"} {
		for _, mod := range []string{"", "id_"} {
			a.log.Reset()
			got := a.get("/web/20200517102030" + mod + "/http://a.test/" + path)
			if got.StatusCode != http.StatusOK || !strings.Contains(got.body, "the whole page") || got.Header.Get("Memento-Datetime") != day.Format(http.TimeFormat) {
				t.Errorf("%s%s, with an equal copy: %d %q %v", path, mod, got.StatusCode, got.body, got.Header)
			}
			if log := a.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "record=<urn:uuid:") && !strings.Contains(log, `record="<urn:uuid:`) {
				t.Errorf("the log says %q", log)
			}
		}
	}
}
