package warc

import (
	"net/netip"
	"slices"
	"strings"
)

// headerCheck verifies the header of one record against WARC 1.1 §5 and §6.
type headerCheck struct {
	h     *Header
	fault func(clause, format string, args ...any)
}

func (c *headerCheck) all() {
	if c.h.Version != version {
		c.fault("§4", "version %q", c.h.Version)
	}
	c.fields()
	c.mandatory()
	c.allowed()
	c.values()
}

// fields verifies the form of fields and that none is repeated that must not be.
func (c *headerCheck) fields() {
	names := map[string]bool{}
	for _, f := range c.h.Fields {
		name := strings.ToLower(f.Name)
		if names[name] && name != strings.ToLower(fieldConcurrent) {
			c.fault("§5.1", "%s is repeated", f.Name)
		}
		names[name] = true
		if strings.ContainsFunc(f.Name, func(r rune) bool {
			return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
		}) {
			c.fault("§4", "%q is no field name", f.Name)
		}
		if f.Value != "" && !cleanValue(f.Value) {
			c.fault("§4", "%s holds control characters, or is not UTF-8", f.Name)
		}
	}
}

func (c *headerCheck) mandatory() {
	t := c.h.Type()
	if !isID(c.h.ID()) {
		c.fault("§5.2", "WARC-Record-ID %q is no URI in angle brackets", c.h.ID())
	}
	if date := c.h.Get(fieldDate); c.h.Date().IsZero() || !strings.HasSuffix(date, "Z") {
		c.fault("§5.4", "WARC-Date %q is no UTC time", date)
	}
	if !slices.Contains([]Type{TypeWarcinfo, TypeResponse, TypeResource, TypeRequest, TypeMetadata, TypeRevisit, "conversion", "continuation"}, t) {
		c.fault("§5.5", "WARC-Type %q", t)
	}
	if c.h.Get(fieldContentType) == "" && c.h.Length > 0 && t != "continuation" {
		c.fault("§5.6", "no Content-Type")
	}
	if c.h.Get(fieldBlockDigest) == "" {
		c.fault("§5.8", "no WARC-Block-Digest")
	}
	switch t {
	case TypeResponse, TypeResource, TypeRequest, TypeRevisit, "conversion", "continuation":
		if err := checkURL(c.h.URL()); err != nil {
			c.fault("§5.14", "WARC-Target-URI: %v", err)
		}
	}
	if t == TypeRevisit && c.h.Get(fieldProfile) != ProfileIdentical {
		c.fault("§5.18", "WARC-Profile %q", c.h.Get(fieldProfile))
	}
}

// notOn lists the types on which a field must not stand.
var notOn = []struct {
	field, clause string
	types         []Type
}{
	{fieldConcurrent, "§5.7", []Type{TypeWarcinfo, "conversion", "continuation"}},
	{fieldPayloadDigest, "§5.9", []Type{TypeWarcinfo, TypeMetadata}},
	{fieldIP, "§5.10", []Type{TypeWarcinfo, "conversion", "continuation"}},
	{fieldRefersTo, "§5.11", []Type{TypeWarcinfo, TypeResponse, TypeResource, TypeRequest, "continuation"}},
	{fieldRefersURI, "§5.12", []Type{TypeWarcinfo, TypeResponse, TypeMetadata, "conversion", TypeResource, TypeRequest, "continuation"}},
	{fieldRefersDate, "§5.13", []Type{TypeWarcinfo, TypeResponse, TypeMetadata, "conversion", TypeResource, TypeRequest, "continuation"}},
	{fieldURI, "§5.14", []Type{TypeWarcinfo}},
	{fieldWarcinfo, "§5.16", []Type{TypeWarcinfo}},
	{fieldFilename, "§5.17", []Type{TypeResponse, TypeResource, TypeRequest, TypeMetadata, TypeRevisit, "conversion", "continuation"}},
	{fieldProfile, "§5.18", []Type{TypeWarcinfo, TypeResponse, TypeResource, TypeRequest, TypeMetadata, "conversion", "continuation"}},
}

func (c *headerCheck) allowed() {
	for _, n := range notOn {
		if c.h.Get(n.field) != "" && slices.Contains(n.types, c.h.Type()) {
			c.fault(n.clause, "%s on a record of type %s", n.field, c.h.Type())
		}
	}
}

// values verifies fields that may be missing.
func (c *headerCheck) values() {
	for _, name := range []string{fieldConcurrent, fieldRefersTo, fieldWarcinfo} {
		for _, id := range c.h.All(name) {
			if !isID(id) {
				c.fault("§5.2", "%s %q is no URI in angle brackets", name, id)
			}
		}
	}
	if ip := c.h.Get(fieldIP); ip != "" {
		if _, err := netip.ParseAddr(ip); err != nil {
			c.fault("§5.10", "WARC-IP-Address %q", ip)
		}
	}
	if d := c.h.Get(fieldRefersDate); d != "" && parseDate(d).IsZero() {
		c.fault("§5.13", "WARC-Refers-To-Date %q is no time", d)
	}
	if t := c.h.Get(fieldTruncated); t != "" && !slices.Contains([]string{"length", "time", "disconnect", "unspecified"}, t) {
		c.fault("§5.15", "WARC-Truncated %q", t)
	}
	if c.h.Type() == TypeRevisit && c.h.Get(fieldTruncated) != "" {
		c.fault("§5.15", "a revisit that is truncated")
	}
}

func isID(s string) bool {
	return len(s) > 3 && s[0] == '<' && s[len(s)-1] == '>' && !strings.ContainsAny(s[1:len(s)-1], "<> \t") && checkURL(s[1:len(s)-1]) == nil
}
