package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// checkout is where the top of the project is, seen from this package's tests.
const checkout = "../.."

// composeFile is docker-compose.yml, as far as it is used here: a key that is not listed is a key that nobody checks.
type composeFile struct {
	Name      string                    `yaml:"name"`
	Services  map[string]composeService `yaml:"services"`
	Networks  map[string]composeNetwork `yaml:"networks"`
	Volumes   map[string]struct{}       `yaml:"volumes"`
	Common    map[string]any            `yaml:"x-common"`
	Linkstead map[string]any            `yaml:"x-linkstead"`
	Env       map[string]any            `yaml:"x-environment"`
}

type composeNetwork struct {
	Internal bool `yaml:"internal"`
}

type composeService struct {
	Image string `yaml:"image"`
	Build *struct {
		Context string            `yaml:"context"`
		Args    map[string]string `yaml:"args"`
	} `yaml:"build"`
	User        string            `yaml:"user"`
	Entrypoint  []string          `yaml:"entrypoint"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Ports       []string          `yaml:"ports"`
	Volumes     []string          `yaml:"volumes"`
	Tmpfs       []string          `yaml:"tmpfs"`
	ShmSize     string            `yaml:"shm_size"`
	Healthcheck *struct {
		Test        []string `yaml:"test"`
		Interval    string   `yaml:"interval"`
		Timeout     string   `yaml:"timeout"`
		StartPeriod string   `yaml:"start_period"`
		Retries     int      `yaml:"retries"`
	} `yaml:"healthcheck"`
	DependsOn map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
	Restart         string   `yaml:"restart"`
	ReadOnly        bool     `yaml:"read_only"`
	CapDrop         []string `yaml:"cap_drop"`
	CapAdd          []string `yaml:"cap_add"`
	SecurityOpt     []string `yaml:"security_opt"`
	StopGracePeriod string   `yaml:"stop_grace_period"`
	Networks        []string `yaml:"networks"`
	NetworkMode     string   `yaml:"network_mode"`
	Logging         struct {
		Driver  string            `yaml:"driver"`
		Options map[string]string `yaml:"options"`
	} `yaml:"logging"`
	Deploy struct {
		Resources struct {
			Limits struct {
				CPUs   string `yaml:"cpus"`
				Memory string `yaml:"memory"`
				PIDs   int    `yaml:"pids"`
			} `yaml:"limits"`
		} `yaml:"resources"`
	} `yaml:"deploy"`
}

// ours says whether a service runs this program.
func (s composeService) ours() bool { return s.Build != nil }

// composeText is docker-compose.yml as it stands.
func composeText(t *testing.T) string { return readTop(t, "docker-compose.yml") }

func readTop(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(checkout, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// compose reads docker-compose.yml with the variables that a .env file would have.
func compose(t *testing.T, env map[string]string) composeFile {
	t.Helper()
	text, err := interpolate(composeText(t), func(name, rest string) (string, error) {
		v := env[name]
		switch {
		case v != "" || rest == "":
			return v, nil
		case strings.HasPrefix(rest, ":-"):
			return rest[2:], nil
		}
		return "", fmt.Errorf("%s is required: %s", name, rest[2:])
	})
	if err != nil {
		t.Fatal(err)
	}
	var c composeFile
	dec := yaml.NewDecoder(strings.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		t.Fatalf("docker-compose.yml: %v", err)
	}
	return c
}

// filledIn is a .env file that somebody has filled in.
func filledIn() map[string]string {
	return map[string]string{
		"POSTGRES_PASSWORD": "0123456789abcdef", "S3_ACCESS_KEY": "archive", "S3_SECRET_KEY": "fedcba9876543210",
		"LINKSTEAD_CONTACT": "mailto:archive@example.org",
	}
}

// interpolate replaces ${NAME}, ${NAME:-default} and ${NAME:?complaint}; defaults may hold such forms themselves, and
// are replaced before value gets them.
func interpolate(s string, value func(name, rest string) (string, error)) (string, error) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		end, depth := 0, 1
		for ; end < len(after) && depth > 0; end++ {
			switch {
			case strings.HasPrefix(after[end:], "${"):
				depth++
			case after[end] == '}':
				depth--
			}
		}
		if depth > 0 {
			return "", fmt.Errorf("${%.40s is not closed", after)
		}
		form := after[:end-1]
		name := regexp.MustCompile(`^[A-Z][A-Z0-9_]*`).FindString(form)
		rest := form[len(name):]
		if name == "" || rest != "" && !strings.HasPrefix(rest, ":-") && !strings.HasPrefix(rest, ":?") {
			return "", fmt.Errorf("${%s} is no form that is used here", form)
		}
		rest, err := interpolate(rest, value)
		if err != nil {
			return "", err
		}
		v, err := value(name, rest)
		if err != nil {
			return "", err
		}
		out.WriteString(v)
		s = after[end:]
	}
}

// An instruction is one of a Dockerfile, with its continuation lines.
type instruction struct{ word, args string }

// dockerfile reads the Dockerfile into its stages.
func dockerfile(t *testing.T) (stages [][]instruction) {
	t.Helper()
	var line string
	for l := range strings.Lines(readTop(t, "Dockerfile")) {
		l = strings.TrimSpace(l)
		if l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		more := strings.HasSuffix(l, `\`)
		line += strings.TrimSuffix(l, `\`)
		if more {
			continue
		}
		word, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		line = ""
		if word == "FROM" {
			stages = append(stages, nil)
		}
		if len(stages) == 0 {
			t.Fatalf("Dockerfile: %s comes before FROM", word)
		}
		last := len(stages) - 1
		stages[last] = append(stages[last], instruction{word, strings.TrimSpace(args)})
	}
	if line != "" {
		t.Fatalf("Dockerfile ends within an instruction")
	}
	return stages
}

// all are the arguments of every instruction of a kind.
func all(stage []instruction, word string) (args []string) {
	for _, i := range stage {
		if i.word == word {
			args = append(args, i.args)
		}
	}
	return args
}

// one is the argument of the only instruction of a kind.
func one(t *testing.T, stage []instruction, word string) string {
	t.Helper()
	found := all(stage, word)
	if len(found) != 1 {
		t.Fatalf("Dockerfile: %d of %s, want one", len(found), word)
	}
	return found[0]
}

// keyValues reads KEY=VALUE KEY="VALUE" of ENV.
func keyValues(s string) map[string]string {
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`([\w.]+)=(?:"([^"]*)"|(\S*))`).FindAllStringSubmatch(s, -1) {
		out[m[1]] = m[2] + m[3]
	}
	return out
}

