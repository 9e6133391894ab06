package configs

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Secret is a value that is never told: printed in any way, it is three dots.
type Secret string

// String hides the value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "…"
}

// GoString hides the value.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// minSecret is the shortest value, in bytes, that counts as a secret: what is shorter can't be masked in a page without
// eating it.
const minSecret = 6

// Site says how the hosts of one pattern are asked. Until it was opened (see Config.OpenSites), its values may hold
// references: ${NAME} to a variable of the environment, ${file:PATH} to a file.
type Site struct {
	Host     string // example.org, .example.org, either with :PORT
	User     Secret // of basic authentication
	Password Secret
	Headers  []Header // with secret values
	Public   []Header // with values that are no secrets
	Language string   // Accept-Language
	Plain    bool     // secrets go over plain http, too

	Referred []Secret // what references stood for; of an opened site
	where    string   // file and line
}

// Header is a header field of requests.
type Header struct {
	Name  string
	Value Secret
}

// maxSites bounds the list of sites: it is looked through for each request.
const maxSites = 500

// sites reads the list of sites. No error tells a value that may be secret.
func (l *layer) sites(to *[]Site, n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		return l.errorf(n, "sites is a list: begin each site with - host: NAME")
	}
	if len(n.Content) > maxSites {
		return l.errorf(n, "sites: more than %d: a pattern such as .example.org is for a domain and all hosts under it", maxSites)
	}
	*to = nil
	for _, item := range n.Content {
		s := Site{where: fmt.Sprintf("%s:%d", l.file, item.Line)}
		if err := l.site(&s, item); err != nil {
			return err
		}
		*to = append(*to, s)
	}
	return nil
}

var siteKeys = []string{"host", "user", "password", "headers", "public_headers", "language", "plain_http"}

func (l *layer) site(s *Site, n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return l.errorf(n, "expected a site here: - host: NAME, and what goes for it below")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		if seen[key] {
			return l.errorf(n.Content[i], "sites: %s stands twice in one site: keep one of them", word(key))
		}
		seen[key] = true
		plain := map[string]*string{
			"host": &s.Host, "user": (*string)(&s.User), "password": (*string)(&s.Password), "language": &s.Language,
		}
		switch to := plain[key]; {
		case to != nil && value.Kind == yaml.ScalarNode && value.Tag != "!!null":
			*to = value.Value
		case to != nil:
			return l.errorf(value, "sites: %s takes one plain value: put it in quotes", key)
		case key == "headers", key == "public_headers":
			hs, err := l.headers(key, value)
			if err != nil {
				return err
			}
			if key == "headers" {
				s.Headers = hs
			} else {
				s.Public = hs
			}
		case key == "plain_http":
			if value.Value != "true" && value.Value != "false" {
				return l.errorf(value, "sites: plain_http is true or false")
			}
			s.Plain = value.Value == "true"
		default:
			return l.errorf(n.Content[i], "sites: unknown key %s: a site has %s", word(key), strings.Join(siteKeys, ", "))
		}
	}
	if err := s.check(); err != nil {
		return l.errorf(n, "sites: %w", err)
	}
	return nil
}

func (l *layer) headers(key string, n *yaml.Node) ([]Header, error) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		return nil, l.errorf(n, "sites: %s has one NAME: VALUE a line below it", key)
	}
	var out []Header
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		if name.Kind != yaml.ScalarNode || value.Kind != yaml.ScalarNode {
			return nil, l.errorf(name, "sites: %s has one NAME: VALUE a line below it", key)
		}
		for _, h := range out {
			if strings.EqualFold(h.Name, name.Value) {
				return nil, l.errorf(name, "sites: the header %s stands twice: keep one of them", word(name.Value))
			}
		}
		out = append(out, Header{name.Value, Secret(value.Value)})
	}
	return out, nil
}

