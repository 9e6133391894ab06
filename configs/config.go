// Package configs holds the settings of the program: defaults, then a file, then the environment; flags come last and
// are laid on by the commands. It checks all of it once, at load. It imports nothing of ours, and only cmd imports it:
// every other package is handed just what it needs.
package configs

import (
	_ "embed"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
)

// Config is every setting. Load gives a complete one; a zero Config is not valid.
type Config struct {
	Archive string // folder of the archive, or "s3://BUCKET/PREFIX"
	Blobs   string // "dir:PATH", "s3://BUCKET/PREFIX", or empty; see BlobStore
	DB      string // "sqlite:PATH", "postgres://…", or empty; see Database
	Spool   string // a folder, or empty; see SpoolDir
	S3      S3

	SpoolMax  Size // bytes that wait in the spool before capture pauses
	SpoolFree Size // bytes left free on its disk

	MaxMemory Size // bytes that the process may take; 0: no bound of ours

	Collection string // what captures go into
	Operator   string // who runs the archive; may be empty
	ArchiveID  string // domain name by which PWIDs name the archive; may be empty
	Contact    string // where the owner of a site finds out who is asking
	UserAgent  string // with {version} and {contact}; see Agent
	From       string // e-mail address of the From header; empty: none is sent

	Robots      string   // obey, record or ignore
	Concurrency int      // hosts at the same time
	PerHost     int      // requests to one host at the same time
	Delay       Duration // between requests to one host
	Retries     int      // tries after the first
	Politeness  Politeness

	Recrawl Recrawl
	Audit   Audit
	Watch   Watch
	Limits  Limits
	Traps   Traps
	Segment Segment
	Serve   Serve
	Replay  Replay
	Search  Search
	Readers Readers
	Log     Log

	Cookies  string // off, session, or a file of cookies
	Language string // Accept-Language; may be empty
	Sites    []Site // how some hosts are asked; see OpenSites

	AllowPrivate  bool     // private and loopback addresses may be dialled
	AllowNetworks []string // private networks that may be dialled, as address/bits
	DenyNetworks  []string // networks that may never be dialled, as address/bits
	Resolve       []string // HOST:PORT:ADDRESS
	TLS           TLS

	Verdicts Verdicts // on links, over time

	Walls string // a file of rules for walls, beside those of the program; or empty

	given map[string]bool // keys that a file or the environment sets
}

// Given says whether a file or the environment sets a key: what else has a say may overrule a mere default.
func (c Config) Given(key string) bool { return c.given[key] }

// S3 says where and as whom an S3 store is asked. What is empty is taken from the environment (AWS_…) and the AWS files
// by whoever opens the store.
type S3 struct {
	Endpoint     string // http(s)://HOST[:PORT]
	Region       string
	AccessKey    string // with SecretKey
	SecretKey    string
	SessionToken string // of temporary credentials
	Profile      string // of the AWS files
	PathStyle    string // auto, true or false
}

// Recrawl says how pages are asked for that the archive has already.
type Recrawl struct {
	Conditional bool // only if they have changed (RFC 9110 §13)
}

// Limits bound one exchange and one page.
type Limits struct {
	Connect    Duration // name lookup, connection and TLS handshake
	Headers    Duration // from the request to the end of the response's headers
	Idle       Duration // without a byte of the body
	Total      Duration // the whole exchange
	Discover   Duration // to decode a document, and then to find what it leads to
	Bytes      Size     // of a response, as they cross the wire
	Decoded    Size     // of a document that is searched for links
	Requisites int      // of one page
	Redirects  int      // in a row
	Spill      Size     // of a response held in memory
}

// Traps are limits against what a site makes up without end. 0 switches one off.
type Traps struct {
	Length  int // bytes of an address
	Path    int // segments of its path
	Fields  int // of its query
	Repeats int // of segments in a row, or of a field
	Growth  int // segments beyond the source's, of a path that grows from page to page
	Ahead   int // years, of a calendar's page
	Back    int // the same, into the past
	Host    int // pages of a host
	Depth   int // pages of a host at one depth
	Pattern int // pages of a host under one pattern
	Same    int // pages in a row under one pattern with the same content
	Lists   int // sitemaps and feeds of a host

	Nested     int // requisites of the requisites of a page
	NestedHost int // requisites that those of a host name
}

