package configs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/configs"
)

const members = `
sites:
  - host: Members.example.org:8443
    user: reader
    password: "${WORD}"
    headers: {Authorization-Token: "Bearer ${file:FILE}", X-Plain: a-literal-secret}
    public_headers: {X-Edition: print}
    language: fr, en;q=0.5
    plain_http: true
  - host: .example.org
    language: de
  - {host: "[::1]:81", user: u, password: "  spaces are kept  "}
`

func TestSites(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("out-of-a-file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(members, "FILE", file)
	c, err := configs.Load(write(t, text), env(nil))
	if err != nil {
		t.Fatalf("what values refer to is not needed before it is used: %v", err)
	}
	sites, err := c.OpenSites(env(map[string]string{"WORD": "pass ${word}"}))
	if err != nil || len(sites) != 3 {
		t.Fatalf("%d sites, %v", len(sites), err)
	}
	s := sites[0]
	if s.Password != "pass ${word}" || s.Headers[0].Value != "Bearer out-of-a-file" || s.Public[0].Value != "print" || !s.Plain ||
		s.Language != "fr, en;q=0.5" || s.Host != "Members.example.org:8443" || len(s.Referred) != 2 || string(sites[2].Password) != "  spaces are kept  " {
		t.Errorf("opened: %q %q", string(s.Password), s.Headers)
	}
	if string(c.Sites[0].Password) != "${WORD}" || string(c.Sites[0].Headers[0].Value) == "Bearer out-of-a-file" {
		t.Error("the settings themselves have been opened")
	}
	asJSON, err := json.Marshal(sites)
	if err != nil {
		t.Fatal(err)
	}
	for _, told := range []string{fmt.Sprint(sites), fmt.Sprintf("%+v %#v", sites, sites), string(asJSON)} {
		for _, secret := range []string{"pass ${word}", "out-of-a-file", "a-literal-secret", "spaces are kept"} {
			if strings.Contains(told, secret) {
				t.Errorf("%q is told: %s", secret, told)
			}
		}
	}
	_, err = c.OpenSites(env(nil))
	mustSay(t, err, []string{"linkstead.yaml:3:", "Members.example.org:8443", "variable WORD is not set"})
	_, err = c.OpenSites(env(map[string]string{"WORD": "SHORT"}))
	mustSay(t, err, []string{"Members.example.org:8443", "shorter than 6"})
	_, err = c.OpenSites(env(map[string]string{"WORD": "SECRET\nline"}))
	mustSay(t, err, []string{"line break"})
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = c.OpenSites(env(map[string]string{"WORD": "long enough"}))
	mustSay(t, err, []string{"holds no secret"})
}

func TestSitesSayWhatIsWrongAndNoSecret(t *testing.T) {
	const secret = "hunter2-SECRET"
	for _, c := range []struct{ yaml, want string }{
		{"sites: x", "linkstead.yaml:1: sites is a list"},
		{"sites:\n  - " + secret, ":2: expected a site here"},
		{"sites:\n  - host: a.test\n    pasword: " + secret, "unknown key pasword"},
		{"sites:\n  - host: a.test\n    host: b.test", "host stands twice"},
		{"sites:\n  - user: u\n    password: " + secret, "is no host"},
		{"sites:\n  - host: https://a.test/", "is no host"},
		{"sites:\n  - host: '*.a.test'", ".example.org for all hosts under it"},
		{"sites:\n  - host: '[::x]'", "is no host"},
		{"sites:\n  - host: a.test\n    password: " + secret, "user and password belong together"},
		{"sites:\n  - host: a.test\n    user: u:v\n    password: " + secret, "no colon"},
		{"sites:\n  - host: a.test\n    user: u\n    password: short", "shorter than 6"},
		{"sites:\n  - host: a.test\n    headers: {X-A: ''}", "shorter than 6"},
		{"sites:\n  - host: a.test\n    user: u\n    password: [" + secret + "]", "takes one plain value"},
		{"sites:\n  - host: a.test\n    headers: " + secret, "NAME: VALUE"},
		{"sites:\n  - host: a.test\n    headers: {Host: " + secret + "}", "frames the request or names its host"},
		{"sites:\n  - host: a.test\n    headers: {content-LENGTH: " + secret + "}", "frames the request"},
		{"sites:\n  - host: a.test\n    public_headers: {Range: bytes=0-1}", "not yours to set"},
		{"sites:\n  - host: a.test\n    headers: {Cookie: " + secret + "}", "into a file"},
		{"sites:\n  - host: a.test\n    headers: {Accept-Language: " + secret + "}", "set by language"},
		{"sites:\n  - host: a.test\n    public_headers: {Authorization: " + secret + "}", "put it under headers"},
		{"sites:\n  - host: a.test\n    user: u\n    password: " + secret + "\n    headers: {Authorization: " + secret + "}", "keep one of them"},
		{"sites:\n  - host: a.test\n    headers: {'X A': " + secret + "}", "no name of a header"},
		{"sites:\n  - host: a.test\n    headers: {X-A: " + secret + ", x-a: " + secret + "}", "stands twice"},
		{"sites:\n  - host: a.test\n    headers: {X-A: \"" + secret + "\\nX-B: y\"}", "line break"},
		{"sites:\n  - host: a.test\n    headers: {X-A: '" + secret + " ${a b}'}", "a reference is"},
		{"sites:\n  - host: a.test\n    headers: {X-A: '${LINKSTEAD_WORD}'}", "another name"},
		{"sites:\n  - host: a.test\n    language: \"x\\ty\"", "no Accept-Language"},
		{"sites:\n  - host: a.test\n    plain_http: perhaps", "true or false"},
		{"sites:\n  - host: a.test\n    password: *" + secret, "stands in quotes"},
		{"language: 'a\"b'", "language"},
		{"cookies: ''", "cookies"},
	} {
		_, err := configs.Load(write(t, c.yaml+"\n"), env(nil))
		mustSay(t, err, []string{c.want})
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error tells the secret: %v", c.yaml, err)
		}
	}
	_, err := configs.Load("", env(map[string]string{"LINKSTEAD_SITES": secret}))
	mustSay(t, err, []string{"LINKSTEAD_SITES", "write them into a file"})
	_, err = configs.Load(write(t, "sites:\n"+strings.Repeat("  - host: a.test\n", 501)), env(nil))
	mustSay(t, err, []string{"more than 500"})
}
