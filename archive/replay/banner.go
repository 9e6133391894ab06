package replay

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"linkstead/archive/urlkey"
	"linkstead/archive/wall"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// bannerRoot is where a page's banner asks what there is beside the capture that is shown: the page's address goes behind it.
const bannerRoot = "banner/"

const (
	maxTimeline = 20_000 // captures of a key that are counted
	maxYears    = 40     // of a timeline, the last ones
)

// homeName is the asset that leads to the archive's own pages: their address is none that a page's script may turn inward.
const homeName = "home"

func (h *Handler) homePage() string {
	if h.Pages == "" {
		return h.originOf("") + "/"
	}
	return strings.TrimSuffix(h.Pages, "/") + "/"
}

// bannerFacts is what a banner tells of a page and of its other captures. Times are stamps, addresses are paths.
type bannerFacts struct {
	URL   string       `json:"url"`
	Taken string       `json:"taken"`
	Asked string       `json:"asked,omitempty"` // which time was asked for, if the capture is not from within it
	Count int          `json:"count"`
	More  bool         `json:"more,omitempty"` // than were counted
	First *bannerLink  `json:"first,omitempty"`
	Prev  *bannerLink  `json:"prev,omitempty"`
	Next  *bannerLink  `json:"next,omitempty"`
	Last  *bannerLink  `json:"last,omitempty"`
	Years []bannerYear `json:"years"`
}

type bannerLink struct {
	Stamp string `json:"stamp"`
	Path  string `json:"path"`
}

// bannerYear is a bar of the timeline.
type bannerYear struct {
	Year   string  `json:"year"`
	Count  int     `json:"count"`
	Months [12]int `json:"months"`
	List   string  `json:"list"`
}

// bannered says whether a page has a banner: at the top of a window, unless it is asked for without.
func (p *reply) bannered() bool {
	return p.a.mod == asPage && topLevel(p.r, p.a.mod) && p.a.asked == ""
}

// notice is what a reader of a page is to be told at once: that it is not what was asked for, or not all of it. There is
// nothing in it that HTML or XML would escape.
func (p *reply) notice() string {
	var says []string
	if s := wall.Sentence(strings.Fields(p.c.Flags)); s != "" {
		says = append(says, s)
	}
	if p.status >= http.StatusBadRequest {
		says = append(says, "Its server answered "+strings.TrimSpace(strconv.Itoa(p.status)+" "+http.StatusText(p.status))+" then, and showed this.")
	}
	if p.c.Kind == warc.KindTruncated {
		says = append(says, "The capture was cut short: the end of the page is not there.")
	}
	return strings.Join(says, " ")
}

// banner answers a banner's question.
func (h *Handler) banner(w http.ResponseWriter, r *http.Request, path string) {
	a, err := parseAddress("/" + path)
	if err == nil {
		var ok bool
		if a.collection, ok = h.served(r, &a); !ok || a.kind != ofMemento {
			err = errForeign
		}
	}
	if err != nil {
		h.plain(w, r, http.StatusNotFound, "Nothing is here.\n")
		return
	}
	facts, err := h.bannerFacts(r.Context(), &a)
	if errors.Is(err, storage.ErrNotFound) {
		h.plain(w, r, http.StatusNotFound, "Not in the archive.\n")
		return
	}
	if err != nil {
		h.Log.Error("tell a banner of captures", "url", a.url, "error", err)
		h.plain(w, r, http.StatusServiceUnavailable, "This can't be told just now.\n")
		return
	}
	if asked := h.asks.of(r, a.String(), h.Now()); asked != "" && !strings.HasPrefix(facts.Taken, asked) {
		facts.Asked = pad(asked)
	}
	body, err := json.Marshal(facts)
	if err != nil {
		h.Log.Error("tell a banner of captures", "url", a.url, "error", err)
		h.plain(w, r, http.StatusInternalServerError, "This can't be told.\n")
		return
	}
	head := w.Header()
	h.ownHeaders(head)
	head.Set("Content-Type", "application/json")
	head.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client may have gone
	}
}

// bannerFacts looks at the captures of an address's key. Those that only lead back to it are none to go to.
func (h *Handler) bannerFacts(ctx context.Context, a *address) (*bannerFacts, error) {
	f := &bannerFacts{URL: a.url, Taken: a.stamp}
	link := func(c *storage.Capture) *bannerLink {
		own := a.own(c)
		return &bannerLink{own.stamp, own.String()}
	}
	var last, prev storage.Capture
	for c, err := range h.Index.Captures(ctx, a.collection, urlkey.Key(a.url)) {
		if err != nil {
			return nil, err
		}
		if f.Count == maxTimeline {
			f.More = true
			break
		}
		if leadsBack(&c) {
			continue
		}
		stamp := stampOf(c.At)
		if f.Count++; f.First == nil {
			f.First = link(&c)
		}
		switch {
		case stamp < a.stamp:
			prev = c
		case stamp > a.stamp && f.Next == nil:
			f.Next = link(&c)
		}
		f.count(a, stamp)
		last = c
	}
	if f.Count == 0 {
		return nil, storage.ErrNotFound
	}
	if prev.URL != "" {
		f.Prev = link(&prev)
	}
	f.Last = link(&last)
	return f, nil
}

// count adds a capture to the timeline.
func (f *bannerFacts) count(a *address, stamp string) {
	year, month := stamp[:4], int(stamp[4]-'0')*10+int(stamp[5]-'0')
	if n := len(f.Years); n == 0 || f.Years[n-1].Year != year {
		list := address{kind: ofCaptures, name: a.name, url: a.url, stamp: year}
		if f.Years = append(f.Years, bannerYear{Year: year, List: list.String()}); n == maxYears {
			f.Years = slices.Delete(f.Years, 0, 1)
		}
	}
	last := &f.Years[len(f.Years)-1]
	last.Count++
	if month >= 1 && month <= 12 {
		last.Months[month-1]++
	}
}

// timing tells the page's script what a part of it is: browsers hand it over with the times of the request (Server Timing
// §3.2), so that the panel says of what was shown when it was captured, and asks for nothing.
func (p *reply) timing() {
	t := `taken;desc="` + stampOf(p.c.At) + `"`
	if p.status >= http.StatusBadRequest {
		t += `, status;desc="` + strconv.Itoa(p.status) + `"`
	}
	if p.c.Flags != "" {
		t += ", wall"
	}
	if p.differs != nil {
		t += ", fuzzy"
	}
	p.w.Header().Set("Server-Timing", t)
}
