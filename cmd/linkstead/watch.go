package main

import (
	"context"
	"time"

	"linkstead/archive/link"
	"linkstead/configs"
	"linkstead/crawler"
	"linkstead/crawler/scope"
)

// watch is how links are looked at by who serves or works; nil if they are not.
func (e *env) watch(s *store) *crawler.Watch {
	if !e.cfg.Watch.Enabled {
		return nil
	}
	return e.watching(s)
}

// watching is how links are looked at, if they are.
func (e *env) watching(s *store) *crawler.Watch {
	w := e.cfg.Watch
	parking, err := parkingRules(e.cfg.Verdicts.Parking)
	if err != nil { // it is told before a worker begins: see hire
		parking = link.DefaultParking
	}
	return &crawler.Watch{
		Parking: parking,
		Links:   s.db, History: s.db, Rules: linkRules(&e.cfg.Verdicts), Spec: lookSpec(e.cfg),
		Every: time.Duration(w.Every), Body: int64(w.Body), PerHost: w.PerHost, PerDay: w.PerDay, Canaries: w.Canaries, Window: time.Duration(w.Window),
	}
}

// lookSpec says how links are asked for: as captures are, by the settings of this machine.
func lookSpec(cfg configs.Config) scope.Spec {
	s := scope.Default()
	s.Source = "-" // it has none of its own
	s.Robots, s.Collection = scope.Policy(cfg.Robots), cfg.Collection
	s.PerHost, s.DelayMS, s.Retries = 1, time.Duration(cfg.Delay).Milliseconds(), 0
	s.Language, s.AllowPrivate, s.Resolve, s.RequireValid = cfg.Language, cfg.AllowPrivate, cfg.Resolve, cfg.TLS.Verify == tlsRequire
	return s
}

// linkPast reads what was seen of links.
func (s *store) linkPast() *crawler.LinkPast {
	return &crawler.LinkPast{Copies: s.db, Index: s.db, Looks: s.db, Library: s.lib}
}

// lives is what the pages tell of links' lives.
func (s *store) lives(e *env) func(ctx context.Context, post, state string, n int) ([]*crawler.LinkReport, error) {
	return func(ctx context.Context, post, state string, n int) ([]*crawler.LinkReport, error) {
		return e.lives(ctx, s, post, state, n)
	}
}
