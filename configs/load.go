package configs

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// key is one setting: its path, and where its value goes.
type key struct {
	name string
	dst  any // *string, *int, *float64, *bool, *[]string, *[]Site or an encoding.TextUnmarshaler
}

func (c *Config) keys() []key {
	return append([]key{
		{"archive", &c.Archive}, {"blobs", &c.Blobs}, {"db", &c.DB},
		{"spool.dir", &c.Spool}, {"spool.max", &c.SpoolMax}, {"spool.free", &c.SpoolFree},
		{"max_memory", &c.MaxMemory},
		{"s3.endpoint", &c.S3.Endpoint}, {"s3.region", &c.S3.Region}, {"s3.access_key", &c.S3.AccessKey},
		{"s3.secret_key", &c.S3.SecretKey}, {"s3.session_token", &c.S3.SessionToken}, {"s3.profile", &c.S3.Profile},
		{"s3.path_style", &c.S3.PathStyle},
		{"collection", &c.Collection}, {"operator", &c.Operator}, {"archive_id", &c.ArchiveID}, {"contact", &c.Contact}, {"user_agent", &c.UserAgent},
		{"from", &c.From},
		{"robots", &c.Robots}, {"concurrency", &c.Concurrency}, {"per_host", &c.PerHost}, {"delay", &c.Delay},
		{"retries", &c.Retries}, {"recrawl.conditional", &c.Recrawl.Conditional},
		{"politeness.factor", &c.Politeness.Factor}, {"politeness.max_delay", &c.Politeness.MaxDelay},
		{"politeness.retry_after", &c.Politeness.RetryAfter}, {"politeness.backoff", &c.Politeness.Backoff},
		{"politeness.max_backoff", &c.Politeness.MaxBackoff}, {"politeness.down_after", &c.Politeness.DownAfter},
		{"politeness.patience", &c.Politeness.Patience},
		{"audit.concurrency", &c.Audit.Concurrency}, {"audit.per_host", &c.Audit.PerHost}, {"audit.delay", &c.Audit.Delay},
		{"audit.retries", &c.Audit.Retries}, {"audit.timeout", &c.Audit.Timeout}, {"audit.max_time", &c.Audit.MaxTime},
		{"audit.max_redirects", &c.Audit.Redirects},
		{"watch.enabled", &c.Watch.Enabled}, {"watch.per_host", &c.Watch.PerHost}, {"watch.per_day", &c.Watch.PerDay},
		{"watch.canaries", &c.Watch.Canaries}, {"watch.window", &c.Watch.Window}, {"watch.every", &c.Watch.Every},
		{"watch.body", &c.Watch.Body},
		{"limits.connect", &c.Limits.Connect}, {"limits.headers", &c.Limits.Headers},
		{"limits.idle", &c.Limits.Idle}, {"limits.total", &c.Limits.Total},
		{"limits.discover", &c.Limits.Discover},
		{"limits.bytes", &c.Limits.Bytes}, {"limits.decoded", &c.Limits.Decoded},
		{"limits.requisites", &c.Limits.Requisites}, {"limits.redirects", &c.Limits.Redirects},
		{"limits.spill", &c.Limits.Spill},
		{"traps.length", &c.Traps.Length}, {"traps.path", &c.Traps.Path}, {"traps.fields", &c.Traps.Fields},
		{"traps.repeats", &c.Traps.Repeats}, {"traps.growth", &c.Traps.Growth}, {"traps.ahead", &c.Traps.Ahead},
		{"traps.back", &c.Traps.Back}, {"traps.host", &c.Traps.Host}, {"traps.depth", &c.Traps.Depth},
		{"traps.pattern", &c.Traps.Pattern}, {"traps.same", &c.Traps.Same}, {"traps.lists", &c.Traps.Lists},
		{"traps.nested", &c.Traps.Nested}, {"traps.nested_host", &c.Traps.NestedHost},
		{"segment.size", &c.Segment.Size}, {"segment.age", &c.Segment.Age}, {"segment.window", &c.Segment.Window},
		{"serve.listen", &c.Serve.Listen}, {"serve.replay_listen", &c.Serve.ReplayListen},
		{"serve.replay_origin", &c.Serve.ReplayOrigin}, {"serve.origin", &c.Serve.PagesOrigin}, {"serve.capture_now", &c.Serve.CaptureNow},
		{"replay.fuzzy", &c.Replay.Fuzzy}, {"replay.fuzzy_rules", &c.Replay.FuzzyRules}, {"replay.elsewhere", &c.Replay.Elsewhere},
		{"serve.insecure_one_origin", &c.Serve.OneOrigin},
		{"search.index", &c.Search.Index}, {"search.max_text", &c.Search.MaxText},
		{"replay.open_index", &c.Replay.OpenIndex}, {"replay.collections", &c.Replay.Collections}, {"replay.viewers", &c.Replay.Viewers},
		{"readers.sites", &c.Readers.Sites}, {"readers.ask", &c.Readers.Ask},
		{"readers.ask_timeout", &c.Readers.AskTimeout}, {"readers.ask_keep", &c.Readers.AskKeep},
		{"log.format", &c.Log.Format}, {"log.level", &c.Log.Level},
		{"cookies", &c.Cookies}, {"language", &c.Language}, {"sites", &c.Sites},
		{"allow_private", &c.AllowPrivate}, {"allow_networks", &c.AllowNetworks}, {"deny_networks", &c.DenyNetworks},
		{"resolve", &c.Resolve}, {"tls.verify", &c.TLS.Verify},
		{"walls", &c.Walls},
	}, c.verdictKeys()...)
}

