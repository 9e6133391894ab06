package configs_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"linkstead/configs"
)

func env(vars map[string]string) func(string) string {
	return func(name string) string { return vars[name] }
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "linkstead.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestDefaults(t *testing.T) {
	c, err := configs.Load("", env(nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.BlobStore() != "dir:./archive" || c.Database() != "sqlite:archive/linkstead.db" || c.SpoolDir() != "archive/spool" {
		t.Errorf("places: %s %s %s", c.BlobStore(), c.Database(), c.SpoolDir())
	}
	if got, want := c.Agent("1.2"), "Mozilla/5.0 (compatible; Linkstead/1.2; +https://linkstead.example/bot)"; got != want {
		t.Errorf("agent %q, want %q", got, want)
	}
	if c.Limits.Bytes != 1<<30 || time.Duration(c.Delay) != 500*time.Millisecond || c.Segment.Size != 256<<20 || c.Concurrency != 16 {
		t.Errorf("defaults: %+v", c)
	}
	if c.AllowPrivate || len(c.Resolve) != 0 {
		t.Errorf("open by default: %+v", c)
	}
}

func TestTheDefaultFileNamesEveryKey(t *testing.T) {
	c, err := configs.Load(write(t, string(configs.DefaultYAML())), env(nil))
	if err != nil {
		t.Fatal(err)
	}
	if c.Serve.ReplayOrigin == "" {
		t.Error("the file that people copy is not whole")
	}
	for _, key := range configs.Keys() {
		if leaf := key[strings.LastIndex(key, ".")+1:]; !c.Given(key) || !strings.Contains(string(configs.DefaultYAML()), leaf+":") {
			t.Errorf("default.yaml does not explain %s", key)
		}
	}
}

func TestLaterLayersWin(t *testing.T) {
	file := write(t, "delay: 2s\nper_host: 3\nlimits:\n  total: 1h\n  bytes: 5MB\nresolve: ['a:80:127.0.0.1']\noperator: ~\nserve:\n")
	c, err := configs.Load(file, env(map[string]string{
		"LINKSTEAD_PER_HOST": "4", "LINKSTEAD_LIMITS_BYTES": "1.5 MiB", "LINKSTEAD_ALLOW_PRIVATE": "true",
		"LINKSTEAD_RESOLVE": "b:80:127.0.0.1, c:443:[::1]", "LINKSTEAD_OPERATOR": "A library",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if time.Duration(c.Delay) != 2*time.Second || c.PerHost != 4 || time.Duration(c.Limits.Total) != time.Hour {
		t.Errorf("numbers: %+v", c)
	}
	if c.Limits.Bytes != 3<<19 || !c.AllowPrivate || c.Operator != "A library" || c.Limits.Redirects != 20 {
		t.Errorf("values: %+v", c)
	}
	if strings.Join(c.Resolve, " ") != "b:80:127.0.0.1 c:443:[::1]" {
		t.Errorf("resolve: %q", c.Resolve)
	}
}

func TestNetworks(t *testing.T) {
	c, err := configs.Load(write(t, "allow_networks: [10.20.0.0/16, '::1']\ntls:\n  verify: require\n"),
		env(map[string]string{"LINKSTEAD_DENY_NETWORKS": "10.20.7.0/24, ::ffff:192.0.2.0/120, 0.0.0.0/0"}))
	if err != nil || c.TLS.Verify != "require" {
		t.Fatal(c.TLS, err)
	}
	allow, _ := configs.Networks(c.AllowNetworks)
	deny, bad := configs.Networks(c.DenyNetworks)
	if got := fmt.Sprint(allow, deny, bad); got != "[10.20.0.0/16 ::1/128] [10.20.7.0/24 192.0.2.0/24 0.0.0.0/0] []" {
		t.Error(got)
	}
}

func TestTheSpool(t *testing.T) {
	c, err := configs.Load(write(t, "spool:\n  dir: /var/spool/l\n  max: 2GiB\n"), env(map[string]string{"LINKSTEAD_SPOOL_FREE": "1MiB"}))
	if err != nil || c.SpoolDir() != "/var/spool/l" || c.SpoolMax != 2<<30 || c.SpoolFree != 1<<20 {
		t.Errorf("spool: %s, %s, %s, %v", c.SpoolDir(), c.SpoolMax, c.SpoolFree, err)
	}
	c.SpoolMax = 1
	mustSay(t, c.Validate(), []string{"spool.max", "64KiB"})
}

func TestTheEnvironmentNamesTheFile(t *testing.T) {
	c, err := configs.Load("", env(map[string]string{"LINKSTEAD_CONFIG": write(t, "archive: /srv/a\ndb: sqlite:/fast/x.db\n")}))
	if err != nil {
		t.Fatal(err)
	}
	if c.BlobStore() != "dir:/srv/a" || c.Database() != "sqlite:/fast/x.db" || c.SpoolDir() != "/srv/a/spool" {
		t.Errorf("places: %s %s %s", c.BlobStore(), c.Database(), c.SpoolDir())
	}
}

func TestAnArchiveInS3(t *testing.T) {
	c, err := configs.Load("", env(map[string]string{
		"LINKSTEAD_ARCHIVE": "s3://bucket/prefix", "LINKSTEAD_S3_ENDPOINT": "http://127.0.0.1:7070", "LINKSTEAD_S3_REGION": "r",
		"LINKSTEAD_S3_ACCESS_KEY": "k", "LINKSTEAD_S3_SECRET_KEY": "s", "LINKSTEAD_S3_SESSION_TOKEN": "t", "LINKSTEAD_S3_PATH_STYLE": "true",
	}))
	if err != nil {
		t.Fatalf("a flag may still name the database: %v", err)
	}
	if want := (configs.S3{Endpoint: "http://127.0.0.1:7070", Region: "r", AccessKey: "k", SecretKey: "s", SessionToken: "t", PathStyle: "true"}); c.S3 != want {
		t.Errorf("s3: %+v", c.S3)
	}
	if c.BlobStore() != "s3://bucket/prefix" || c.Database() != "" || c.SpoolDir() != "linkstead-spool" {
		t.Errorf("places: %s %s %s", c.BlobStore(), c.Database(), c.SpoolDir())
	}
	mustSay(t, c.Validate(), []string{"db:", "--db"})
	for _, db := range []string{"postgres://u:p@h:5432/n?sslmode=disable", "postgresql://h/n", "postgres:///n?host=/run", "sqlite:x.db"} {
		if c.DB = db; c.Validate() != nil || c.Database() != db {
			t.Errorf("db %s: %v", db, c.Validate())
		}
	}
	c.Archive, c.Blobs, c.DB = "./a", "s3:bucket/p", ""
	if err := c.Validate(); err != nil || c.BlobStore() != "s3:bucket/p" || c.Database() != "sqlite:a/linkstead.db" || c.SpoolDir() != "a/spool" {
		t.Errorf("blobs alone in S3: %v, %s %s %s", err, c.BlobStore(), c.Database(), c.SpoolDir())
	}
}

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "sqlite:x.db": "sqlite:x.db", "postgres://h/n": "postgres://h/n", "postgres://u:p@h/n": "postgres://u:xxxxx@h/n",
		"postgres://h/n?password=p&user=u": "postgres://h/n?password=xxxxx&user=u", "postgres://u:p%zz@h/n": "postgres:…",
		"host=127.0.0.1 password=hunter2": "host=127.0.0.1 password=xxxxx", "password = 'hunter 2' host=h": "password=xxxxx host=h",
		"postgres:/lk:hunter2@h/a": "postgres:…", "lk:hunter2@h/a": "lk:…", "s3://akey:hunter2@buck/q": "s3:…", "s3:akey:hunter2@buck/q": "s3:…",
		"http://a:hunter2@h/x": "http://a:xxxxx@h/x", "postgres://h/n?PASSWORD=hunter2": "postgres://h/n?PASSWORD=xxxxx",
		"hunter2@h": "…", "postgres://u@h/x:hunter2@y": "postgres:…", "postgres:///n?host=/run": "postgres:///n?host=/run",
		"./archive": "./archive", "dir:./a": "dir:./a", "s3://b/q": "s3://b/q", "s3:b/q": "s3:b/q",
	} {
		if got := configs.Redact(in); got != want {
			t.Errorf("%s is told as %s, want %s", in, got, want)
		}
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		name, yaml string
		want       []string // all of these stand in the error
	}{
		{"unknown", "archive: a\ndelya: 1s\n", []string{"linkstead.yaml:2:", "unknown key delya", "did you mean delay?"}},
		{"unknown within", "limits:\n  conect: 1s\n", []string{":2:", "limits.conect", "limits.connect?"}},
		{"out of its group", "redirects: 5\n", []string{":1:", "limits.redirects?"}},
		{"unknown group", "segments:\n  size: 1GiB\n", []string{"segment?"}},
		{"nearer to a group", "site: []\n", []string{"did you mean sites?"}},
		{"far from all", "qqqqqqqq: 5\n", []string{"qqqqqqqq", "default.yaml"}},
		{"twice", "delay: 1s\ndelay: 2s\n", []string{":2:", "delay", "line 1"}},
		{"bare duration", "delay: 5\n", []string{":1:", "delay", `"5"`, "500ms"}},
		{"size", "limits:\n  bytes: lots\n", []string{":2:", "limits.bytes", `"lots"`, "64MiB"}},
		{"number", "retries: two\n", []string{"retries", `"two"`, "whole number"}},
		{"bool", "allow_private: maybe\n", []string{"allow_private", "true nor false"}},
		{"list for a value", "delay: [1s]\n", []string{"delay", "one plain value"}},
		{"map in a list", "resolve: [{a: b}]\n", []string{"resolve", "plain values"}},
		{"value for a group", "limits: 5\n", []string{"keys and values"}},
		{"alias", "archive: &a x\ndb: *a\n", []string{":2:", "db"}},
		{"no YAML", "a: [\n", []string{"no YAML"}},
		{"two documents", "delay: 1s\n---\ndelay: 2s\n", []string{"more than one"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := configs.Load(write(t, c.yaml), env(nil))
			mustSay(t, err, c.want)
		})
	}
	_, err := configs.Load("/does/not/exist.yaml", env(nil))
	mustSay(t, err, []string{"/does/not/exist.yaml", "does not exist", "--config"})
	_, err = configs.Load("", env(map[string]string{"LINKSTEAD_LIMITS_TOTAL": "soon"}))
	mustSay(t, err, []string{"LINKSTEAD_LIMITS_TOTAL", `"soon"`})
}

func TestValidateNamesKeyValueAndRemedy(t *testing.T) {
	for _, c := range []struct {
		change func(*configs.Config)
		want   []string
	}{
		{func(c *configs.Config) { c.AllowNetworks = []string{"10.0.0.0/8", "10.0.0.1/8"} }, []string{"allow_networks:", `"10.0.0.1/8"`, "ADDRESS/BITS"}},
		{func(c *configs.Config) { c.Replay.Fuzzy = -1 }, []string{"replay.fuzzy:", "0s"}},
		{
			func(c *configs.Config) {
				c.Replay.Elsewhere = []string{"https://a.example/", "A javascript:x", "A https://u:p@a.example/"}
			},
			[]string{`"https://a.example/"`, `"A javascript:x"`, `"A https://u:p@a.example/"`, "TimeGate"},
		},
		{func(c *configs.Config) { c.Replay.Elsewhere = make([]string, 21) }, []string{"replay.elsewhere:", "20 other"}},
		{func(c *configs.Config) { c.Readers.Sites = []string{"https://a.example/", "a.example"} }, []string{"readers.sites:", `"https://a.example/"`, `"a.example"`, "origins"}},
		{
			func(c *configs.Config) {
				c.Readers.Ask = []string{"A https://a.example/", "A gate https://a.example/", "timegate https://a.example/", "A timegate file:///x"}
			},
			[]string{`"A https://a.example/"`, `"A gate https://a.example/"`, `"timegate https://a.example/"`, `"A timegate file:///x"`, "Arquivo.pt"},
		},
		{func(c *configs.Config) { c.Readers.Ask = make([]string, 21) }, []string{"readers.ask:", "20 other"}},
		{func(c *configs.Config) { c.Readers.AskTimeout, c.Readers.AskKeep = 0, -1 }, []string{"readers.ask_timeout:", "readers.ask_keep:"}},
		{func(c *configs.Config) { c.Replay.Collections = []string{"a/b"} }, []string{"replay.collections:", `"a/b"`, "dash"}},
		{func(c *configs.Config) { c.DenyNetworks = []string{"lan"} }, []string{"deny_networks:", `"lan"`, "10.20.0.0/16"}},
		{func(c *configs.Config) { c.DenyNetworks = []string{"::ffff:10.0.0.0/64", "fe80::1%eth0"} }, []string{`"::ffff:10.0.0.0/64"`, `"fe80::1%eth0"`}},
		{func(c *configs.Config) { c.TLS.Verify = "yes" }, []string{"tls.verify:", `"yes"`, "record", "require"}},
		{func(c *configs.Config) { c.Archive = "" }, []string{"archive:", "folder"}},
		{func(c *configs.Config) { c.Blobs = "ftp:x" }, []string{"blobs:", `"ftp:x"`, "dir:"}},
		{func(c *configs.Config) { c.DB = "sqlite:" }, []string{"db:", `"sqlite:"`}},
		{func(c *configs.Config) { c.DB = "postgres:x" }, []string{"db:", `"postgres:x"`, "postgres://USER@HOST/NAME"}},
		{func(c *configs.Config) { c.DB = "mysql://u:word@h/n" }, []string{"db:", "mysql://u:xxxxx@h/n"}},
		{func(c *configs.Config) { c.Archive = "s3://b/p" }, []string{"db:", "--db postgres://", "--db sqlite:PATH"}},
		{func(c *configs.Config) { c.Archive = "s3:///p" }, []string{"archive:", "s3://BUCKET/PREFIX"}},
		{func(c *configs.Config) { c.Blobs = "s3:" }, []string{"blobs:", "s3://BUCKET/PREFIX"}},
		{func(c *configs.Config) { c.S3.Endpoint = "s3.example.org" }, []string{"s3.endpoint:", `"s3.example.org"`, "https://"}},
		{func(c *configs.Config) { c.S3.Endpoint = "https://s3.example.org/bucket" }, []string{"s3.endpoint:", "alone"}},
		{func(c *configs.Config) { c.S3.AccessKey = "AKIA" }, []string{"s3.access_key:", "s3.secret_key", "together"}},
		{func(c *configs.Config) { c.S3.SecretKey = "hidden" }, []string{"s3.access_key:", "together"}},
		{func(c *configs.Config) { c.S3.SessionToken = "hidden" }, []string{"s3.session_token:", "all three"}},
		{func(c *configs.Config) { c.S3.AccessKey, c.S3.SecretKey, c.S3.Profile = "a", "hidden", "p" }, []string{"s3.profile:", "either"}},
		{func(c *configs.Config) { c.S3.PathStyle = "yes" }, []string{"s3.path_style:", `"yes"`, "auto"}},
		{func(c *configs.Config) { c.Collection = "My Things" }, []string{"collection:", `"My Things"`}},
		{func(c *configs.Config) { c.ArchiveID = "a b" }, []string{"archive_id:", "domain name"}},
		{func(c *configs.Config) { c.Operator = "a\r\nb: c" }, []string{"operator:", "one line"}},
		{func(c *configs.Config) { c.Contact = "me" }, []string{"contact:", `"me"`, "mailto:"}},
		{func(c *configs.Config) { c.UserAgent = "a\nb" }, []string{"user_agent:", "ASCII"}},
		{func(c *configs.Config) { c.Robots = "no" }, []string{"robots:", `"no"`, "ignore"}},
		{func(c *configs.Config) { c.Concurrency = 0 }, []string{"concurrency:", `"0"`, "1 to 1000"}},
		{func(c *configs.Config) { c.PerHost = 65 }, []string{"per_host:", "1 to 64"}},
		{func(c *configs.Config) { c.Delay = -1 }, []string{"delay:", "0s to 24h"}},
		{func(c *configs.Config) { c.From = "An Archive <a@example.org>" }, []string{"from:", "an e-mail address alone"}},
		{func(c *configs.Config) { c.From = "nobody" }, []string{"from:", `"nobody"`}},
		{func(c *configs.Config) { c.From = "a@example.org\r\nX: y" }, []string{"from:"}},
		{func(c *configs.Config) { c.Verdicts.Gone = 0 }, []string{"verdicts.gone:", "1 to 100"}},
		{func(c *configs.Config) { c.Verdicts.Soft404.Similar = math.NaN() }, []string{"verdicts.soft_404.similar:", "0 to 1"}},
		{func(c *configs.Config) { c.Verdicts.Drifted.Words = 0 }, []string{"verdicts.drifted.words:", "more than 0"}},
		{func(c *configs.Config) { c.Verdicts.Next.Suspect = 0 }, []string{"verdicts.next.suspect:"}},
		{func(c *configs.Config) { c.Verdicts.Next.AliveMax = 0 }, []string{"verdicts.next.alive_max:"}},
		{func(c *configs.Config) { c.Verdicts.Next.DeadMax = c.Verdicts.Next.DeadMin - 1 }, []string{"verdicts.next.dead_max:", "168h or more"}},
		{func(c *configs.Config) { c.Politeness.Factor = -1 }, []string{"politeness.factor:", "0 to 100"}},
		{func(c *configs.Config) { c.Politeness.Factor = math.NaN() }, []string{"politeness.factor:"}},
		{func(c *configs.Config) { c.Politeness.MaxDelay = -1 }, []string{"politeness.max_delay:"}},
		{func(c *configs.Config) { c.Politeness.Backoff = c.Politeness.MaxBackoff + 1 }, []string{"politeness.max_backoff:", "or more"}},
		{func(c *configs.Config) { c.Politeness.DownAfter = -1 }, []string{"politeness.down_after:", "1 to 1000"}},
		{func(c *configs.Config) { c.Politeness.Patience = configs.Duration(48 * time.Hour) }, []string{"politeness.patience:", "24h"}},
		{func(c *configs.Config) { c.Watch.PerHost = -1 }, []string{"watch.per_host:", "0 to"}},
		{func(c *configs.Config) { c.Watch.PerDay = -1 }, []string{"watch.per_day:", "0 to"}},
		{func(c *configs.Config) { c.Watch.Window = 0 }, []string{"watch.window:", "1s to 24h"}},
		{func(c *configs.Config) { c.Watch.Every = 0 }, []string{"watch.every:"}},
		{func(c *configs.Config) { c.Watch.Body = 1 }, []string{"watch.body:", "1KiB"}},
		{func(c *configs.Config) { c.Watch.Canaries = []string{"example.org"} }, []string{"watch.canaries:", `"example.org"`}},
		{func(c *configs.Config) { c.Watch.Canaries = make([]string, 11) }, []string{"watch.canaries:", "ten"}},
		{func(c *configs.Config) { c.Limits.Total = 0 }, []string{"limits.total:", "168h"}},
		{func(c *configs.Config) { c.Limits.Bytes = 0 }, []string{"limits.bytes:", "1KiB"}},
		{func(c *configs.Config) { c.Segment.Window = 1 << 40 }, []string{"segment.window:", "0s to 1s"}},
		{func(c *configs.Config) { c.Serve.Listen = "8080" }, []string{"serve.listen:", `"8080"`, "127.0.0.1:8080"}},
		{func(c *configs.Config) { c.Serve.ReplayListen = "x:http" }, []string{"serve.replay_listen:"}},
		{func(c *configs.Config) { c.Serve.ReplayOrigin = "http://a/b" }, []string{"serve.replay_origin:", "alone"}},
		{func(c *configs.Config) { c.Serve.ReplayOrigin = "http://a.*.b" }, []string{"serve.replay_origin:", "alone"}},
		{func(c *configs.Config) { c.Serve.ReplayOrigin = "http://*.*.b" }, []string{"serve.replay_origin:", "alone"}},
		{func(c *configs.Config) { c.Serve.ReplayOrigin = "http://127.0.0.1:8081" }, []string{"serve.replay_origin:", "share cookies"}},
		{func(c *configs.Config) { c.Serve.ReplayOrigin = "http://*.127.0.0.2:8081" }, []string{"serve.replay_origin:", "no names below"}},
		{pagesAndCopies("https://archive.example.org", "https://*.replay.example.org"), []string{"serve.replay_origin:", "shares cookies with archive.example.org"}},
		{pagesAndCopies("https://example.org", "https://*.replay.example.org"), []string{"serve.replay_origin:", "shares cookies with example.org"}},
		{pagesAndCopies("https://archive.replay.example.org", "https://*.replay.example.org"), []string{"serve.replay_origin:", "shares cookies"}},
		{pagesAndCopies("http://archive.replay.localhost", "http://*.replay.localhost"), []string{"serve.replay_origin:", "shares cookies"}},
		{func(c *configs.Config) { c.Serve.PagesOrigin = "archive.example" }, []string{"serve.origin:", `"archive.example"`, "alone"}},
		{func(c *configs.Config) { c.Serve.PagesOrigin = "https://replay.localhost" }, []string{"serve.replay_origin:", "share cookies"}},
		{func(c *configs.Config) { c.Serve.Listen, c.Serve.ReplayOrigin = "0.0.0.0:80", "http://localhost:81" }, []string{"share cookies"}},
		{func(c *configs.Config) { c.Resolve = []string{"a:b:c"} }, []string{"resolve:", `"a:b:c"`, "HOST:PORT:ADDRESS"}},
		{func(c *configs.Config) { c.Robots, c.Retries = "x", -1 }, []string{"robots:", "retries:"}},
	} {
		conf, err := configs.Load("", env(nil))
		if err != nil {
			t.Fatal(err)
		}
		c.change(&conf)
		err = conf.Validate()
		mustSay(t, err, c.want)
		if err != nil && (strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "word@")) {
			t.Errorf("error %q tells a secret", err)
		}
	}
}

func mustSay(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; it should say %q", want)
		return
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

func TestUnits(t *testing.T) {
	for in, want := range map[string]string{
		"1GiB": "1GiB", "1024": "1KiB", "1500": "1500B", "2 mib": "2MiB", "1kB": "1000B", "0": "0B", "0.5KiB": "512B", "1B": "1B",
	} {
		var s configs.Size
		if err := s.UnmarshalText([]byte(in)); err != nil || s.String() != want {
			t.Errorf("size %s: got %s, %v; want %s", in, s, err, want)
		}
	}
	for _, in := range []string{"", "B", "-1", "nan", "inf", "1e300TiB", "5 apples"} {
		var s configs.Size
		if err := s.UnmarshalText([]byte(in)); err == nil {
			t.Errorf("size %q was read as %s", in, s)
		}
	}
	for in, want := range map[string]string{"500ms": "500ms", "60s": "1m", "1h": "1h", "90m": "1h30m", "0": "0s", "10s": "10s", "10m10s": "10m10s"} {
		var d configs.Duration
		if err := d.UnmarshalText([]byte(in)); err != nil || d.String() != want {
			t.Errorf("duration %s: got %s, %v; want %s", in, d, err, want)
		}
	}
}

func TestOriginFollowsThePort(t *testing.T) {
	c, err := configs.Load("", env(nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Serve.Origin(); got != "http://replay.localhost:8081" || !c.Serve.PerSite() {
		t.Errorf("by default %s", got)
	}
	c.Serve.ReplayListen = "127.0.0.1:9000"
	if got := c.Serve.Origin(); got != "http://replay.localhost:9000" {
		t.Errorf("with another port %s", got)
	}
	c.Serve.ReplayOrigin = "https://copies.example"
	if got := c.Serve.Origin(); got != "https://copies.example" || c.Serve.PerSite() {
		t.Errorf("as set %s", got)
	}
	c.Serve.ReplayOrigin = "https://*.copies.example"
	if got := c.Serve.Origin(); got != "https://copies.example" || !c.Serve.PerSite() {
		t.Errorf("as set for a host a site %s", got)
	}
	c.Serve.OneOrigin = true
	if got := c.Serve.Origin(); got != "http://127.0.0.1:8080" || c.Serve.PerSite() {
		t.Errorf("with one origin %s", got)
	}
}

// pagesAndCopies names where the two are seen.
func pagesAndCopies(pages, copies string) func(*configs.Config) {
	return func(c *configs.Config) { c.Serve.PagesOrigin, c.Serve.ReplayOrigin = pages, copies }
}

// TestPlacesThatShareNoCookies are fit for pages and copies.
func TestPlacesThatShareNoCookies(t *testing.T) {
	for _, set := range []func(*configs.Config){
		pagesAndCopies("", "http://*.replay.localhost:9000"),
		pagesAndCopies("http://localhost:8080", "http://*.replay.localhost:8081"),
		pagesAndCopies("https://archive.example.org", "https://*.archive-copies.org"),
		pagesAndCopies("https://me.github.io", "https://*.you.github.io"),
		pagesAndCopies("https://archive.example.org", "https://replay.example.org"), // sandboxed: no cookies at all
		func(c *configs.Config) { c.Serve.OneOrigin, c.Serve.ReplayOrigin = true, "http://127.0.0.1:8080" },
	} {
		c, err := configs.Load("", env(nil))
		if err != nil {
			t.Fatal(err)
		}
		set(&c)
		if err := c.Validate(); err != nil {
			t.Errorf("%s beside %s: %v", c.Serve.ReplayOrigin, c.Serve.Pages(), err)
		}
	}
}

func TestPagesAreNamedAsTheyAreSeen(t *testing.T) {
	for _, c := range []struct{ listen, origin, want string }{
		{"127.0.0.1:8080", "", "http://127.0.0.1:8080"},
		{"archive.example:80", "", "http://archive.example:80"},
		{"0.0.0.0:8080", "", "http://localhost:8080"},
		{"[::]:8080", "", "http://localhost:8080"},
		{":8080", "", "http://localhost:8080"},
		{"0.0.0.0:8080", "https://archive.example", "https://archive.example"},
	} {
		if got := (configs.Serve{Listen: c.listen, PagesOrigin: c.origin}).Pages(); got != c.want {
			t.Errorf("listening on %s, called %q: %s, want %s", c.listen, c.origin, got, c.want)
		}
	}
}
