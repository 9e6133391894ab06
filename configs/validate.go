package configs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Validate checks every setting. Its error names each key at fault, its value and what to try, one a line.
func (c Config) Validate() error { return c.validate(true) }

// ValidateAway checks what there is to check where no archive is needed: that one could be found is not asked.
func (c Config) ValidateAway() error { return c.validate(false) }

// archiveID is what may name an archive in a URN: letters, digits, dots and dashes, or nothing.
var archiveID = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?)?$`)

// validate misses a setting only if whole says that all of them are in.
func (c Config) validate(whole bool) error {
	v := &findings{}
	c.checkPlaces(v)
	if whole && inS3(c.Archive) && c.DB == "" {
		v.add("db", c.DB, "an archive in S3 needs a database that is named: --db postgres://USER@HOST/NAME, or --db sqlite:PATH for one machine")
	}
	c.checkS3(v)
	c.checkIdentity(v)
	c.checkNumbers(v)
	c.checkServe(v)
	c.checkReplay(v)
	c.Readers.check(v)
	c.checkNetwork(v)
	c.checkLog(v)
	return errors.Join(v.errs...)
}

// CheckLog checks what is said of the log alone: every command logs, also one that needs no archive.
func (c Config) CheckLog() error {
	v := &findings{}
	c.checkLog(v)
	return errors.Join(v.errs...)
}

func (c Config) checkLog(v *findings) {
	switch c.Log.Format {
	case "auto", "text", "json":
	default:
		v.add("log.format", c.Log.Format, "use text, json, or auto (text on a terminal)")
	}
	switch c.Log.Level {
	case "auto", "debug", "info", "warn", "error":
	default:
		v.add("log.level", c.Log.Level, "use debug, info, warn, error, or auto (info while serving and working, else warn)")
	}
}

func (c Config) checkNetwork(v *findings) {
	for _, l := range []struct {
		key  string
		list []string
	}{{"allow_networks", c.AllowNetworks}, {"deny_networks", c.DenyNetworks}} {
		_, bad := Networks(l.list)
		for _, i := range bad {
			v.add(l.key, l.list[i], "write ADDRESS/BITS with no bit set beyond BITS, for example 10.20.0.0/16 or fd12:3456::/32, or one address")
		}
	}
	switch c.TLS.Verify {
	case "record", "require":
	default:
		v.add("tls.verify", c.TLS.Verify, "use record (an invalid certificate is noted) or require (it is a failure)")
	}
	if c.Cookies == "" || hasControl(c.Cookies) {
		v.add("cookies", c.Cookies, "use off, session, or the path of a file of cookies (Netscape format)")
	}
	if !languageForm.MatchString(c.Language) {
		v.add("language", c.Language, "write it as en, or de-CH, de;q=0.9, en;q=0.5")
	}
	for _, r := range c.Resolve {
		if !resolveForm(r) {
			v.add("resolve", r, "write HOST:PORT:ADDRESS, for example example.org:80:127.0.0.1")
		}
	}
}

type findings struct{ errs []error }

func (f *findings) add(key string, value any, try string) {
	f.errs = append(f.errs, fmt.Errorf("%s: %q can't be used: %s", key, fmt.Sprint(value), try))
}

func (c Config) checkPlaces(v *findings) {
	if c.Archive == "" {
		v.add("archive", c.Archive, "name a folder, for example ./archive")
	}
	if (inS3(c.Archive) || strings.Contains(c.Archive, "://")) && !bucketForm(c.Archive) {
		v.add("archive", Redact(c.Archive), "write s3://BUCKET/PREFIX, or name a folder, for example ./archive")
	}
	if path, ok := strings.CutPrefix(c.Blobs, "dir:"); c.Blobs != "" && (!ok || path == "") && !bucketForm(c.Blobs) {
		v.add("blobs", Redact(c.Blobs), "write dir: and a folder, for example dir:./archive, or s3://BUCKET/PREFIX, or leave it empty")
	}
	if !databaseForm(c.DB) {
		v.add("db", Redact(c.DB), "write sqlite: and a file, for example sqlite:./archive/linkstead.db, or postgres://USER@HOST/NAME, or leave it empty")
	}
}

// bucketForm says whether a place is s3://BUCKET/PREFIX or s3:BUCKET/PREFIX. Keys are never part of it.
func bucketForm(place string) bool {
	rest, ok := strings.CutPrefix(place, "s3:")
	bucket, _, _ := strings.Cut(strings.TrimPrefix(rest, "//"), "/")
	return ok && bucket != "" && !strings.Contains(bucket, "@")
}

func databaseForm(dsn string) bool {
	kind, path, _ := strings.Cut(dsn, ":")
	switch kind {
	case "":
		return dsn == ""
	case "sqlite":
		return path != ""
	case "postgres", "postgresql":
		u, err := url.Parse(dsn)
		return err == nil && strings.HasPrefix(path, "//") && (u.Host != "" || u.Path != "" || u.RawQuery != "")
	}
	return false
}

// Redact is the name of a place without the password that may stand in it. Of what can't be told apart, its scheme alone
// is left.
func Redact(place string) string {
	kind, _, named := strings.Cut(place, ":")
	u, err := url.Parse(place)
	switch {
	case kind == "dir", kind == "sqlite", err != nil && !strings.Contains(place, "@"):
	case !strings.Contains(place, "@"), err == nil && u.User != nil && u.Scheme != "s3" && strings.Count(place, "@") == 1:
		q := u.Query()
		if q.Has("password") {
			q.Set("password", "xxxxx")
			u.RawQuery = q.Encode()
		}
		if u.User != nil || q.Has("password") {
			place = u.Redacted()
		}
	case named && scheme.MatchString(kind):
		return kind + ":…"
	default:
		return "…"
	}
	return setPassword.ReplaceAllString(place, "${1}=xxxxx")
}

var (
	scheme      = regexp.MustCompile(`^[a-z][a-z0-9+.-]*$`)
	setPassword = regexp.MustCompile(`(?i)(password)\s*=\s*('[^']*'|[^\s&]*)`)
)

