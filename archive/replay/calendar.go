package replay

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"linkstead/archive/cdx"
	"linkstead/storage"
)

// Bounds of what one page of ours lists.
const (
	maxListed = 1000
	maxNewest = 100 // of what is too much to be listed
)

// calendar is when a URL was captured: by years, or by the parts of a year, month, day, hour or minute that an address names.
type calendar struct {
	Crumbs         []crumb
	Earlier, Later *crumb // the nearest years that have captures
	Years          []yearRow
	Months         []monthGrid
	Parts          []crumb // of a day that has more captures than are listed
}

// crumb leads to a list.
type crumb struct {
	Text string
	Path template.HTMLAttr
	N    int64
}

type yearRow struct {
	crumb
	Months [12]cell
}

type monthGrid struct {
	crumb
	Weeks [][7]cell // from Monday
}

// cell is a day or a month.
type cell struct {
	Text, Label, Class string
	Path               template.HTMLAttr
	N                  int64
}

const aDay = 24 * time.Hour

// period is the time that the digits of a stamp name: from its beginning until before its end. No digits name all of time.
func period(digits string) (since, until time.Time) {
	if digits == "" {
		since, _, _ = cdx.Span("0")
		_, until, _ = cdx.Span("9")
		return since, until
	}
	since, until, _ = cdx.Span(digits)
	return since, until
}

// list shows the captures of a URL, and the attempts that failed.
func (h *Handler) list(w http.ResponseWriter, r *http.Request, a address) {
	data := pageData{Title: "Captures", URL: a.url, Stamp: a.stamp}
	err := h.fillCalendar(r.Context(), &a, &data)
	if err == nil {
		err = h.attempts(r, &a, &data)
	}
	if err != nil {
		h.fault(w, r, &a, err)
		return
	}
	status := http.StatusOK
	if data.Total == 0 {
		status = http.StatusNotFound
	}
	h.page(w, r, status, "captures", data)
}

// fillCalendar counts the captures and lists them, or the newest of them.
func (h *Handler) fillCalendar(ctx context.Context, a *address, data *pageData) error {
	span := storage.OneKey(a.collection, a.key())
	span.Since, span.Until = period(a.stamp)
	unit := aDay
	switch n := len(a.stamp); {
	case n >= 12:
		unit = time.Second
	case n >= 10:
		unit = time.Minute
	case n >= 8:
		unit = time.Hour
	}
	buckets, err := h.Index.Buckets(ctx, span, unit, len(a.stamp) >= 4 && unit == aDay)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		data.Total += int(b.N)
	}
	c := &data.Calendar
	switch {
	case len(buckets) == 0:
	case len(a.stamp) < 4:
		c.Years = years(a, buckets)
	case unit == aDay:
		c.Months = months(a, buckets)
	case data.Total > maxListed && unit > time.Second:
		c.Parts = parts(a, buckets, unit)
	}
	if err := h.around(ctx, a, c); err != nil {
		return err
	}
	limit := maxListed
	if data.Total > maxListed {
		limit = maxNewest
	}
	var rows []storage.Capture
	for row, err := range h.Index.CapturesIn(ctx, span, storage.Place{}, true) {
		if err != nil {
			return err
		}
		if len(rows) == limit {
			break
		}
		rows = append(rows, row)
	}
	for i, pick := range twins(rows) {
		data.Captures = append(data.Captures, rowOf(a, &rows[i], pick))
	}
	data.More = data.Total > len(data.Captures)
	return nil
}

// twins tells of each capture how its digest begins if another one of its URL, with other bytes, is from the same second: their
// address alone does not tell them apart.
func twins(rows []storage.Capture) []string {
	keys, picks := make([]string, len(rows)), make([]string, len(rows))
	first, several := map[string]string{}, map[string]bool{}
	for i := range rows {
		keys[i], picks[i] = stampOf(rows[i].At)+urlOf(&rows[i]), pickOf(&rows[i])
		if one, ok := first[keys[i]]; !ok {
			first[keys[i]] = picks[i]
		} else if one != picks[i] {
			several[keys[i]] = true
		}
	}
	for i, key := range keys {
		if !several[key] {
			picks[i] = ""
		}
	}
	return picks
}