var (
	sitePattern  = regexp.MustCompile(`^(\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)
	headerName   = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")
	languageForm = regexp.MustCompile(`^[A-Za-z0-9*;=., -]{0,200}$`)
	reference    = regexp.MustCompile(`\$\{([^}]*)\}`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// check tells what is wrong with a site, without a value.
func (s Site) check() error {
	if !sitePattern.MatchString(s.Host) {
		return fmt.Errorf("host %.100q is no host: write example.org, .example.org for all hosts under it too, or either with :PORT", s.Host)
	}
	if host, _, _ := strings.Cut(strings.TrimPrefix(s.Host, "["), "]"); strings.HasPrefix(s.Host, "[") {
		if _, err := netip.ParseAddr(host); err != nil {
			return fmt.Errorf("host %.100q is no address", s.Host)
		}
	}
	if s.User != "" && s.Password == "" || s.Password != "" && s.User == "" {
		return fmt.Errorf("%s: user and password belong together: set both or none", s.Host)
	}
	if !referring(s.User) && strings.Contains(string(s.User), ":") {
		return fmt.Errorf("%s: user must have no colon in it: it ends the name", s.Host)
	}
	if !languageForm.MatchString(s.Language) {
		return fmt.Errorf("%s: language is no Accept-Language: write it as en, or de-CH, de;q=0.9, en;q=0.5", s.Host)
	}
	for _, h := range slices.Concat(s.Headers, s.Public) {
		if err := s.checkHeader(h); err != nil {
			return fmt.Errorf("%s: %w", s.Host, err)
		}
	}
	secrets := []Header{{"password", s.Password}}
	for _, h := range slices.Concat(secrets, s.Headers) {
		if len(h.Value) < minSecret && !referring(h.Value) && (h.Value != "" || h.Name != "password") {
			return fmt.Errorf("%s: %s is shorter than %d bytes, and could not be hidden in a page without eating it; if it is no secret, put it under public_headers", s.Host, h.Name, minSecret)
		}
		if err := checkValue(h.Value); err != nil {
			return fmt.Errorf("%s: %s: %w", s.Host, h.Name, err)
		}
	}
	return checkValue(s.User)
}

func (s Site) checkHeader(h Header) error {
	switch strings.ToLower(h.Name) {
	case "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect", "keep-alive", "proxy-connection",
		"proxy-authorization", "content-encoding", "content-type":
		return fmt.Errorf("the header %s is not yours to set: it frames the request or names its host", h.Name)
	case "accept-encoding", "range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since":
		return fmt.Errorf("the header %s is not yours to set: what is kept would be another thing than the page", h.Name)
	case "cookie":
		return fmt.Errorf("the header Cookie is not set here: put the cookies into a file, and name it by cookies")
	case "accept-language":
		return fmt.Errorf("the header Accept-Language is set by language")
	case "authorization":
		if s.Password != "" {
			return fmt.Errorf("the header Authorization is made of user and password: keep one of them")
		}
		if slices.ContainsFunc(s.Public, func(p Header) bool { return strings.EqualFold(p.Name, h.Name) }) {
			return fmt.Errorf("the header Authorization is a secret: put it under headers")
		}
	}
	if !headerName.MatchString(h.Name) {
		return fmt.Errorf("%.40q is no name of a header", h.Name)
	}
	return checkValue(h.Value)
}

// checkValue says what is wrong with a value, without telling it.
func checkValue(v Secret) error {
	if strings.ContainsFunc(string(v), func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("the value holds a line break or another control character: write one line of plain text")
	}
	for _, m := range reference.FindAllStringSubmatch(string(v), -1) {
		name := m[1]
		switch path, file := strings.CutPrefix(name, "file:"); {
		case file && path == "", !file && !variableName.MatchString(name):
			return errors.New("a reference is ${NAME} of the environment, or ${file:PATH}")
		case strings.HasPrefix(name, envPrefix):
			return fmt.Errorf("${%s} begins as settings do: give the variable another name", name)
		}
	}
	return nil
}

// referring says whether a value has references in it.
func referring(v Secret) bool { return reference.MatchString(string(v)) }

// maxReferred bounds a file that a reference names, in bytes.
const maxReferred = 16 << 10

// OpenSites gives the sites with the values for which their references stand. Errors name the site, and never a value.
func (c Config) OpenSites(getenv func(string) string) ([]Site, error) {
	out := make([]Site, 0, len(c.Sites))
	for _, s := range c.Sites {
		s.Headers, s.Public = slices.Clone(s.Headers), slices.Clone(s.Public)
		if err := s.open(getenv); err != nil {
			return nil, fmt.Errorf("%s: sites: %w", s.where, err)
		}
		out = append(out, s)
	}
	return out, nil
}

func (s *Site) open(getenv func(string) string) error {
	values := []*Secret{&s.User, &s.Password}
	for i := range s.Headers {
		values = append(values, &s.Headers[i].Value)
	}
	public := len(values)
	for i := range s.Public {
		values = append(values, &s.Public[i].Value)
	}
	for i, v := range values {
		var failed error
		*v = Secret(reference.ReplaceAllStringFunc(string(*v), func(m string) string {
			value, err := refer(m[2:len(m)-1], getenv)
			if err != nil && failed == nil {
				failed = fmt.Errorf("%s: %w", s.Host, err)
			}
			if i > 0 && i < public && len(value) >= minSecret {
				s.Referred = append(s.Referred, Secret(value))
			}
			return value
		}))
		if failed != nil {
			return failed
		}
	}
	for _, v := range values {
		if strings.ContainsFunc(string(*v), func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("%s: a reference stands for a value with a line break or another control character in it", s.Host)
		}
	}
	for _, v := range values[1:public] {
		if len(*v) < minSecret && (*v != "" || s.User != "") {
			return fmt.Errorf("%s: a secret is shorter than %d bytes, and could not be hidden in a page without eating it", s.Host, minSecret)
		}
	}
	if strings.Contains(string(s.User), ":") {
		return fmt.Errorf("%s: user must have no colon in it: it ends the name", s.Host)
	}
	return nil
}

// refer gives what a reference stands for.
func refer(name string, getenv func(string) string) (string, error) {
	path, file := strings.CutPrefix(name, "file:")
	if !file {
		if v := getenv(name); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("the variable %s is not set: export it, or write ${file:PATH}", name)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxReferred+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("read a secret: %w", err)
	}
	v := strings.TrimRight(string(b), "\r\n")
	if v == "" || len(b) > maxReferred {
		return "", fmt.Errorf("the file %s holds no secret: it is empty, or longer than %d KiB", path, maxReferred>>10)
	}
	return v, nil
}
