package link

import (
	"net/netip"
	"net/url"
	"path"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// address is a URL in the parts that the rules compare.
type address struct {
	host  string // without "www." and a port that goes without saying, in lower case
	path  string // without a slash at the end and the name of an index
	query string
}

func parse(s string) (a address, ok bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return address{}, false
	}
	a.host = strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), "www.")
	if p := u.Port(); p != "" && p != "80" && p != "443" {
		a.host += ":" + p
	}
	a.path, a.query = strings.TrimSuffix(u.EscapedPath(), "/"), u.RawQuery
	dir, last := path.Split(a.path)
	if name, ext, _ := strings.Cut(strings.ToLower(last), "."); (name == "index" || name == "default") && isPageExt(ext) {
		a.path = strings.TrimSuffix(dir, "/")
	}
	return a, true
}

func isPageExt(ext string) bool {
	switch ext {
	case "", "html", "htm", "xhtml", "shtml", "php", "asp", "aspx", "jsp":
		return true
	}
	return false
}

// samePage says whether two addresses differ in nothing but the scheme, "www.", a slash at the end, the name of an index or
// a fragment: what leads from one to the other is no redirect worth telling.
func samePage(a, b string) bool {
	x, ok := parse(a)
	y, ok2 := parse(b)
	return a == b || ok && ok2 && x == y
}

// site is the registrable domain of an address; two addresses of different sites have different owners.
func site(s string) string {
	a, ok := parse(s)
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(a.host, ":")
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return domain
	}
	return host
}

// home says whether an address is a site's own front page.
func (a address) home() bool { return a.path == "" && a.query == "" }

// root says whether a redirect to an address leads to a front page: of the site, or of one of its languages.
func (a address) root() bool {
	p := strings.ToLower(strings.TrimPrefix(a.path, "/"))
	if a.query != "" || strings.Contains(p, "/") {
		return false
	}
	lang, region, both := strings.Cut(strings.ReplaceAll(p, "_", "-"), "-")
	return p == "" || p == "home" || p == "index" || len(lang) == 2 && (!both || len(region) == 2)
}

// deep says whether an address names one page among many: by a folder, a query, a number, or a name too long for a section.
func (a address) deep() bool {
	p := strings.TrimPrefix(a.path, "/")
	return a.query != "" || strings.Contains(p, "/") || len(p) >= 12 || strings.ContainsAny(p, ".0123456789")
}