// around fills in the ways up, and to the years before and behind.
func (h *Handler) around(ctx context.Context, a *address, c *calendar) error {
	if a.stamp == "" {
		return nil
	}
	c.Crumbs = []crumb{{Text: "All years", Path: listOf(a, "")}}
	for _, n := range []int{4, 6, 8, 10, 12} {
		if n < len(a.stamp) {
			c.Crumbs = append(c.Crumbs, crumb{Text: spoken(a.stamp[:n]), Path: listOf(a, a.stamp[:n])})
		}
	}
	c.Crumbs = append(c.Crumbs, crumb{Text: spoken(a.stamp)})
	if len(a.stamp) < 4 {
		return nil
	}
	span := storage.OneKey(a.collection, a.key())
	year := func(backwards bool) (*crumb, error) {
		for row, err := range h.Index.CapturesIn(ctx, span, storage.Place{}, backwards) {
			if err != nil {
				return nil, err
			}
			y := stampOf(row.At)[:4]
			return &crumb{Text: y, Path: listOf(a, y)}, nil
		}
		return nil, nil
	}
	var err error
	since, until := period(a.stamp[:4])
	span.Until = since
	if c.Earlier, err = year(true); err != nil {
		return err
	}
	span.Since, span.Until = until, time.Time{}
	c.Later, err = year(false)
	return err
}

// listOf leads to the captures of a part of the time.
func listOf(a *address, digits string) template.HTMLAttr {
	to := a.captures()
	to.stamp = digits
	return hrefOf(&to)
}

// spoken is a time of some digits as people read it.
func spoken(digits string) string {
	since, _ := period(digits)
	switch n := len(digits); {
	case n < 4:
		return digits + "…"
	case n < 6:
		return digits[:4]
	case n < 8:
		return since.Format("January 2006")
	case n < 10:
		return since.Format("2 January 2006")
	case n < 12:
		return since.Format("15") + " h"
	case n < 14:
		return since.Format("15:04")
	}
	return since.Format("15:04:05")
}

// years puts days into a row a year.
func years(a *address, days []storage.Bucket) (rows []yearRow) {
	for _, b := range days {
		y := b.From.Format("2006")
		if n := len(rows); n == 0 || rows[n-1].Text != y {
			rows = append(rows, yearRow{crumb: crumb{Text: y, Path: listOf(a, y)}})
			for m := range rows[n].Months {
				rows[n].Months[m].Text = time.Month(m + 1).String()[:3]
			}
		}
		row := &rows[len(rows)-1]
		row.N += b.N
		c := &row.Months[b.From.Month()-1]
		c.N += b.N
		c.Label = b.From.Format("January 2006") + ": " + counted(c.N, "capture")
		c.Path, c.Class = listOf(a, b.From.Format("200601")), "n"+strconv.Itoa(min(4, len(strconv.FormatInt(c.N, 10))))
	}
	slices.Reverse(rows)
	return rows
}

// months lays days out by weeks, a grid for each month that has captures.
func months(a *address, days []storage.Bucket) (grids []monthGrid) {
	for i := 0; i < len(days); {
		first := time.Date(days[i].From.Year(), days[i].From.Month(), 1, 0, 0, 0, 0, time.UTC)
		g := monthGrid{crumb: crumb{Text: first.Format("January 2006"), Path: listOf(a, first.Format("200601"))}}
		for d := first; d.Month() == first.Month(); d = d.AddDate(0, 0, 1) {
			weekday := (int(d.Weekday()) + 6) % 7
			if weekday == 0 || len(g.Weeks) == 0 {
				g.Weeks = append(g.Weeks, [7]cell{})
			}
			c := &g.Weeks[len(g.Weeks)-1][weekday]
			c.Text = strconv.Itoa(d.Day())
			if i < len(days) && days[i].From.Equal(d) {
				*c = dayCell(a, &days[i])
				g.N += c.N
				i++
			}
		}
		grids = append(grids, g)
	}
	return grids
}

// dayCell tells of a day what was captured, in words, too: colours alone say nothing to many.
func dayCell(a *address, b *storage.Bucket) cell {
	c := cell{Text: strconv.Itoa(b.From.Day()), N: b.N, Path: listOf(a, b.From.Format("20060102"))}
	says := []string{}
	add := func(n int64, what string) {
		if n > 0 {
			says = append(says, strconv.FormatInt(n, 10)+" "+what)
		}
	}
	failed := b.N - b.Good - b.Moved
	add(b.Revisits, "the same as another")
	add(b.Moved, "redirects")
	add(failed, "errors")
	c.Label = b.From.Format("2 January 2006") + ": " + counted(b.N, "capture")
	if len(says) > 0 {
		c.Label += " (" + strings.Join(says, ", ") + ")"
	}
	switch {
	case b.Good == 0 && failed > 0:
		c.Class = "failed"
	case b.Good == 0:
		c.Class = "moved"
	case b.Revisits >= b.N:
		c.Class = "same"
	default:
		c.Class = "good"
	}
	return c
}

// parts leads to the hours of a day, or the minutes of an hour.
func parts(a *address, buckets []storage.Bucket, unit time.Duration) (out []crumb) {
	form, shown := "2006010215", "15:00"
	if unit == time.Minute {
		form, shown = "200601021504", "15:04"
	}
	for _, b := range buckets {
		out = append(out, crumb{Text: b.From.Format(shown), Path: listOf(a, b.From.Format(form)), N: b.N})
	}
	return out
}

func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