// buildContext copies what .dockerignore lets through to the build.
func buildContext(t *testing.T) string {
	t.Helper()
	rules := ignoreRules(readTop(t, ".dockerignore"))
	to := t.TempDir()
	err := filepath.WalkDir(checkout, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(checkout, name)
		if err != nil || rel == "." {
			return err
		}
		rel = filepath.ToSlash(rel)
		out := rules.ignored(rel)
		if d.IsDir() {
			if out { // none of the rules brings back what lies in a folder that they leave out
				return fs.SkipDir
			}
			return nil
		}
		if out || !d.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, rel)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

type ignoreRule struct {
	path *regexp.Regexp
	keep bool
}

type ignores []ignoreRule

// ignoreRules reads a .dockerignore: the last pattern that matches a path or a folder above it decides.
func ignoreRules(text string) (rules ignores) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		p, keep := strings.CutPrefix(line, "!")
		p = regexp.QuoteMeta(p)
		p = strings.ReplaceAll(p, `\*\*/`, `(?:.*/)?`)
		p = strings.ReplaceAll(p, `\*`, `[^/]*`)
		rules = append(rules, ignoreRule{regexp.MustCompile(`^` + p + `$`), keep})
	}
	return rules
}

func (rules ignores) ignored(name string) (out bool) {
	parts := strings.Split(name, "/")
	for _, r := range rules {
		for n := range parts {
			if r.path.MatchString(strings.Join(parts[:n+1], "/")) {
				out = !r.keep
				break
			}
		}
	}
	return out
}