// Load gives the defaults, overlaid by the file and then by the environment, and validated. An empty file name means
// the file that LINKSTEAD_CONFIG names, or none. Flags are laid on by the caller, who calls Validate again: what a flag
// may still add is not missed before.
func Load(file string, getenv func(string) string) (Config, error) {
	var c Config
	if err := c.overlay("default.yaml", defaults); err != nil {
		return Config{}, err
	}
	c.given = map[string]bool{}
	if file == "" {
		file = getenv("LINKSTEAD_CONFIG")
	}
	if file != "" {
		data, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			return Config{}, fmt.Errorf("the configuration file %s does not exist: check --config and LINKSTEAD_CONFIG", file)
		}
		if err != nil {
			return Config{}, fmt.Errorf("read configuration: %w", err)
		}
		if err := c.overlay(file, data); err != nil {
			return Config{}, err
		}
	}
	for _, k := range c.keys() {
		name := EnvName(k.name)
		if v := getenv(name); v != "" {
			if err := set(k.dst, v); err != nil {
				return Config{}, fmt.Errorf("%s: %w", name, err)
			}
			c.given[k.name] = true
		}
	}
	return c, c.validate(false)
}

// EnvName is the environment variable of a key: limits.total has LINKSTEAD_LIMITS_TOTAL.
func EnvName(key string) string {
	return "LINKSTEAD_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// overlay sets what a YAML document names. Errors name the file, the line and the key.
func (c *Config) overlay(file string, data []byte) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return noYAML(file, data, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s holds more than one YAML document: keep the settings in one, without ---", file)
	}
	l := layer{file: file, keys: c.keys(), seen: map[string]int{}}
	if err := l.mapping("", doc.Content[0]); err != nil {
		return err
	}
	c.given = map[string]bool{}
	for name := range l.seen {
		c.given[name] = true
	}
	return nil
}

