package crawler

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"linkstead/archive/urlkey"
	"linkstead/archive/warc"
	"linkstead/crawler/scope"
	"linkstead/storage"
)

// A frame may hold frames, a style sheet import others, a module too: what a page itself needs is bounded by its document,
// what hangs on that would grow manifold with each step. So what requisites name is counted for the page on which it all
// hangs, and for the host on which the naming requisite lies. The rows that an acknowledgement adds to are read again for each
// document, so that the limits hold across workers and restarts, but for what is in their hands at the moment.

// nested is what the requisites of a run have named.
type nested struct {
	c *Crawler

	mu    sync.Mutex
	sums  map[sumKey]*sum
	docs  map[int64]*naming // by task: what is under way
	named map[int64]bool    // tasks that those name, and that the database may not have yet
	pages map[int64]string  // the page on which a task hangs, as far as it was looked up
}

type sumKey struct{ host, what string }

// sum is a count that some document under way adds to.
type sum struct {
	n     int64 // what the database had, and what was named here since
	users int   // documents under way
}

// naming is a requisite that names others, from its first one until it is acknowledged.
type naming struct {
	page, host sumKey
	named      []int64 // tasks
	err        error
}

// maxPagesKnown bounds how many tasks' pages are remembered.
const maxPagesKnown = 10_000

// over says why there is no room for another requisite that a requisite names; "" if there is, and then it is counted.
// What another document under way names is counted there.
func (n *nested) over(e *warc.Entry, t scope.Traps, url string) string {
	if t.Nested == 0 && t.NestedHost == 0 || n.c == nil {
		return ""
	}
	d, id := n.doc(e), urlkey.PageID(url)
	n.mu.Lock()
	defer n.mu.Unlock()
	page, host := n.sums[d.page], n.sums[d.host]
	switch {
	case d.err != nil || n.named[id]:
		return ""
	case t.Nested > 0 && page.n >= t.Nested:
		return fmt.Sprintf("more than %d requisites hang on the page by way of others", t.Nested)
	case t.NestedHost > 0 && host.n >= t.NestedHost:
		return fmt.Sprintf("the requisites of the host name more than %d others", t.NestedHost)
	}
	d.named = append(d.named, id)
	n.named[id] = true
	page.n++
	host.n++
	return ""
}

// doc is that of an entry, whose counts are read once. It is for the goroutine of the entry's task.
func (n *nested) doc(e *warc.Entry) *naming {
	n.mu.Lock()
	d := n.docs[e.Task.ID]
	n.mu.Unlock()
	if d != nil {
		return d
	}
	d = &naming{host: sumKey{e.Task.Host, "nested"}}
	var page string
	if page, d.err = n.page(n.c.last, e.Task); d.err == nil {
		d.page = sumKey{"", fmt.Sprintf("nested %x", urlkey.ID(page))}
	}
	n.mu.Lock()
	if n.docs == nil {
		n.docs, n.sums, n.named = map[int64]*naming{}, map[sumKey]*sum{}, map[int64]bool{}
	}
	n.docs[e.Task.ID] = d
	keys := []sumKey{d.page, d.host}
	for _, k := range keys { // before the rows are read, so that nothing that is acknowledged meanwhile is missed
		if n.sums[k] == nil {
			n.sums[k] = &sum{}
		}
		n.sums[k].users++
	}
	n.mu.Unlock()
	for _, k := range keys {
		if d.err != nil {
			break
		}
		var had int64
		if had, d.err = n.c.Runs.NamedSoFar(n.c.last, e.Task.Run, k.host, k.what); d.err == nil {
			n.mu.Lock()
			n.sums[k].n = max(n.sums[k].n, had)
			n.mu.Unlock()
		}
	}
	return d
}

// page is the address of the page on which a requisite hangs.
func (n *nested) page(ctx context.Context, t storage.Task) (page string, err error) {
	own, chain := t.ID, 0
	defer func() {
		if err == nil {
			n.mu.Lock()
			defer n.mu.Unlock()
			if n.pages == nil || len(n.pages) >= maxPagesKnown {
				n.pages = map[int64]string{}
			}
			n.pages[own] = page
		}
	}()
	for hops, via := t.Hops, t.Via; hops != "" && chain < maxChain; chain++ {
		hops, page = hops[:len(hops)-1], via
		if scope.Role(hops) != scope.KindRequisite {
			return page, nil
		}
		id := urlkey.PageID(via)
		if strings.HasSuffix(hops, string(scope.HopRedirect)) {
			id = urlkey.ID(via)
		}
		n.mu.Lock()
		known := n.pages[id]
		n.mu.Unlock()
		if known != "" {
			return known, nil
		}
		of, err := n.c.Tasks.Task(ctx, urlkey.Host(via), t.Run, id)
		if errors.Is(err, storage.ErrNotFound) {
			return page, nil
		}
		if err != nil {
			return "", err
		}
		if scope.Role(of.Hops) != scope.KindRequisite {
			return page, nil // it is a page in its own right, too
		}
		hops, via = of.Hops, of.Via
	}
	return page, nil
}

// tell tells an entry what it names, and whether that could be found out.
func (n *nested) tell(e *warc.Entry) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := n.docs[e.Task.ID]
	if d == nil {
		return nil
	}
	if k := int64(len(d.named)); d.err == nil && k > 0 {
		e.Named = []storage.Named{{Host: d.page.host, What: d.page.what, N: k}, {Host: d.host.host, What: d.host.what, N: k}}
	}
	return d.err
}

// ended forgets a task that is under way no more.
func (n *nested) ended(task int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	d := n.docs[task]
	if d == nil {
		return
	}
	delete(n.docs, task)
	for _, id := range d.named {
		delete(n.named, id)
	}
	for _, k := range []sumKey{d.page, d.host} {
		if s := n.sums[k]; s != nil {
			if s.users--; s.users == 0 {
				delete(n.sums, k)
			}
		}
	}
}
