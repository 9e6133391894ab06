package cite

import (
	"cmp"
	"net/url"
	"strings"
	"time"
)

// Record is what is cited: a copy of a page, or an attempt to get one.
type Record struct {
	ID ID
	// Permanent is the short address that leads to what the identifier names, whatever becomes of it; empty: there is none.
	Permanent string
	Meta      Meta
	URL       string    // of the original, as it was captured
	Memento   string    // address of the copy; empty of an attempt
	Evidence  string    // address of the archive's page on it
	Captured  time.Time // or attempted
	Failure   string    // why there is no good copy, in words, as report.Fate tells it; empty: there is one
	Digests   []string  // of the payload, as "sha256:" + base32
	Name      string    // of its WARC record, "urn:uuid:…"
	Archive   string    // who keeps it, for people
	PWIDName  string    // who keeps it, in PWIDs: a domain name; empty: it has no PWID
	Quote     string    // the sentence that is cited of it
	Cited     Date      // when its author cited it …
	CitedIn   string    // … and in what: "the post"
	Live      string    // what is known of the original today: a word of archive/link; empty: nothing
	Repaired  string    // how its link was found again, in words, where the post has lost it; empty: the post has it
	NoPage    bool      // the copy shows an error or a wall in the place of the page
	Dead      bool      // when it was asked for, nothing good came, and that was no rule of ours and no wall
}

// Title is what the page is called, or its address without the scheme if it has no title.
func (r *Record) Title() string {
	if t := r.Meta.Title.Value; t != "" {
		return t
	}
	_, rest, _ := strings.Cut(r.URL, "://")
	return cmp.Or(plain(strings.TrimSuffix(rest, "/"), maxTitle), "untitled")
}

// Site is the name of the website, or its host.
func (r *Record) Site() string {
	if s := r.Meta.Site.Value; s != "" {
		return s
	}
	u, err := url.Parse(r.URL)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Hostname(), "www.")
}

// Type is the record's type, in the words of CSL.
func (r *Record) Type() string { return cmp.Or(r.Meta.Type.Value, webpage) }

// Link is the address of the copy at the place of the quotation, if there is one.
func (r *Record) Link() string {
	return withFragment(address(r.Memento), TextFragment(r.Quote))
}

// PWID names the copy as an archived resource, wherever this archive may move; empty if the archive has no name for it.
func (r *Record) PWID() string {
	if r.Memento == "" {
		return ""
	}
	return PWID(r.PWIDName, r.stamp(), r.URL)
}

func (r *Record) stamp() string { return r.Captured.UTC().Format("2006-01-02T15:04:05Z") }

// When says when the copy was made, for people: "6 February 2016, 12:00 UTC".
func (r *Record) When() string { return r.Captured.UTC().Format("2 January 2006, 15:04 UTC") }

// Distance says how far the copy lies from when it was cited: "2 hours after the post"; empty if that is not known.
func (r *Record) Distance() string {
	d := Distance(r.Captured, r.Cited)
	if d == "" {
		return ""
	}
	return d + " " + cmp.Or(r.CitedIn, "the post")
}

// URLStatus is the state of the original in the words of Wikipedia's citation templates: live, dead, usurped, deviated; empty if it is not known.
// What stands before the page or keeps us from it says nothing of the page: it is live.
func (r *Record) URLStatus() string {
	switch r.Live {
	case "alive", "redirected", "moved", "blocked", "paywalled":
		return "live"
	case "drifted":
		return "deviated"
	case "usurped":
		return "usurped"
	case "gone", "dns-dead", "soft-404", "tls-bad", "timeout", "server-error":
		return "dead"
	}
	return "" // unknown, excluded
}

// seemsDead says whether a reader is to be told that the link leads nowhere: by its verdict, or where there is none by how it ended.
func (r *Record) seemsDead() bool {
	status := r.URLStatus()
	return status == "dead" || status == "" && r.Dead
}

// note says in a sentence what the copy is and where: whatever a format has no field for.
func (r *Record) note() string {
	if r.Failure != "" && r.Memento == "" {
		return "No copy; asked for on " + r.When() + ": " + plain(strings.TrimSuffix(r.Failure, "."), maxTitle) + "." + r.found()
	}
	s := "Captured " + r.When()
	if d := r.Distance(); d != "" {
		s += ", " + d
	}
	if r.Failure != "" {
		s += " (" + plain(strings.TrimSuffix(r.Failure, "."), maxTitle) + ")"
	}
	return s + "." + r.found()
}

// found says how a lost link was found again.
func (r *Record) found() string {
	if r.Repaired == "" {
		return ""
	}
	return " " + plain(strings.TrimSuffix(r.Repaired, "."), maxTitle) + "."
}
