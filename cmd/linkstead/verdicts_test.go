package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linkstead/archive/link"
	"linkstead/configs"
)

// The defaults of the configuration are the rules that archive/link is tested with.
func TestTheDefaultRulesAreThoseOfTheConfiguration(t *testing.T) {
	cfg, err := configs.Load("", func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	r := linkRules(&cfg.Verdicts)
	if want := link.Defaults(); r != want {
		t.Errorf("the configuration says\n%+v, archive/link\n%+v", r, want)
	}
	if err := r.Check(); err != nil {
		t.Error(err)
	}
}

func TestParkingRulesOfAFile(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good"), filepath.Join(dir, "bad")
	for file, body := range map[string]string{good: "rule mine\nns parked.example\n", bad: "rule mine\n"} {
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rules, err := parkingRules(good)
	if err != nil {
		t.Fatal(err)
	}
	got := rules.Judge(&link.Front{URL: "http://a.example/", NameServers: []string{"ns1.bodis.com", "ns1.parked.example"}})
	if strings.Join(got, " ") != "ns-parking mine" {
		t.Errorf("both sets of rules should hit: %q", got)
	}
	for _, file := range []string{bad, filepath.Join(dir, "none")} {
		if _, err := parkingRules(file); err == nil || !strings.Contains(err.Error(), filepath.Base(file)) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if rules, err := parkingRules(""); err != nil || rules != link.DefaultParking {
		t.Error("no file means the program's rules")
	}
}
