package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// TestScheduleExample: the documented example is applied as it stands, twice, and comes back out.
func TestScheduleExample(t *testing.T) {
	t.Parallel()
	archive := filepath.Join(t.TempDir(), "A")
	run := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		p := &program{args: append(args, "--archive", archive), getenv: func(string) string { return "" },
			stdin: strings.NewReader(""), stdout: &out, stderr: &errs}
		if code := p.run(t.Context()); code != exitOK {
			t.Fatalf("%q: exit %d\n%s%s", args, code, &out, &errs)
		}
		return out.String()
	}
	const file = "../../docs/schedules.yaml"
	out := run("schedule", "apply", file)
	for _, want := range []string{
		"blog: new: feed https://blog.example.org/feed.xml, every 6h; next run: now\n",
		"manifesto: new: post https://example.org/manifesto, cron 0 3 1 * * Europe/Zurich; next run: ",
		"manifesto-links: new: recheck https://example.org/manifesto, adaptive, 1d to 30d; next run: once its post is kept\n",
		"handbook: new: site https://docs.example.org/handbook/, once at 2027-03-01T10:00; next run: ",
		"sources: new: list our sources, every 7d; next run: now\n", "schedules were changed.\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("applied:\n%swant %s", out, want)
		}
	}
	if out := run("schedule", "apply", file); !strings.HasSuffix(out, "Nothing to change.\n") {
		t.Errorf("applied again:\n%s", out)
	}
	exported := run("schedule", "export")
	for _, want := range []string{"    budget:\n      pages: 5000\n      bytes: 2GiB\n      time: 4h\n", "cron: 0 3 1 * *", "  sources:\n    kind: list\n    source: our sources\n    urls:\n"} {
		if !strings.Contains(exported, want) {
			t.Errorf("exported:\n%swant %s", exported, want)
		}
	}
}