func (c Config) checkS3(v *findings) {
	if e := c.S3.Endpoint; e != "" {
		u, err := url.Parse(e)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || e != u.Scheme+"://"+u.Host {
			v.add("s3.endpoint", Redact(e), "write scheme, host and port alone, for example https://s3.example.org:9000")
		}
	}
	switch {
	case (c.S3.AccessKey == "") != (c.S3.SecretKey == ""):
		v.add("s3.access_key", c.S3.AccessKey, "s3.access_key and s3.secret_key belong together: set both or none")
	case c.S3.SessionToken != "" && c.S3.AccessKey == "":
		v.add("s3.session_token", "…", "it belongs to an s3.access_key and s3.secret_key: set all three")
	case c.S3.Profile != "" && c.S3.AccessKey != "":
		v.add("s3.profile", c.S3.Profile, "use either a profile of the AWS files or s3.access_key and s3.secret_key")
	}
	switch c.S3.PathStyle {
	case "auto", "true", "false":
	default:
		v.add("s3.path_style", c.S3.PathStyle, "use auto, true (HOST/BUCKET) or false (BUCKET.HOST)")
	}
}

var collectionName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

func (c Config) checkIdentity(v *findings) {
	if !collectionName.MatchString(c.Collection) {
		v.add("collection", c.Collection, "use up to 63 of a-z, 0-9, dot, dash and underscore, a letter or digit first")
	}
	if !archiveID.MatchString(c.ArchiveID) {
		v.add("archive_id", c.ArchiveID, "write a domain name, such as archive.example.org, or leave it empty")
	}
	if hasControl(c.Operator) {
		v.add("operator", c.Operator, "write one line of plain text")
	}
	if u, err := url.Parse(c.Contact); err != nil || hasControl(c.Contact) || u.Scheme != "mailto" && (u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		v.add("contact", c.Contact, "write an http(s) address or mailto:you@example.org")
	}
	if strings.TrimSpace(c.UserAgent) == "" || hasControl(c.UserAgent) || !ascii(c.UserAgent) {
		v.add("user_agent", c.UserAgent, "write one line of ASCII, for example Linkstead/{version} (+{contact})")
	}
	switch c.Robots {
	case "obey", "record", "ignore":
	default:
		v.add("robots", c.Robots, "use obey, record or ignore")
	}
}

