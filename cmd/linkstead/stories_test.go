package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"linkstead/archive/warc"
)

// TestStories runs the command-line stories, the living manual: with each archive in a folder.
func TestStories(t *testing.T) {
	t.Parallel()
	runStories(t, "testdata", func(*testscript.Env) {})
}

// TestStoriesOnServers runs them once more: with each archive in S3 and PostgreSQL. What only a folder has, its files
// among them, stands behind the condition [folder] in a story.
func TestStoriesOnServers(t *testing.T) {
	t.Parallel()
	dir, setup := onServers(t, "testdata")
	runStories(t, dir, setup)
}

func runStories(t *testing.T, dir string, setup func(*testscript.Env)) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir: dir,
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			setup(e)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "folder" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return dir == "testdata", nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"website": cmdWebsite, "hits": cmdHits, "json": cmdJSON, "strictread": cmdStrictRead, "subst": cmdSubst,
			"remember": cmdRemember, "dump": cmdDump, "ports": cmdPorts, "get": cmdGet, "ask": cmdAsk, "submit": cmdSubmit, "getuntil": cmdGetUntil, "waithits": cmdWaitHits, "flip": cmdFlip, "drop": cmdDrop, "listen": cmdListen,
			"members": cmdMembers, "nosecrets": cmdNoSecrets,
			"lose": cmdLose, "obstruct": cmdObstruct, "clear": cmdClear, "segments": cmdSegments, "badcerts": cmdBadCerts, "spoil": cmdSpoil, "foreign": cmdForeign,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// sites are the websites that are up, by the script's work folder.
var sites sync.Map

// cmdWebsite serves a folder until the script ends, and sets $PORT and $R, the --resolve flags for its hosts.
func cmdWebsite(ts *testscript.TestScript, neg bool, args []string) {
	w, err := newWebsite(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(func() { w.srv.Close() })
	sites.Store(ts.Getenv("WORK"), w)
	ts.Setenv("PORT", w.port)
}

// cmdHits compares how often a page was asked for: hits HOST/PATH N.
func cmdHits(ts *testscript.TestScript, neg bool, args []string) {
	v, ok := sites.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("no website is up")
	}
	if got := fmt.Sprint(v.(*website).count(args[0])); (got == args[1]) == neg {
		ts.Fatalf("%s was asked for %s times, want %s", args[0], got, args[1])
	}
}

// cmdSubst replaces {{PORT}} in files.
func cmdSubst(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		text := strings.ReplaceAll(ts.ReadFile(name), "{{PORT}}", ts.Getenv("PORT"))
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
}

// cmdRemember sets a variable to a value in the JSON of standard output: remember NAME PATH.
func cmdRemember(ts *testscript.TestScript, neg bool, args []string) {
	ts.Setenv(args[0], lookup(ts, args[1]))
}

// cmdJSON compares a value in the JSON of standard output: json PATH WANT. A path is keys and indexes with dots; "len"
// counts.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if got := lookup(ts, args[0]); (got == args[1]) == neg {
		ts.Fatalf("%s is %q, want %q", args[0], got, args[1])
	}
}

func lookup(ts *testscript.TestScript, path string) string {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for _, key := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			if key == "len" {
				v = float64(len(x))
			} else {
				v = x[key]
			}
		case []any:
			i := 0
			if key == "len" {
				v = float64(len(x))
			} else if n, err := fmt.Sscan(key, &i); n == 1 && err == nil && i < len(x) {
				v = x[i]
			} else {
				ts.Fatalf("%s: no element %s of %d", path, key, len(x))
			}
		default:
			ts.Fatalf("%s: %s of a %T", path, key, v)
		}
	}
	return fmt.Sprint(v)
}

// cmdStrictRead reads every WARC of an archive strictly: by our own validator and by gowarc.
func cmdStrictRead(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(strictRead(warcFolder(ts, args[0])))
}

func strictRead(archive string) error {
	names, err := filepath.Glob(filepath.Join(archive, "warc", "*", "*.warc.gz"))
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("no WARC in %s", archive)
	}
	for _, name := range names {
		if faults, err := warc.StrictRead(name); err != nil || len(faults) > 0 {
			return errors.Join(fmt.Errorf("%s: %v", name, faults), err)
		}
	}
	return nil
}
