package replay_test

import (
	"crypto/sha1" //nolint:gosec // other programs name records by it
	"encoding/base32"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sha1Of is a payload's digest as other programs write it.
func sha1Of(body string) string {
	sum := sha1.Sum([]byte(body)) //nolint:gosec // as above
	return "sha1:" + base32.StdEncoding.EncodeToString(sum[:])
}

// twin is a response of another program, one of several of a second.
func twin(url, date, body string) string {
	r := foreign("response", url, date, "WARC-Payload-Digest: "+sha1Of(body)+"\r\n", message(200, "text/plain", body))
	return strings.Replace(r, "<urn:x:", "<urn:"+body+":", 1)
}

// TestTwinsAreOne: of captures of one second, what tells of an address tells of the capture that the address shows.
func TestTwinsAreOne(t *testing.T) {
	const url, date = "http://a.test/x", "2013-05-06T15:30:49Z"
	a := newArchive(t)
	a.takeIn(twin(url, "2012-01-01T00:00:00Z", "before"), twin(url, date, "one"), twin(url, date, "two"), twin(url, date, "three"), twin(url, "2014-01-01T00:00:00Z", "behind"))
	shown := a.get("/web/20130506153049id_/" + url).body
	digest := regexp.MustCompile(`"digest": "(sha1:[^"]*)"`)
	for _, target := range []string{
		"/web/cdx?url=a.test/x&limit=1&closest=2013", "/web/cdx?url=a.test/x&limit=1&closest=20130506153049", "/web/cdx?url=a.test/x&limit=1&closest=20130506153050",
	} {
		got := digest.FindStringSubmatch(a.get(target).body)
		if len(got) == 0 || got[1] != sha1Of(shown) {
			t.Errorf("%s: %v, and the address shows %q, %s", target, got, shown, sha1Of(shown))
		}
	}
	var told []string
	for _, m := range digest.FindAllStringSubmatch(a.get("/web/timemap/cdxj/"+url).body, -1) {
		told = append(told, m[1])
	}
	if want := []string{sha1Of("before"), sha1Of(shown), sha1Of("behind")}; !slices.Equal(told, want) {
		t.Errorf("the TimeMap tells of %v, want %v", told, want)
	}
	// A list of mementos has each of them under an address of its own.
	var bodies []string
	for _, m := range regexp.MustCompile(`<(http://[^>]*)>; rel="memento"`).FindAllStringSubmatch(a.get("/web/cdx?url=a.test/x&output=link").body, -1) {
		bodies = append(bodies, a.get(regexp.MustCompile(`/\d{14}`).ReplaceAllString(strings.TrimPrefix(m[1], testOrigin), "${0}id_")).body)
	}
	if slices.Sort(bodies); !slices.Equal(bodies, []string{"before", "behind", "one", "three", "two"}) {
		t.Errorf("the mementos of the list are %q", bodies)
	}
	if s := a.log.String(); s != "" {
		t.Errorf("faults were logged: %s", s)
	}
}

// TestRepeatsNothing: a revisit whose original is not here is no memento. TimeMaps and Link leave it out, TimeGates lead to what there
// is; its own address says why there is nothing.
func TestRepeatsNothing(t *testing.T) {
	const fields = "WARC-Profile: http://netpreserve.org/warc/1.0/revisit/identical-payload-digest\r\nWARC-Refers-To-Target-URI: http://a.test/gone\r\n" +
		"WARC-Refers-To-Date: 2012-01-01T00:00:00Z\r\nWARC-Payload-Digest: sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"
	const alone, beside = "http://a.test/alone", "http://a.test/beside"
	revisit := func(url, date string) string {
		return foreign("revisit", url, date, fields, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
	}
	a := newArchive(t)
	a.takeIn(revisit(alone, "2013-01-01T00:00:00Z"), revisit(beside, "2015-01-01T00:00:00Z"), twin(beside, "2014-01-01T00:00:00Z", "there"))
	for target, status := range map[string]int{
		"/web/timemap/link/" + alone: 404, "/web/" + alone: 404, "/web/20130101000000/" + alone: 404, "/web/20150101000000id_/" + beside: 404, "/web/20150101000000/" + beside: 404,
	} {
		if got := a.get(target); got.StatusCode != status {
			t.Errorf("%s: %d, want %d", target, got.StatusCode, status)
		}
	}
	for _, when := range []string{"", "Thu, 01 Jan 2015 00:00:00 GMT"} {
		fields := []string{"Sec-Fetch-Mode: navigate"}
		if when != "" {
			fields = append(fields, "Accept-Datetime: "+when)
		}
		if got := a.get("/web/"+beside, fields...); got.StatusCode != 302 || got.Header.Get("Location") != "/web/20140101000000/"+beside || strings.Contains(got.Header.Get("Link"), "2015") {
			t.Errorf("%q: the TimeGate says %d %v", when, got.StatusCode, got.Header)
		}
	}
	if m := mementosOf(a.timemap(testOrigin + "/web/timemap/link/" + beside)); len(m) != 1 || m[0].rel != "first last memento" || !strings.Contains(m[0].uri, "2014") {
		t.Errorf("the TimeMap has %+v", m)
	}
	if got := a.get("/web/20140101000000/" + beside); strings.Contains(got.Header.Get("Link"), fmt.Sprint(2015)) {
		t.Errorf("Link: %s", got.Header.Get("Link"))
	}
}
