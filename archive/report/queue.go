package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"linkstead/storage"
)

// waitTexts tell what hosts wait for, in words for people.
var waitTexts = map[string]string{
	storage.WaitDelay: "the pause after the last request", "crawl-delay": "the pause that their robots.txt asks for",
	"retry-after": "the time that they have asked for", "backoff": "some time after they failed", "down": "some time, since they have failed again and again",
	"robots": "their robots.txt, which is to be had first", storage.WaitLater: "the time at which an address is tried again",
	storage.WaitSchedule: "the next run of a schedule", storage.WaitPaused: "their runs to be resumed", storage.WaitDue: "a worker",
	storage.WaitLeased: "nothing: they are being worked on", waitIdle: "nothing: there is nothing to do",
}

// WaitText says in words what hosts of a wait wait for.
func WaitText(word string) string { return cmp.Or(waitTexts[word], word) }

func (s *Status) queue(ctx context.Context, rows StatusRows, ask StatusAsk) error {
	if ask.Host != "" {
		return s.oneHost(ctx, rows, ask.Host)
	}
	waiting, err := rows.HostsWaiting(ctx)
	if err != nil {
		return err
	}
	var all int64
	for _, w := range waiting {
		all += w.N
		q := Queue{For: w.Wait, Hosts: w.N, First: timeAt(w.First)}
		s.Queue = append(s.Queue, q)
		s.waiting(&q)
	}
	states, err := rows.HostStates(ctx, "", ask.Run, cmp.Or(ask.Hosts, DefaultHosts))
	if err != nil {
		return err
	}
	for i := range states {
		s.Hosts = append(s.Hosts, hostNow(&states[i]))
	}
	if ask.Run == 0 {
		s.MoreHosts = max(0, all-int64(len(states)))
	}
	return nil
}

// waiting tells of hosts that stand still.
func (s *Status) waiting(q *Queue) {
	switch q.For {
	case storage.WaitLeased, storage.WaitPaused: // runs tell of those
	case storage.WaitDue:
		if !slices.ContainsFunc(s.Nodes, func(n NodeNow) bool { return n.Alive }) {
			s.wait(Wait{What: "queue", For: "worker", N: q.Hosts, Text: "there is something to do, and no worker is at work: 'linkstead work' is one"})
		}
	default:
		s.wait(Wait{What: "hosts", For: q.For, N: q.Hosts, Until: q.First, Text: theyWait(q)})
	}
}

// theyWait says what some hosts wait for, or one.
func theyWait(q *Queue) string {
	s := "they wait for " + WaitText(q.For)
	if q.Hosts == 1 {
		s = strings.NewReplacer("they wait", "it waits", "they have", "it has", "they are", "it is", "they ", "it ", "their ", "its ").Replace(s)
	}
	return s
}

// HostName is a host for people: what stands in the place of one in the queue is named for what it is.
func HostName(host string) string {
	if name, ok := strings.CutPrefix(host, "schedule:"); ok {
		return "the schedule " + name
	}
	if host == "document:" {
		return "documents that were handed in"
	}
	return host
}

// oneHost tells of a host that was asked for, whether or not it has something to do; storage.ErrNotFound if it has never been seen.
func (s *Status) oneHost(ctx context.Context, rows StatusRows, host string) error {
	states, err := rows.HostStates(ctx, host, 0, 1)
	if err != nil {
		return err
	}
	if len(states) == 0 {
		return fmt.Errorf("host %s: %w", host, storage.ErrNotFound)
	}
	h := hostNow(&states[0])
	if h.For == storage.WaitPaused && h.Open == 0 {
		h.For = waitIdle
	}
	s.Hosts = append(s.Hosts, h)
	if h.For == waitIdle {
		return nil
	}
	s.Queue = append(s.Queue, Queue{For: h.For, Hosts: 1, First: h.Until})
	s.waiting(&s.Queue[0])
	return nil
}

// waitIdle is what a host waits for that has nothing to do.
const waitIdle = "idle"

func hostNow(h *storage.HostState) HostNow {
	return HostNow{
		Host: h.Host, For: h.Wait, Until: timeAt(h.Until), By: h.Owner, Open: min(h.Open, storage.CountedTasks), Due: min(h.Due, storage.CountedTasks),
		More: h.Open > storage.CountedTasks, Failures: h.Failures, Next: h.NextKind, Run: h.NextRun,
	}
}
