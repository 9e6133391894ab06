package configs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Schedule is one schedule as a file or the command line writes it. Its meaning is checked by whoever carries it out.
type Schedule struct {
	Name string
	Line int // of the file; 0 if it comes from elsewhere

	Kind   string
	Source string
	URLs   []string

	Every, Cron, TZ, At, Start string
	AdaptiveMin, AdaptiveMax   string

	Collection string
	Links      string
	Depth      int
	Scope      string
	Exclude    []string
	Posts      bool

	BudgetPages int
	BudgetBytes Size
	BudgetTime  Duration

	Robots       string
	Delay        Duration
	PerHost      int
	Retries      int
	AllowPrivate bool
	Resolve      []string

	given map[string]bool
	lines map[string]int // of the file, on which keys stand
}

// LineOf is the line of the file on which a key or a group of keys stands, or if it does not, the schedule itself.
func (s Schedule) LineOf(key string) int { return cmp.Or(s.lines[key], s.Line) }

// Given says whether a file or a flag sets a key: what else has a say may overrule a mere default.
func (s Schedule) Given(key string) bool { return s.given[key] }

// Give notes that keys are set.
func (s *Schedule) Give(keys ...string) {
	s.given = maps.Clone(s.given)
	if s.given == nil {
		s.given = map[string]bool{}
	}
	for _, k := range keys {
		s.given[k] = true
	}
}

// NewSchedule is a schedule for which nothing was asked: it has what the settings say.
func (c Config) NewSchedule() Schedule {
	s := Schedule{
		Collection: c.Collection, Links: "content+outbound", Scope: "host", Robots: c.Robots, Delay: c.Delay, PerHost: c.PerHost,
		Retries: c.Retries, AllowPrivate: c.AllowPrivate, Resolve: slices.Clone(c.Resolve),
	}
	if c.Given("robots") {
		s.Give("robots")
	}
	return s
}

func (s *Schedule) keys() []key {
	return []key{
		{"kind", &s.Kind}, {"source", &s.Source}, {"urls", &s.URLs},
		{"every", &s.Every}, {"cron", &s.Cron}, {"at", &s.At}, {"adaptive.min", &s.AdaptiveMin}, {"adaptive.max", &s.AdaptiveMax},
		{"tz", &s.TZ}, {"start", &s.Start},
		{"collection", &s.Collection}, {"links", &s.Links}, {"depth", &s.Depth}, {"scope", &s.Scope}, {"exclude", &s.Exclude},
		{"posts", &s.Posts},
		{"budget.pages", &s.BudgetPages}, {"budget.bytes", &s.BudgetBytes}, {"budget.time", &s.BudgetTime},
		{"robots", &s.Robots}, {"delay", &s.Delay}, {"per_host", &s.PerHost}, {"retries", &s.Retries},
		{"allow_private", &s.AllowPrivate}, {"resolve", &s.Resolve},
	}
}

// ReadSchedules reads a file of schedules, each upon base. Errors name the file, the line and the schedule.
func ReadSchedules(file string, data []byte, base Schedule) ([]Schedule, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is empty: write schedules: and the schedules below it", file)
	} else if err != nil {
		return nil, noYAML(file, data, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s holds more than one YAML document: keep the schedules in one, without ---", file)
	}
	l := layer{file: file}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode || len(top.Content) != 2 || top.Content[0].Value != "schedules" {
		return nil, l.errorf(top, "expected schedules: and nothing else here, with one schedule a name below it")
	}
	all := top.Content[1]
	if all.Kind == yaml.ScalarNode && all.Tag == "!!null" {
		return nil, nil
	}
	if all.Kind != yaml.MappingNode {
		return nil, l.errorf(all, "expected names of schedules here, each with its kind, its source and when it runs below it")
	}
	var out []Schedule
	seen := map[string]int{}
	for i := 0; i+1 < len(all.Content); i += 2 {
		name := all.Content[i]
		if name.Kind != yaml.ScalarNode {
			return nil, l.errorf(name, "expected the name of a schedule here: write it out; aliases are not read")
		}
		if line, twice := seen[name.Value]; twice {
			return nil, l.errorf(name, "schedule %s stands on line %d already: keep one of them", word(name.Value), line)
		}
		seen[name.Value] = name.Line
		s := base
		s.Resolve = slices.Clone(base.Resolve)
		s.Name, s.Line = name.Value, name.Line
		if err := s.read(file, all.Content[i+1]); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (s *Schedule) read(file string, n *yaml.Node) error {
	l := layer{file: file, keys: s.keys(), seen: map[string]int{}, guide: "docs/schedules.yaml"}
	if n.Kind == yaml.AliasNode {
		return l.errorf(n, "schedule %s: write it out; aliases are not read", word(s.Name))
	}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if k, v := n.Content[i].Value, n.Content[i+1]; (k == "urls" || k == "exclude") && v.Kind == yaml.ScalarNode {
				return l.errorf(v, "schedule %s: %s is a list: write one a line, each behind a dash", word(s.Name), k)
			}
		}
	}
	if err := l.mapping("", n); err != nil {
		return fmt.Errorf("schedule %s: %w", word(s.Name), err)
	}
	s.Give(slices.Collect(maps.Keys(l.seen))...)
	s.lines = l.seen
	return nil
}

// WriteSchedules writes schedules as ReadSchedules reads them upon the same base: what they have from there is left out.
func WriteSchedules(list []Schedule, base Schedule) ([]byte, error) {
	all := &yaml.Node{Kind: yaml.MappingNode}
	for i := range list {
		one := &yaml.Node{Kind: yaml.MappingNode}
		groups := map[string]*yaml.Node{}
		theirs := base.keys()
		for j, k := range list[i].keys() {
			if reflect.DeepEqual(k.dst, theirs[j].dst) && k.name != "kind" && k.name != "source" {
				continue
			}
			to, name := one, k.name
			if group, leaf, nested := strings.Cut(name, "."); nested {
				if groups[group] == nil {
					groups[group] = &yaml.Node{Kind: yaml.MappingNode}
					one.Content = append(one.Content, scalar(group), groups[group])
				}
				to, name = groups[group], leaf
			}
			to.Content = append(to.Content, scalar(name), valueNode(k.dst))
		}
		all.Content = append(all.Content, scalar(list[i].Name), one)
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	err := enc.Encode(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalar("schedules"), all}})
	if err == nil {
		err = enc.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("write schedules: %w", err)
	}
	return b.Bytes(), nil
}

func scalar(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	return n
}

func valueNode(v any) *yaml.Node {
	switch d := v.(type) {
	case *[]string:
		list := &yaml.Node{Kind: yaml.SequenceNode}
		for _, s := range *d {
			list.Content = append(list.Content, scalar(s))
		}
		return list
	case *string:
		return scalar(*d)
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: text(v)}
}

// text writes a value for people.
func text(v any) string {
	switch d := v.(type) {
	case *[]string:
		return strings.Join(*d, ", ")
	case fmt.Stringer:
		return d.String()
	}
	return fmt.Sprint(reflect.ValueOf(v).Elem().Interface())
}

// Difference is a key in which two schedules differ.
type Difference struct{ Key, From, To string }

// Differences tells in which keys a schedule would change from old to s.
func (s Schedule) Differences(old Schedule) []Difference {
	var out []Difference
	before := old.keys()
	for i, k := range s.keys() {
		if from, to := text(before[i].dst), text(k.dst); from != to {
			out = append(out, Difference{k.name, from, to})
		}
	}
	return out
}
