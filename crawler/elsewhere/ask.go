package elsewhere

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Bounds of what is taken of an archive.
const (
	maxAnswer = 4 << 20 // bytes of a TimeMap
	maxHops   = 5       // from a gate to the memento
)

// get asks for an address, and takes what comes with any status that is not of a server at fault.
func (a *Asker) get(ctx context.Context, to string, fields http.Header) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return nil, err
	}
	for k, v := range fields {
		r.Header[k] = v
	}
	if a.Agent != "" {
		r.Header.Set("User-Agent", a.Agent)
	}
	res, err := a.Client.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // which has the address once more
		}
		return nil, err
	}
	return res, nil
}

// closed drops what is left of an answer: the connection is not worth reading it for.
func closed(res *http.Response) { _ = res.Body.Close() }

func unfit(res *http.Response) error {
	return fmt.Errorf("it answered %s", res.Status)
}

// gate asks a TimeGate. It leads to the memento by redirects (RFC 7089 §4.1), or shows it itself (§4.2); the memento tells its own date,
// if the gate's Link field does not.
func (a *Asker) gate(ctx context.Context, from *Archive, of string, at time.Time) (Copy, bool, error) {
	to := from.URL + of
	fields := http.Header{"Accept-Datetime": {at.UTC().Format(http.TimeFormat)}}
	for range maxHops {
		res, err := a.get(ctx, to, fields)
		if err != nil {
			return Copy{}, false, err
		}
		closed(res)
		here := res.Request.URL
		if at, err := http.ParseTime(res.Header.Get("Memento-Datetime")); err == nil {
			memento := here.String()
			if loc, err := here.Parse(res.Header.Get("Content-Location")); err == nil && res.Header.Get("Content-Location") != "" {
				memento = loc.String()
			}
			return found(from, memento, at)
		}
		switch {
		case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone:
			return Copy{}, false, nil
		case res.StatusCode < 300 || res.StatusCode > 399:
			return Copy{}, false, unfit(res)
		}
		next, err := here.Parse(res.Header.Get("Location"))
		if err != nil || res.Header.Get("Location") == "" {
			return Copy{}, false, errors.New("its redirect leads nowhere")
		}
		for _, l := range linksOf(strings.Join(res.Header.Values("Link"), ", ")) {
			if u, err := here.Parse(l.to); err == nil && l.memento && u.String() == next.String() {
				return found(from, u.String(), l.at)
			}
		}
		to = next.String()
	}
	return Copy{}, false, errors.New("it redirects without end")
}

// found is a copy that can be led to.
func found(from *Archive, memento string, at time.Time) (Copy, bool, error) {
	u, err := url.Parse(memento)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || at.IsZero() {
		return Copy{}, false, errors.New("it names a copy that can't be led to")
	}
	return Copy{Archive: from.Name, URL: u.String(), At: at.UTC()}, true, nil
}

// timeMap asks for a TimeMap, and takes the memento that is nearest.
func (a *Asker) timeMap(ctx context.Context, from *Archive, of string, at time.Time) (Copy, bool, error) {
	res, err := a.get(ctx, from.URL+of, http.Header{"Accept": {"application/link-format"}})
	if err != nil {
		return Copy{}, false, err
	}
	defer closed(res)
	switch {
	case res.StatusCode == http.StatusNotFound:
		return Copy{}, false, nil
	case res.StatusCode != http.StatusOK:
		return Copy{}, false, unfit(res)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return Copy{}, false, fmt.Errorf("read its TimeMap: %w", err)
	}
	var best link
	for _, l := range linksOf(string(body)) {
		if l.memento && (best.at.IsZero() || l.at.Sub(at).Abs() < best.at.Sub(at).Abs()) {
			best = l
		}
	}
	if best.at.IsZero() {
		return Copy{}, false, nil
	}
	u, err := res.Request.URL.Parse(best.to)
	if err != nil {
		return Copy{}, false, fmt.Errorf("read its TimeMap: %w", err)
	}
	return found(from, u.String(), best.at)
}

// available asks the availability API of the Wayback Machine. It has copies of any status: those of errors are none.
func (a *Asker) available(ctx context.Context, from *Archive, of string, at time.Time) (Copy, bool, error) {
	q := "?"
	if strings.Contains(from.URL, "?") {
		q = "&"
	}
	res, err := a.get(ctx, from.URL+q+url.Values{"url": {of}, "timestamp": {at.UTC().Format("20060102150405")}}.Encode(), nil)
	if err != nil {
		return Copy{}, false, err
	}
	defer closed(res)
	if res.StatusCode != http.StatusOK {
		return Copy{}, false, unfit(res)
	}
	var said struct {
		Snapshots struct {
			Closest struct {
				Available bool   `json:"available"`
				URL       string `json:"url"`
				Timestamp string `json:"timestamp"`
				Status    string `json:"status"`
			} `json:"closest"`
		} `json:"archived_snapshots"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&said); err != nil {
		return Copy{}, false, fmt.Errorf("read its answer: %w", err)
	}
	c := said.Snapshots.Closest
	if !c.Available || c.Status != "" && c.Status[0] != '2' {
		return Copy{}, false, nil
	}
	taken, err := time.Parse("20060102150405", c.Timestamp)
	if err != nil {
		return Copy{}, false, fmt.Errorf("read its answer: %w", err)
	}
	return found(from, c.URL, taken)
}
