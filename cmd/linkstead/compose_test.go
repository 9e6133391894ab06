package main

import (
	"encoding/json"
	"fmt"
	goversion "go/version"
	"io"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"linkstead/configs"
)

// No container engine is needed to run these tests, and none is at hand where they run: docker-compose.yml and the
// Dockerfile are held to the program itself, and to the programs that it runs beside.

// pinned is an image with a version that says more than a major number.
var pinned = regexp.MustCompile(`^[a-z0-9._/-]+:v?\d+\.\d+[\w.-]*$`)

func TestComposeServicesAreConfined(t *testing.T) {
	t.Parallel()
	c := compose(t, filledIn())
	if len(c.Services) < 6 {
		t.Fatalf("services: %v", slices.Sorted(maps.Keys(c.Services)))
	}
	for name, s := range c.Services {
		must := func(ok bool, format string, args ...any) {
			t.Helper()
			if !ok {
				t.Errorf("%s: %s", name, fmt.Sprintf(format, args...))
			}
		}
		must(s.ours() || pinned.MatchString(s.Image), "image %s is not pinned", s.Image)
		must(s.ReadOnly && slices.Equal(s.CapDrop, []string{"ALL"}), "its root is writable, or it has capabilities")
		must(slices.Contains(s.SecurityOpt, "no-new-privileges:true"), "it may gain privileges")
		must(slices.Contains(s.Tmpfs, "/tmp"), "no /tmp")
		must(s.Logging.Driver == "json-file" && s.Logging.Options["max-size"] != "" && s.Logging.Options["max-file"] != "", "its log grows for ever")
		l := s.Deploy.Resources.Limits
		must(l.CPUs != "" && l.Memory != "" && l.PIDs > 0, "no limits: %+v", l)
		once := s.Restart == "no"
		must(once || s.Restart == "unless-stopped", "restart: %q", s.Restart)
		must(once || regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(s.User), "user %q may be root", s.User)
		must(once || len(s.CapAdd) == 0, "capabilities %v", s.CapAdd)
		must(once || s.Healthcheck != nil, "no health check")
		if s.Healthcheck != nil {
			must(s.Healthcheck.Retries > 0 && len(s.Healthcheck.Test) > 1 && s.Healthcheck.Test[0] == "CMD", "health check %+v", *s.Healthcheck)
			for _, d := range []string{s.Healthcheck.Interval, s.Healthcheck.Timeout, s.Healthcheck.StartPeriod} {
				must(span(d) > 0, "%q is no time", d)
			}
		}
		must(!s.ours() || span(s.Healthcheck.Timeout) > healthPatience, "the check is cut off before it gives up by itself")
		must(!s.ours() || span(s.StopGracePeriod) > 10*time.Second, "no time to stop: %s", s.StopGracePeriod)
		for _, p := range s.Ports {
			must(strings.HasPrefix(p, "127.0.0.1:"), "port %s is open to others by default", p)
		}
	}
}

func span(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		return -1
	}
	return d
}