func (c Config) checkNumbers(v *findings) {
	count := func(key string, n, low, high int) {
		if n < low || n > high {
			v.add(key, n, fmt.Sprintf("use %d to %d", low, high))
		}
	}
	span := func(key string, d Duration, low, high time.Duration) {
		if time.Duration(d) < low || time.Duration(d) > high {
			v.add(key, d, fmt.Sprintf("use %s to %s", Duration(low), Duration(high)))
		}
	}
	size := func(key string, s, low Size) {
		if s < low || s > 1<<50 {
			v.add(key, s, fmt.Sprintf("use %s to 1024TiB", low))
		}
	}
	count("concurrency", c.Concurrency, 1, 1000)
	count("per_host", c.PerHost, 1, 64)
	span("delay", c.Delay, 0, 24*time.Hour)
	count("retries", c.Retries, 0, 100)
	c.checkPoliteness(v, span)
	c.checkVerdicts(v, count, span)
	c.checkAudit(v, span)
	c.checkWatch(v, span, count)
	span("limits.connect", c.Limits.Connect, time.Millisecond, time.Hour)
	span("limits.headers", c.Limits.Headers, time.Millisecond, time.Hour)
	span("limits.idle", c.Limits.Idle, time.Millisecond, time.Hour)
	span("limits.total", c.Limits.Total, time.Millisecond, 7*24*time.Hour)
	span("limits.discover", c.Limits.Discover, time.Millisecond, time.Hour)
	size("limits.bytes", c.Limits.Bytes, 1<<10)
	size("limits.decoded", c.Limits.Decoded, 1<<10)
	count("limits.requisites", c.Limits.Requisites, 0, 1_000_000)
	count("limits.redirects", c.Limits.Redirects, 0, 100)
	size("limits.spill", c.Limits.Spill, 0)
	size("search.max_text", c.Search.MaxText, 1<<10)
	if c.Search.MaxText > 64<<20 {
		v.add("search.max_text", c.Search.MaxText, "use 64MiB at most")
	}
	for _, k := range (&c).keys() {
		if n, ok := k.dst.(*int); ok && strings.HasPrefix(k.name, "traps.") {
			count(k.name, *n, 0, 1<<31-1)
		}
	}
	size("segment.size", c.Segment.Size, 64<<10)
	size("spool.max", c.SpoolMax, 64<<10)
	size("spool.free", c.SpoolFree, 0)
	if c.MaxMemory != 0 {
		size("max_memory", c.MaxMemory, 96<<20)
	}
	span("segment.age", c.Segment.Age, time.Second, 24*time.Hour)
	span("segment.window", c.Segment.Window, 0, time.Second)
}

func (c Config) checkServe(v *findings) {
	host, ok := listenForm(c.Serve.Listen)
	if !ok {
		v.add("serve.listen", c.Serve.Listen, "write HOST:PORT, for example 127.0.0.1:8080")
	}
	if _, ok := listenForm(c.Serve.ReplayListen); !ok {
		v.add("serve.replay_listen", c.Serve.ReplayListen, "write HOST:PORT, for example 127.0.0.1:8081")
	}
	own, ok := originForm(c.Serve.Pages())
	if !ok && c.Serve.PagesOrigin != "" {
		v.add("serve.origin", c.Serve.PagesOrigin, "write scheme, host and port alone, for example https://archive.example.org, or leave it empty")
	}
	c.Serve.checkReplay(v, host, own)
}

// checkReplay sees to it that what an archived page may write, the archive's pages never read: cookies know no ports, and
// those of a name are those of the names below it as well (RFC 6265 §8.5, §5.1.3).
func (s Serve) checkReplay(v *findings, pages ...string) {
	if s.OneOrigin {
		return
	}
	copies, ok := originForm(strings.Replace(s.ReplayOrigin, "://*.", "://", 1))
	if !ok || strings.Contains(copies, "*") {
		v.add("serve.replay_origin", s.ReplayOrigin, "write scheme, host and port alone, for example http://*.replay.localhost:8081")
		return
	}
	if _, err := netip.ParseAddr(copies); err == nil && s.PerSite() {
		v.add("serve.replay_origin", s.ReplayOrigin, "an address has no names below it: name a host, or leave the \"*.\" out")
		return
	}
	for _, p := range pages {
		switch {
		case p == "":
		case strings.EqualFold(copies, p):
			v.add("serve.replay_origin", s.ReplayOrigin, "use another host name than serve.listen and serve.origin have: ports of one host share cookies")
			return
		case s.PerSite() && strings.EqualFold(site(copies), site(p)):
			v.add("serve.replay_origin", s.ReplayOrigin, fmt.Sprintf("it shares cookies with %s, where the pages are: use a domain of another owner, or leave the \"*.\" out", p))
			return
		}
	}
}

// site is the longest part of a host name for which cookies can be set: what is registered under a public suffix.
func site(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	if s, err := publicsuffix.EffectiveTLDPlusOne(strings.Trim(strings.ToLower(host), ".")); err == nil {
		return s
	}
	return host
}

// originForm gives the host name of scheme://host[:port], and whether that is the form.
func originForm(s string) (host string, ok bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || s != u.Scheme+"://"+u.Host {
		return "", false
	}
	return u.Hostname(), true
}

func listenForm(s string) (host string, ok bool) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return host, err == nil
}

func resolveForm(s string) bool {
	parts := strings.SplitN(s, ":", 3)
	if len(parts) < 3 || parts[0] == "" {
		return false
	}
	port, err := strconv.ParseUint(parts[1], 10, 16)
	if err != nil || port == 0 {
		return false
	}
	_, err = netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(parts[2], "["), "]"))
	return err == nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F })
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > '~' })
}