// noYAML tells which line can't be read. The library counts some from 0, and names where others' block begins.
func noYAML(file string, data []byte, err error) error {
	why := strings.TrimPrefix(err.Error(), "yaml: ")
	if strings.Contains(why, "unknown anchor") { // it would tell the value
		why = "a value that begins with * or & stands in quotes"
	}
	const most = 2000 // lines that are looked at: a file of settings has fewer
	lines := bytes.SplitAfter(data, []byte("\n"))
	if len(lines) > most {
		return fmt.Errorf("%s is no YAML: %s", file, why)
	}
	if _, rest, numbered := strings.Cut(why, ": "); numbered && strings.HasPrefix(why, "line ") {
		why = rest
	}
	// With the line at fault the file can't be read, however much of it is left out after that.
	n, end := len(lines), len(data)
	for ; n > 1; n-- {
		end -= len(lines[n-1])
		err := yaml.NewDecoder(bytes.NewReader(data[:end])).Decode(new(yaml.Node))
		if err == nil || errors.Is(err, io.EOF) {
			break
		}
	}
	return fmt.Errorf("%s is no YAML: line %d: %s", file, n, why)
}

// layer is one YAML document on its way into a Config.
type layer struct {
	file string
	keys []key
	seen map[string]int // line on which a key stands

	guide string // lists the keys; default.yaml without it
}

func (l *layer) errorf(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", l.file, n.Line, fmt.Errorf(format, args...))
}

// word is a name out of a file as an error tells it: in quotes if it is no plain word.
func word(s string) string {
	if len(s) > 100 || strings.ContainsFunc(s, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }) {
		return fmt.Sprintf("%.100q", s)
	}
	return s
}

func (l *layer) mapping(path string, n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return l.errorf(n, "expected keys and values here, as in delay: 500ms")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Kind != yaml.ScalarNode {
			return l.errorf(n.Content[i], "expected a key here: write it out; aliases are not read")
		}
		name := path + n.Content[i].Value
		if line, twice := l.seen[name]; twice {
			return l.errorf(n.Content[i], "%s was set on line %d already: keep one of them", word(name), line)
		}
		l.seen[name] = n.Content[i].Line
		if err := l.entry(name, n.Content[i], n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (l *layer) entry(name string, at, value *yaml.Node) error {
	for _, k := range l.keys {
		if k.name == name {
			return l.value(k, value)
		}
		if strings.HasPrefix(k.name, name+".") {
			return l.mapping(name+".", value)
		}
	}
	return l.errorf(at, "unknown key %s: %s", word(name), l.suggest(name))
}

func (l *layer) value(k key, n *yaml.Node) error {
	if list, ok := k.dst.(*[]string); ok && n.Kind == yaml.SequenceNode {
		*list = nil
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return l.errorf(item, "%s is a list of plain values", k.name)
			}
			*list = append(*list, item.Value)
		}
		return nil
	}
	if sites, ok := k.dst.(*[]Site); ok {
		return l.sites(sites, n)
	}
	if n.Kind != yaml.ScalarNode {
		return l.errorf(n, "%s takes one plain value", k.name)
	}
	if n.Tag == "!!null" {
		return nil
	}
	if err := set(k.dst, n.Value); err != nil {
		return l.errorf(n, "%s: %w", k.name, err)
	}
	return nil
}

// set reads one value into its place.
func set(dst any, s string) error {
	switch d := dst.(type) {
	case *string:
		*d = s
	case *int:
		v, err := strconv.Atoi(s)
		if err != nil {
			return fmt.Errorf("%q is no whole number", s)
		}
		*d = v
	case *float64:
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return fmt.Errorf("%q is no number", s)
		}
		*d = v
	case *bool:
		v, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", s)
		}
		*d = v
	case *[]string:
		*d = nil
		for item := range strings.SplitSeq(s, ",") {
			if item = strings.TrimSpace(item); item != "" {
				*d = append(*d, item)
			}
		}
	case *[]Site:
		return errors.New("sites can't be said in a variable: write them into a file, where ${NAME} stands for a variable's value")
	case encoding.TextUnmarshaler:
		return d.UnmarshalText([]byte(s))
	default:
		return fmt.Errorf("a setting of type %T can't be read", dst)
	}
	return nil
}

// Keys lists every key by its path, as in limits.total.
func Keys() []string {
	var names []string
	for _, k := range new(Config).keys() {
		names = append(names, k.name)
	}
	return names
}