// TestComposeNamesWhatIsThere: services, networks and volumes that are named exist, and those that exist are named.
func TestComposeNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	c := compose(t, filledIn())
	networks, volumes, spools := map[string]bool{}, map[string]bool{}, map[string]string{}
	for name, s := range c.Services {
		for _, n := range s.Networks {
			if _, ok := c.Networks[n]; !ok {
				t.Errorf("%s: network %s is not declared", name, n)
			}
			networks[n] = true
		}
		for _, v := range s.Volumes {
			v, at, ok := strings.Cut(v, ":")
			if _, declared := c.Volumes[v]; !ok || !declared || !strings.HasPrefix(at, "/") {
				t.Errorf("%s: volume %s is not declared", name, v)
			}
			volumes[v] = true
			if s.ours() {
				if other := spools[v]; other != "" {
					t.Errorf("%s and %s share a spool", name, other)
				}
				spools[v] = name
				if !strings.HasPrefix(s.Environment["LINKSTEAD_SPOOL_DIR"]+"/", at+"/") {
					t.Errorf("%s: its spool %s is not in its volume %s, and goes with the container", name, s.Environment["LINKSTEAD_SPOOL_DIR"], at)
				}
			}
		}
		for on, d := range s.DependsOn {
			other, ok := c.Services[on]
			switch {
			case !ok:
				t.Errorf("%s depends on %s, which is no service", name, on)
			case d.Condition == "service_healthy" && other.Healthcheck == nil,
				d.Condition == "service_completed_successfully" && other.Restart != "no",
				d.Condition != "service_healthy" && d.Condition != "service_completed_successfully":
				t.Errorf("%s waits for %s: %s", name, on, d.Condition)
			}
			for _, n := range other.Networks {
				if !slices.Contains(s.Networks, n) {
					t.Errorf("%s can't reach %s, which is on %s", name, on, n)
				}
			}
		}
	}
	if len(networks) != len(c.Networks) || len(volumes) != len(c.Volumes) {
		t.Errorf("declared: %d networks, %d volumes; used: %v, %v", len(c.Networks), len(c.Volumes), networks, volumes)
	}
	if inside := c.Networks["inside"]; !inside.Internal || !slices.Equal(c.Services["postgres"].Networks, []string{"inside"}) ||
		!slices.Equal(c.Services["versitygw"].Networks, []string{"inside"}) {
		t.Error("the database or the store can be reached from elsewhere")
	}
}

