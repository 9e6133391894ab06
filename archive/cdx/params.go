package cdx

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// param reads one parameter.
type param struct {
	read func(q *Query, value string) error
	many bool // it may be given more than once
}

// params are what each dialect knows; what both know means the same.
var params = func() (out [2]map[string]param) {
	both := map[string]param{
		"url":          {read: func(*Query, string) error { return nil }}, // Parse reads it last
		"matchType":    {read: (*Query).readMatch},
		"from":         {read: (*Query).readFrom},
		"to":           {read: (*Query).readTo},
		"sort":         {read: (*Query).readSort},
		"closest":      {read: (*Query).readClosest},
		"limit":        {read: (*Query).readLimit},
		"filter":       {read: (*Query).readFilter, many: true},
		"fl":           {read: (*Query).readFields},
		"output":       {read: (*Query).readOutput},
		"page":         {read: func(q *Query, s string) (err error) { q.Page, err = count(s, 0, maxPage); return err }},
		"pageSize":     {read: func(q *Query, s string) (err error) { q.PageBlocks, err = count(s, 1, maxPageSize); return err }},
		"resumeKey":    {read: (*Query).readResume},
		"showNumPages": flag(func(q *Query) *bool { return &q.CountPages }),
		"showPagedIndex": {read: func(_ *Query, s string) error {
			if on, err := truth(s); err != nil || !on {
				return err
			}
			return errors.New("the index of this archive is a database and has no blocks with lines of their own; use page and showNumPages")
		}},
		"showResumeKey":   flag(func(q *Query) *bool { return &q.showResume }),
		"resolveRevisits": flag(func(q *Query) *bool { return &q.Originals }),
		"gzip": {read: func(q *Query, s string) error {
			on, err := truth(s)
			q.NoGzip = !on
			return err
		}},
	}
	of := [2]map[string]param{
		Pywb: {
			"fields":       {read: (*Query).readFields},
			"collapseTime": {read: (*Query).readCollapseTime},
		},
		Wayback: {
			"collapse":          {read: (*Query).readCollapse, many: true},
			"offset":            {read: func(q *Query, s string) (err error) { q.offset, err = count(s, 0, maxOffset); return err }},
			"fastLatest":        flag(func(*Query) *bool { return new(bool) }), // the last rows are always found from the end, and none is missed
			"showDupeCount":     flag(func(q *Query) *bool { return &q.showDupes }),
			"showSkipCount":     flag(func(q *Query) *bool { return &q.showSkips }),
			"lastSkipTimestamp": flag(func(q *Query) *bool { return &q.showSkipTo }),
		},
	}
	for d := range of {
		out[d] = of[d]
		for name, p := range both {
			out[d][name] = p
		}
	}
	return out
}()

func flag(of func(*Query) *bool) param {
	return param{read: func(q *Query, s string) (err error) { *of(q), err = truth(s); return err }}
}

func (q *Query) readMatch(s string) error {
	switch s {
	case "exact", "prefix", "host", "domain":
		q.Match = s
		return nil
	}
	return fmt.Errorf("%q: use exact, prefix, host or domain", clip(s))
}

func (q *Query) readFrom(s string) (err error) { q.Since, _, err = Span(s); return err }
func (q *Query) readTo(s string) (err error)   { _, q.Until, err = Span(s); return err }

func (q *Query) readSort(s string) error {
	switch s {
	case "reverse":
		q.Order = Reversed
	case "closest":
		q.Order = Nearest
	case "default":
		q.Order = InOrder
	default:
		return fmt.Errorf("%q: use reverse, closest, or leave it out", clip(s))
	}
	return nil
}

// readClosest is read before sort: it means by itself that captures are to be sorted by their distance.
func (q *Query) readClosest(s string) (err error) {
	q.Order = Nearest
	q.Closest, _, err = Span(s)
	if q.Closest.IsZero() {
		q.Closest = q.Closest.Add(time.Second) // of the year 1, which is told from no time at all
	}
	return err
}

func (q *Query) readLimit(s string) (err error) {
	low := 1
	if q.Dialect == Wayback {
		low = math.MinInt32
	}
	if q.limit, err = count(s, low, math.MaxInt32); err == nil && q.limit == 0 {
		return errors.New("use a number, a negative one for the last rows, or leave it out")
	}
	return err
}

func (q *Query) readFilter(s string) error {
	if len(q.filters) == maxFilters {
		return fmt.Errorf("there are more than %d", maxFilters)
	}
	f, err := readFilter(q.Dialect, s)
	if err != nil {
		return fmt.Errorf("%q: %w", clip(s), err)
	}
	q.filters = append(q.filters, f)
	return nil
}

func (q *Query) readCollapse(s string) error {
	if len(q.collapses) == maxCollapse {
		return fmt.Errorf("there are more than %d", maxCollapse)
	}
	c, err := readCollapse(s)
	if err != nil {
		return fmt.Errorf("%q: %w", clip(s), err)
	}
	q.collapses = append(q.collapses, c)
	return nil
}

func (q *Query) readCollapseTime(s string) error {
	n, err := count(s, 1, len(timeLayout))
	q.collapses = append(q.collapses, collapse{field: fieldTime, n: n, pywb: true})
	return err
}

func (q *Query) readFields(s string) error {
	const most = 20
	for name := range strings.SplitSeq(s, ",") {
		if name == "" {
			continue
		}
		f, ok := fieldNamed(name)
		if !ok || len(q.fields) == most {
			return fmt.Errorf("%q: %w", clip(s), errFilterField)
		}
		q.fields = append(q.fields, f)
	}
	return nil
}

func (q *Query) readOutput(s string) error {
	forms := [2]map[string]form{
		Pywb:    {"cdxj": formCDXJ, "json": formJSON, "text": formText, "link": formLink, "cdx": formCDX11, "cdx7": formCDX7},
		Wayback: {"json": formTable, "text": formText},
	}[q.Dialect]
	f, ok := forms[s]
	switch {
	case !ok && q.Dialect == Wayback:
		return fmt.Errorf("%q: use json, or leave it out for text", clip(s))
	case !ok:
		return fmt.Errorf("%q: use cdxj, json, text, link, cdx or cdx7", clip(s))
	}
	q.form = f
	return nil
}

func (q *Query) readResume(s string) (err error) {
	q.After, err = readPlace(s)
	return err
}
