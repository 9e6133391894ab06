package cite

import (
	"bytes"
	"encoding/json"
	"strings"
)

// cslItem is an item of CSL-JSON, in the order in which people read it.
type cslItem struct {
	ID        string     `json:"id"`
	Type      string     `json:"type"`
	Title     string     `json:"title"`
	Author    []cslName  `json:"author,omitempty"`
	Container string     `json:"container-title,omitempty"`
	Publisher string     `json:"publisher,omitempty"`
	Volume    string     `json:"volume,omitempty"`
	Issue     string     `json:"issue,omitempty"`
	Page      string     `json:"page,omitempty"`
	Issued    *cslDate   `json:"issued,omitempty"`
	Accessed  *cslDate   `json:"accessed,omitempty"`
	URL       string     `json:"URL,omitempty"`
	DOI       string     `json:"DOI,omitempty"`
	Language  string     `json:"language,omitempty"`
	Archive   string     `json:"archive,omitempty"`
	Location  string     `json:"archive_location,omitempty"`
	Note      string     `json:"note,omitempty"`
	Custom    *cslCustom `json:"custom,omitempty"`
}

type cslName struct {
	Family   string `json:"family,omitempty"`
	Given    string `json:"given,omitempty"`
	Particle string `json:"non-dropping-particle,omitempty"`
	Suffix   string `json:"suffix,omitempty"`
	Literal  string `json:"literal,omitempty"`
}

type cslDate struct {
	Parts [][]int `json:"date-parts"`
}

// cslCustom is what CSL has no name for.
type cslCustom struct {
	Identifier string   `json:"identifier,omitempty"`
	Permanent  string   `json:"permanent,omitempty"`
	Captured   string   `json:"captured"`
	Memento    string   `json:"memento,omitempty"`
	Distance   string   `json:"distance,omitempty"`
	PWID       string   `json:"pwid,omitempty"`
	Digests    []string `json:"digests,omitempty"`
	Record     string   `json:"record,omitempty"`
	Evidence   string   `json:"evidence,omitempty"`
	Failure    string   `json:"failure,omitempty"`
	URLStatus  string   `json:"url_status,omitempty"`
	Repaired   string   `json:"repaired,omitempty"`
	Quote      string   `json:"quote,omitempty"`
}

func writeCSL(records []Record) string {
	items := make([]cslItem, len(records))
	for i, key := range keys(records) {
		items[i] = records[i].csl(key)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(items); err != nil {
		return "[]\n" // strings and numbers alone: it can't fail
	}
	return b.String()
}

func (r *Record) csl(key string) cslItem {
	out := cslItem{
		ID: key, Type: r.Type(), Title: cslText(r.Title()), Container: cslText(r.Site()), Publisher: cslText(r.Meta.Publisher.Value),
		Volume: r.Meta.Volume, Issue: r.Meta.Issue, Page: r.Meta.Pages, Issued: cslDateOf(r.Meta.Published.Date), Accessed: cslDateOf(DateOf(r.Captured)),
		URL: address(r.URL), DOI: r.Meta.DOI.Value, Language: r.Meta.Lang.Value, Archive: cslText(r.Archive), Location: r.Link(), Note: cslText(r.note()),
		Custom: &cslCustom{
			Identifier: r.ID.String(), Permanent: address(r.Permanent), Captured: r.stamp(), Memento: r.Memento, Distance: r.Distance(), PWID: r.PWID(), Digests: r.Digests, Record: r.Name,
			Evidence: r.Evidence, Failure: r.Failure, URLStatus: r.URLStatus(), Repaired: plain(r.Repaired, maxTitle), Quote: plain(r.Quote, maxQuote),
		},
	}
	if c := r.Meta.Container.Value; c != "" {
		out.Container = cslText(c)
	}
	for _, a := range r.Meta.Authors {
		out.Author = append(out.Author, cslName(a))
	}
	return out
}

// cslText is text for processors that read a few tags in it, such as <i>.
func cslText(s string) string { return strings.NewReplacer("<", "&#60;", ">", "&#62;").Replace(s) }

func cslDateOf(d Date) *cslDate {
	if !d.Known() {
		return nil
	}
	parts := []int{d.Year}
	if d.Month > 0 {
		parts = append(parts, d.Month)
	}
	if d.Day > 0 {
		parts = append(parts, d.Day)
	}
	return &cslDate{[][]int{parts}}
}
