package access

import (
	"fmt"
	"slices"
	"time"
)

type compiled struct {
	rule    *Rule
	pattern Pattern
}

// Set is the rules of one collection, ready to be asked. It is never changed, and many may ask it at a time. A nil Set has
// no rules.
type Set struct {
	all     []*compiled
	whole   map[string][]*compiled
	begin   map[string][]*compiled
	lengths []int // of the keys of begin, longest first
	rules   []*Rule
}

// Compile makes a set of rules. They must not be changed after that.
func Compile(rules []Rule, keyOf KeyOf) (*Set, error) {
	if len(rules) > MaxRules {
		return nil, fmt.Errorf("a collection has %d access rules at most, not %d", MaxRules, len(rules))
	}
	s := &Set{whole: map[string][]*compiled{}, begin: map[string][]*compiled{}}
	for i := range rules {
		r := &rules[i]
		if err := r.Check(); err != nil {
			return nil, fmt.Errorf("access rule %s: %w", r.ID, err)
		}
		p, err := ParsePattern(r.Pattern, keyOf)
		if err != nil {
			return nil, fmt.Errorf("access rule %s: %w", r.ID, err)
		}
		c := &compiled{rule: r, pattern: p}
		if p.scope == all {
			s.all = append(s.all, c)
		}
		whole, begin := p.places()
		for _, k := range whole {
			s.whole[k] = append(s.whole[k], c)
		}
		for _, k := range begin {
			if len(s.begin[k]) == 0 && !slices.Contains(s.lengths, len(k)) {
				s.lengths = append(s.lengths, len(k))
			}
			s.begin[k] = append(s.begin[k], c)
		}
		s.rules = append(s.rules, r)
	}
	slices.Sort(s.lengths)
	slices.Reverse(s.lengths)
	slices.SortFunc(s.all, specific)
	for _, m := range []map[string][]*compiled{s.whole, s.begin} {
		for _, list := range m {
			slices.SortFunc(list, specific)
		}
	}
	return s, nil
}

// Rules are the rules of the set.
func (s *Set) Rules() []*Rule {
	if s == nil {
		return nil
	}
	return s.rules
}

// Restricts says whether a set keeps anything from readers.
func (s *Set) Restricts() bool {
	return s != nil && slices.ContainsFunc(s.rules, func(r *Rule) bool { return r.Effect != Public })
}

// Of brings the rules that are about a key.
func (s *Set) Of(key string) View {
	if s == nil {
		return View{}
	}
	var v View
	v.add(s.whole[key])
	for _, n := range s.lengths {
		if n <= len(key) {
			v.add(s.begin[key[:n]])
		}
	}
	v.add(s.all)
	if v.mixed {
		slices.SortFunc(v.rules, specific)
	}
	return v
}

// Listed says whether a collection is named to readers: whether no rule is about the whole of it that keeps it from them.
// What is served of it under other rules is served all the same.
func (s *Set) Listed(now time.Time) bool {
	return s == nil || View{rules: s.all}.At(now, now).Shown()
}

// Gone says whether a reader is to find nothing at all of a collection: all of it is hidden, and no rule opens any part.
func (s *Set) Gone(now time.Time) bool {
	if s == nil || !(View{rules: s.all}).At(now, now).Hidden() {
		return false
	}
	for _, r := range s.rules {
		if r.Effect != Private || !r.Hidden || r.bounded() {
			return false
		}
	}
	return true
}

// View is the rules that are about one key, the most specific first.
type View struct {
	rules []*compiled
	mixed bool // of several lists, not sorted yet
}

func (v *View) add(list []*compiled) {
	switch {
	case len(list) == 0:
	case v.rules == nil:
		v.rules = list // most have one, and nothing is copied
	default:
		v.rules, v.mixed = append(slices.Clip(v.rules), list...), true
	}
}

// Open says that all captures of the key may be seen, whenever they were made. False says nothing.
func (v View) Open() bool {
	for _, c := range v.rules {
		if c.rule.Effect == Withheld {
			return false
		}
	}
	return len(v.rules) == 0 || v.rules[0].rule.Effect == Public && !v.rules[0].rule.bounded()
}

// At is what the rules say at a moment of a capture of another. An embargo that has ended counts for nothing.
func (v View) At(captured, now time.Time) Verdict {
	out := Verdict{Effect: Public}
	decided := false
	for _, c := range v.rules {
		r := c.rule
		if !r.covers(captured) {
			continue
		}
		if r.Effect == Withheld {
			return Verdict{Effect: Withheld, Rule: r}
		}
		if decided {
			continue
		}
		one := Verdict{Effect: r.Effect, Rule: r}
		if r.Effect == Embargo {
			if one.Until = r.ends(captured); !one.Until.After(now) {
				continue
			}
		}
		out, decided = one, true
	}
	return out
}

// Span is a stretch of time: from From on, and before Before. A zero time is no bound.
type Span struct{ From, Before time.Time }

// Spans are the times of the captures that may be seen at a moment, in order, none touching the next. All times: one Span
// without bounds.
func (v View) Spans(now time.Time) []Span {
	cuts := v.cuts(now)
	var out []Span
	for i := -1; i < len(cuts); i++ {
		var s Span
		at := time.UnixMicro(-1 << 55) // before all cuts
		if i >= 0 {
			s.From, at = cuts[i], cuts[i]
		}
		if i+1 < len(cuts) {
			s.Before = cuts[i+1]
		}
		if i < 0 && len(cuts) > 0 {
			at = cuts[0].Add(-time.Microsecond)
		}
		if !v.At(at, now).Shown() {
			continue
		}
		if n := len(out); n > 0 && out[n-1].Before.Equal(s.From) {
			out[n-1].Before = s.Before
		} else {
			out = append(out, s)
		}
	}
	return out
}

// cuts are the times of captures at which what the rules say may change.
func (v View) cuts(now time.Time) []time.Time {
	var cuts []time.Time
	for _, c := range v.rules {
		r := c.rule
		for _, t := range []time.Time{r.From, r.Before} {
			if !t.IsZero() {
				cuts = append(cuts, t)
			}
		}
		if r.Effect == Embargo && !r.After.IsZero() {
			cuts = append(cuts, r.After.since(now))
		}
	}
	slices.SortFunc(cuts, time.Time.Compare)
	return slices.CompactFunc(cuts, time.Time.Equal)
}

// Whole is what the rules say of all captures of the key alike; not ok if it depends on when they were made. The answer to
// whoever asks for the key is then the same whether there are captures or not.
func (v View) Whole(now time.Time) (Verdict, bool) {
	cuts := v.cuts(now)
	first := v.At(now, now)
	if len(cuts) == 0 {
		return first, true
	}
	for _, c := range append(cuts, cuts[0].Add(-time.Microsecond)) {
		if w := v.At(c, now); w.Rule != first.Rule || w.Effect != first.Effect || !w.Until.Equal(first.Until) {
			return Verdict{}, false
		}
	}
	return first, true
}
