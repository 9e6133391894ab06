package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"linkstead/configs"
)

// unit reads a systemd unit: the values of each key, by section.
func unit(t *testing.T, path string) map[string]map[string][]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out, section := map[string]map[string][]string{}, ""
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			section = strings.Trim(line, "[]")
			out[section] = map[string][]string{}
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section == "" || key != strings.TrimSpace(key) {
			t.Fatalf("%s:%d: %q is no setting", path, i+1, line)
		}
		out[section][key] = append(out[section][key], value)
	}
	return out
}

// TestService: the unit file starts what the program is, stops it in the time that it takes, and shuts it in.
func TestService(t *testing.T) {
	t.Parallel()
	u := unit(t, filepath.Join("..", "..", "docs", "linkstead.service"))
	if len(u) != 3 || len(u["Unit"]) == 0 || len(u["Install"]["WantedBy"]) == 0 {
		t.Fatalf("sections: %v", u)
	}
	s := u["Service"]
	start := strings.Fields(s["ExecStart"][0])
	var c cli
	k, err := kong.New(&c, kong.Name("linkstead"), kong.Vars{"version": "v"})
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := k.Parse(start[1:])
	if err != nil || parsed.Command() != "work" || filepath.Base(start[0]) != "linkstead" || c.Config == "" {
		t.Errorf("ExecStart %q: %v", s["ExecStart"], err)
	}
	if c.Work.Listen == nil || !strings.HasPrefix(*c.Work.Listen, "127.0.0.1:") {
		t.Errorf("health is asked at %v", c.Work.Listen)
	}
	for _, e := range s["Environment"] {
		name, value, _ := strings.Cut(e, "=")
		known := false
		for _, key := range configs.Keys() {
			known = known || configs.EnvName(key) == name
		}
		if !known || !strings.HasPrefix(value, "%S/"+s["StateDirectory"][0]+"/") {
			t.Errorf("Environment %q names no setting, or a place outside of the state directory", e)
		}
	}
	patience, err := time.ParseDuration(s["TimeoutStopSec"][0] + "s")
	if err != nil || patience < stopStored+2*time.Second || stopGrace+stopParting > stopStored {
		t.Errorf("TimeoutStopSec=%v, and to stop takes up to %s", s["TimeoutStopSec"], stopStored+2*time.Second)
	}
	for key, want := range map[string]string{
		"Restart": "on-failure", "KillSignal": "SIGTERM", "DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict",
		"ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "CapabilityBoundingSet": "", "RestrictNamespaces": "yes",
	} {
		if got := s[key]; len(got) != 1 || got[0] != want {
			t.Errorf("%s=%v, want %q", key, got, want)
		}
	}
}