// Segment says when a WARC file is sealed, and how exchanges are grouped.
type Segment struct {
	Size   Size
	Age    Duration
	Window Duration // how long an exchange waits for others to be acknowledged with it
}

// TLS says what certificates mean.
type TLS struct {
	Verify string // record or require
}

// Serve says where the archive is to be seen.
type Serve struct {
	Listen       string // host:port of the pages
	ReplayListen string // host:port of the replay
	ReplayOrigin string // how a browser names the replay, scheme://host[:port]; "*." before the host for a host an archived site
	OneOrigin    bool   // pages and copies on one listener and one origin: insecure
	PagesOrigin  string // how a browser names the pages, or empty; see Pages
	CaptureNow   bool   // a person at this machine may begin a capture on the pages
}

// Search says what is kept for finding pages by what they say.
type Search struct {
	Index   bool // texts of captures are indexed, beside captures and serving
	MaxText Size // of the text of a document
}

// Log says what is logged, and how.
type Log struct {
	Format string // auto, text or json
	Level  string // auto, debug, info, warn or error
}

// defaultOrigin is how a browser names the replay unless somebody says otherwise.
const defaultOrigin = "http://*.replay.localhost:8081"

// Origin is how a browser names the replay: ReplayOrigin without its "*.", or if nobody has set it, with the port of ReplayListen.
func (s Serve) Origin() string {
	if s.OneOrigin {
		return s.Pages()
	}
	if _, port, err := net.SplitHostPort(s.ReplayListen); err == nil && s.ReplayOrigin == defaultOrigin {
		return "http://replay.localhost:" + port
	}
	return strings.Replace(s.ReplayOrigin, "://*.", "://", 1)
}

// PerSite says whether each archived site has a host of its own, below that of Origin.
func (s Serve) PerSite() bool { return !s.OneOrigin && strings.Contains(s.ReplayOrigin, "://*.") }

// Pages is how a browser names the archive's own pages: PagesOrigin, or if it is empty, what is listened on. Where that is
// every address of the machine, which is no name, it is localhost.
func (s Serve) Pages() string {
	if s.PagesOrigin != "" {
		return s.PagesOrigin
	}
	host, port, err := net.SplitHostPort(s.Listen)
	if addr, bad := netip.ParseAddr(host); err == nil && (host == "" || bad == nil && addr.IsUnspecified()) {
		return "http://localhost:" + port
	}
	return "http://" + s.Listen
}

//go:embed default.yaml
var defaults []byte

// DefaultYAML is the default configuration with its explanations: what a person copies to begin a file of their own.
func DefaultYAML() []byte { return append([]byte(nil), defaults...) }

// BlobStore is where bytes are kept: "dir:PATH" or "s3://BUCKET/PREFIX".
func (c Config) BlobStore() string {
	switch {
	case c.Blobs != "":
		return c.Blobs
	case inS3(c.Archive):
		return c.Archive
	}
	return "dir:" + c.Archive
}

// Database is where rows are kept: "sqlite:PATH" or "postgres://…". An archive in S3 has no place for one of its own;
// Validate sees to it that one is named.
func (c Config) Database() string {
	if c.DB != "" || inS3(c.Archive) {
		return c.DB
	}
	return "sqlite:" + filepath.Join(c.Archive, "linkstead.db")
}

// SpoolDir is the folder of segments that are not stored yet: on this machine, wherever the archive is.
func (c Config) SpoolDir() string {
	switch {
	case c.Spool != "":
		return c.Spool
	case inS3(c.Archive):
		return "linkstead-spool"
	}
	return filepath.Join(c.Archive, "spool")
}

func inS3(place string) bool { return strings.HasPrefix(place, "s3:") }

// Networks reads a list of networks, each as address/bits, or as one address. The entries at fault are told by place.
func Networks(list []string) (nets []netip.Prefix, bad []int) {
	for i, s := range list {
		p, err := netip.ParsePrefix(s)
		if a, aerr := netip.ParseAddr(s); err != nil && aerr == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		if err != nil || p.Addr().Is4In6() || p != p.Masked() {
			bad = append(bad, i)
			continue
		}
		nets = append(nets, p)
	}
	return nets, bad
}

// Agent is the User-Agent header of this version of the program.
func (c Config) Agent(version string) string {
	return strings.NewReplacer("{version}", version, "{contact}", c.Contact).Replace(c.UserAgent)
}