// TestComposeAsksForWhatItNeeds: what must be said is asked for, all of it stands in .env.example, and nothing secret has
// a value there or by default.
func TestComposeAsksForWhatItNeeds(t *testing.T) {
	t.Parallel()
	required, optional := map[string]bool{}, map[string]bool{}
	_, err := interpolate(composeText(t), func(name, rest string) (string, error) {
		switch {
		case strings.HasPrefix(rest, ":?"):
			if !strings.Contains(rest, ".env.example") {
				t.Errorf("%s: %q does not say what to do", name, rest)
			}
			required[name] = true
		case rest == "":
			t.Errorf("${%s} is silently empty if nobody sets it", name)
		default:
			optional[name] = true
		}
		return "", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	asked, offered := map[string]bool{}, map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^(#?)([A-Z][A-Z0-9_]*)=(.*)$`).FindAllStringSubmatch(readTop(t, ".env.example"), -1) {
		if m[1] == "" {
			asked[m[2]] = true
			if m[3] != "" {
				t.Errorf(".env.example: %s has a value that would be used by whoever does not look", m[2])
			}
			continue
		}
		offered[m[2]] = true
	}
	if !maps.Equal(asked, required) || !maps.Equal(offered, optional) {
		t.Errorf(".env.example asks for %v and offers %v; docker-compose.yml requires %v and takes %v", asked, offered, required, optional)
	}
	for name := range required {
		if strings.Contains(name, "SECRET") || strings.Contains(name, "PASSWORD") {
			return
		}
	}
	t.Error("no secret is required")
}

// TestComposeSpeaksTheProgramsLanguage holds command lines to the program's own parser, variables to its settings, and
// their values to its checks.
func TestComposeSpeaksTheProgramsLanguage(t *testing.T) {
	t.Parallel()
	c, image := compose(t, filledIn()), imageStage(t)
	base := keyValues(strings.Join(all(image, "ENV"), " "))
	workers, servers := 0, 0
	for name, s := range c.Services {
		if !s.ours() {
			continue
		}
		cmd := parseLine(t, s.Command)
		switch cmd {
		case "work":
			workers++
		case "serve":
			servers++
		}
		if test := s.Healthcheck.Test; test[1] != "/linkstead" || !strings.HasPrefix(parseLine(t, test[2:]), "health") {
			t.Errorf("%s: health check %v", name, test)
		}
		env := maps.Clone(base)
		maps.Copy(env, s.Environment)
		knownKeys(t, name, env)
		cfg, err := configs.Load("", func(k string) string { return env[k] })
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		namesServices(t, c, name, cfg.Database(), cfg.S3.Endpoint)
		store := c.Services["versitygw"].Environment
		if cfg.S3.AccessKey != store["ROOT_ACCESS_KEY"] || cfg.S3.SecretKey != store["ROOT_SECRET_KEY"] || cfg.S3.AccessKey == "" {
			t.Errorf("%s has other keys than the store", name)
		}
		u, err := url.Parse(cfg.Database())
		if err != nil {
			t.Fatal(err)
		}
		password, _ := u.User.Password()
		rows := c.Services["postgres"].Environment
		if u.User.Username() != rows["POSTGRES_USER"] || password != rows["POSTGRES_PASSWORD"] || strings.Trim(u.Path, "/") != rows["POSTGRES_DB"] || password == "" {
			t.Errorf("%s has another name for the database: %s", name, u.Redacted())
		}
	}
	if workers < 2 || servers < 1 {
		t.Errorf("%d workers, %d servers", workers, servers)
	}
	serve := c.Services["serve"]
	for i, key := range []string{"LINKSTEAD_SERVE_LISTEN", "LINKSTEAD_SERVE_REPLAY_LISTEN"} {
		_, port, err := net.SplitHostPort(serve.Environment[key])
		origin, err2 := url.Parse(serve.Environment[strings.Replace(key, "LISTEN", "ORIGIN", 1)])
		if err != nil || err2 != nil || i >= len(serve.Ports) {
			t.Fatal(err, err2, serve.Ports)
		}
		if want := "127.0.0.1:" + origin.Port() + ":" + port; serve.Ports[i] != want {
			t.Errorf("port %s of the machine, want %s: a browser asks where %s says", serve.Ports[i], want, origin)
		}
	}
}

// imageStage is the stage of the Dockerfile that becomes the image.
func imageStage(t *testing.T) []instruction {
	t.Helper()
	stages := dockerfile(t)
	if len(stages) != 2 {
		t.Fatalf("%d stages", len(stages))
	}
	return stages[1]
}

// parseLine gives the command that a command line selects, or fails.
func parseLine(t *testing.T, args []string) string {
	t.Helper()
	var c cli
	p, err := kong.New(&c, kong.Name("linkstead"), kong.Vars{"version": ""}, kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	k, err := p.Parse(args)
	if err != nil {
		t.Fatalf("linkstead %s: %v", strings.Join(args, " "), err)
	}
	return k.Command()
}

// knownKeys fails for a variable that looks like a setting and is none.
func knownKeys(t *testing.T, who string, env map[string]string) {
	t.Helper()
	known := map[string]bool{"LINKSTEAD_CONFIG": true}
	for _, k := range configs.Keys() {
		known[configs.EnvName(k)] = true
	}
	for name := range env {
		if strings.HasPrefix(name, "LINKSTEAD_") && !known[name] {
			t.Errorf("%s: %s is no setting", who, name)
		}
	}
}

// namesServices fails unless each URL leads to a service, on a port that it listens on.
func namesServices(t *testing.T, c composeFile, who string, urls ...string) {
	t.Helper()
	ports := map[string]string{"postgres": "5432"}
	for name, s := range c.Services {
		for i, arg := range s.Command {
			if arg == "--port" {
				ports[name] = strings.TrimPrefix(s.Command[i+1], ":")
			}
		}
	}
	for _, raw := range urls {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Services[u.Hostname()]; !ok || ports[u.Hostname()] != u.Port() {
			t.Errorf("%s: %s leads to no service, those are %v", who, u.Redacted(), ports)
		}
		if _, waits := c.Services[who].DependsOn[u.Hostname()]; !waits {
			t.Errorf("%s does not wait for %s", who, u.Hostname())
		}
	}
}

// TestImageIsTheProgramAlone holds the Dockerfile to what this program listens on and needs.
func TestImageIsTheProgramAlone(t *testing.T) {
	t.Parallel()
	stages := dockerfile(t)
	build, image := stages[0], imageStage(t)
	from, _, _ := strings.Cut(one(t, build, "FROM"), " ")
	tag := strings.TrimPrefix(from, "golang:")
	needs := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(readTop(t, "go.mod"))[1]
	if !pinned.MatchString(from) || goversion.Compare("go"+tag, "go"+needs) < 0 {
		t.Errorf("built with %s, go.mod needs Go %s", from, needs)
	}
	if got := one(t, image, "FROM"); got != "scratch" {
		t.Errorf("the image is made from %s", got)
	}
	user := one(t, image, "USER")
	if !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) {
		t.Errorf("USER %s", user)
	}
	volume := one(t, image, "VOLUME")
	c := compose(t, filledIn())
	for name, s := range c.Services {
		if s.ours() && s.User != user {
			t.Errorf("%s runs as %s, the image's folders belong to %s", name, s.User, user)
		}
		if s.ours() && !strings.HasSuffix(s.Volumes[0], ":"+volume) {
			t.Errorf("%s: %v, but the image's folder is %s", name, s.Volumes, volume)
		}
	}
	if copies := all(image, "COPY"); !slices.Contains(copies, "--from=build --chown="+user+" /state/ /var/lib/") || len(copies) != 2 {
		t.Errorf("COPY %q", copies)
	}
	env := keyValues(one(t, image, "ENV"))
	knownKeys(t, "Dockerfile", env)
	cfg, err := configs.Load("", func(k string) string { return env[k] })
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Archive != volume {
		t.Errorf("the archive is in %s, which is no volume", cfg.Archive)
	}
	var exposed []string
	for _, listen := range []string{cfg.Serve.Listen, cfg.Serve.ReplayListen} {
		host, port, err := net.SplitHostPort(listen)
		if err != nil || host != "0.0.0.0" {
			t.Errorf("listens on %s within the container: %v", listen, err)
		}
		exposed = append(exposed, port)
	}
	if got := one(t, image, "EXPOSE"); got != strings.Join(exposed, " ") {
		t.Errorf("EXPOSE %s, the program listens on %v", got, exposed)
	}
	if got := one(t, image, "STOPSIGNAL"); got != "SIGTERM" { // what main waits for
		t.Errorf("STOPSIGNAL %s", got)
	}
	entry := jsonList(t, one(t, image, "ENTRYPOINT"))
	if cmd := parseLine(t, jsonList(t, one(t, image, "CMD"))); len(entry) != 1 || cmd != "serve" {
		t.Errorf("%v %s", entry, cmd)
	}
	_, check, _ := strings.Cut(one(t, image, "HEALTHCHECK"), " CMD ")
	if test := jsonList(t, check); test[0] != entry[0] || !strings.HasPrefix(parseLine(t, test[1:]), "health") {
		t.Errorf("HEALTHCHECK %v", test)
	}
	labels := keyValues(one(t, image, "LABEL"))
	for _, l := range []string{"title", "description", "licenses", "version"} {
		if labels["org.opencontainers.image."+l] == "" {
			t.Errorf("no label %s: %v", l, labels)
		}
	}
}

func jsonList(t *testing.T, s string) (list []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), &list); err != nil || len(list) == 0 {
		t.Fatalf("%s is no list: %v", s, err)
	}
	return list
}

// TestBuildContextHoldsNoSecrets: nor the tests' data, which is large.
func TestBuildContextHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	rules := ignoreRules(readTop(t, ".dockerignore"))
	for name, out := range map[string]bool{
		".env": true, ".git": true, "bin/linkstead": true, "linkstead-archive": true, "docs/scale.md": true,
		"cmd/linkstead/testdata/serve.txtar": true, "cmd/linkstead/run_test.go": true,
		"go.mod": false, "go.sum": false, "cmd/linkstead/run.go": false, "storage/migrations/00001_start.sql": false, "configs/default.yaml": false,
	} {
		if rules.ignored(name) != out {
			t.Errorf("%s: ignored is %t, want %t", name, !out, out)
		}
	}
	if !slices.Contains(strings.Split(readTop(t, ".gitignore"), "\n"), "/.env") {
		t.Error(".gitignore does not keep .env out")
	}
}
