package storage

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Standing is the number of the standing run: its tasks are looks at links, one a link. It has no row, and never ends.
const Standing int64 = 0

// KindProbe is the kind of the tasks that look at links.
const KindProbe = "probe"

// Link is a target that posts of a collection cite, and what is known of its life. Its row can be made anew: it may be lost.
type Link struct {
	ID         int64 // of its task in the standing run, too
	Collection string
	URL        string
	URLKey     string // empty until its state was folded first, and so is Host
	Host       string
	Added      time.Time // when the first post that cites it was captured
	Live       string    // see archive/link; empty until folded
	Since      time.Time
	Strikes    int
	Looked     time.Time       // the last look or capture that the state knows of
	Next       int64           // when it is looked at again, milliseconds of the epoch; 0: not decided
	State      json.RawMessage // the crawler's, opaque here
	Look       json.RawMessage // the same: a look that is under way; empty if none is
	Hop        int64           // id of the task that goes on with it; 0: none
	Stale      int64           // what came since the state was folded; 0: nothing
}

// LinkID names the link of a collection to an address: 63 bits, never 0.
func LinkID(collection, url string) int64 {
	sum := sha256.Sum256([]byte(harmlessText(collection) + "\n" + harmlessText(url)))
	return int64(binary.BigEndian.Uint64(sum[:8])>>1) | 1
}

// LookEnd is what one step of a look at a link says of the link from now on.
type LookEnd struct {
	Link Link // ID, and all that is known of its life; Look and Hop are those of the step to come
	Root Task // the link's own task, where another one ended: due at Due from now on; without a host: it is the one that ended
}

const linkCols = `id, collection, url, urlkey, host, added, live, since, strikes, looked, next_at, state, look, hop, stale`

func scanLink(r row) (l Link, err error) {
	var added, since, looked int64
	var state, look string
	err = r.Scan(&l.ID, &l.Collection, &l.URL, &l.URLKey, &l.Host, &added, &l.Live, &since, &l.Strikes, &looked, &l.Next, &state, &look, &l.Hop, &l.Stale)
	l.Added, l.State, l.Look = fromMicros(added), rawJSON(state), rawJSON(look)
	if since != 0 {
		l.Since = fromMicros(since)
	}
	if looked != 0 {
		l.Looked = fromMicros(looked)
	}
	return l, err
}

func rawJSON(s string) json.RawMessage {
	if s == "" {
		return nil
	}
	return json.RawMessage(s)
}

// microsOrNone is a time in microseconds; 0 for the zero time.
func microsOrNone(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return micros(t)
}

// Link brings a link; ErrNotFound if nobody cites it.
func (db *DB) Link(ctx context.Context, id int64) (Link, error) {
	return db.link(ctx, `WHERE id=$1`, id)
}

// LinkOfTask brings the link that a task of the standing run looks at; ErrNotFound if nobody cites it any more.
func (db *DB) LinkOfTask(ctx context.Context, task int64) (Link, error) {
	return db.link(ctx, `WHERE id=$1 OR hop=$1 AND hop<>0 LIMIT 1`, task)
}

func (db *DB) link(ctx context.Context, where string, id int64) (Link, error) {
	ls, err := db.links(ctx, where, id)
	if err != nil {
		return Link{}, err
	}
	if len(ls) == 0 {
		return Link{}, fmt.Errorf("link %d: %w", id, ErrNotFound)
	}
	return ls[0], nil
}

func (db *DB) links(ctx context.Context, where string, args ...any) ([]Link, error) {
	out, err := rowsOf(ctx, db, scanLink, `SELECT `+linkCols+` FROM links `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	return out, nil
}

// LinksOf brings the links of a post, in the order of their addresses.
func (db *DB) LinksOf(ctx context.Context, post string) ([]Link, error) {
	return db.links(ctx, `WHERE id IN (SELECT link FROM link_posts WHERE post=$1) ORDER BY url, id`, post)
}

// LinksTo brings the links to an address, one a collection.
func (db *DB) LinksTo(ctx context.Context, url string) ([]Link, error) {
	return db.links(ctx, `WHERE url=$1 ORDER BY collection`, url)
}

// Links brings up to n links behind an id, in the order of ids: all of them, page by page.
func (db *DB) Links(ctx context.Context, after int64, n int) ([]Link, error) {
	return db.links(ctx, `WHERE id>$1 ORDER BY id LIMIT $2`, after, n)
}

// LinksIn brings up to n links of a collection that are in a state, those first that have been for longest; of any collection
// and in any state where they are empty.
func (db *DB) LinksIn(ctx context.Context, collection, live string, n int) ([]Link, error) {
	return db.links(ctx, `WHERE ($1='' OR collection=$1) AND ($2='' OR live=$2) ORDER BY live, since, url, id LIMIT $3`, collection, live, n)
}

// LinksAt brings up to n links of a collection to a host, those first that were looked at last.
func (db *DB) LinksAt(ctx context.Context, collection, host string, n int) ([]Link, error) {
	return db.links(ctx, `WHERE id IN (SELECT id FROM tasks WHERE host=$1 AND run=$2) AND collection=$3 ORDER BY looked DESC, id LIMIT $4`,
		foldKey(host), Standing, collection, n)
}

// StaleLinks brings up to n links of which something is known that their state does not tell.
func (db *DB) StaleLinks(ctx context.Context, n int) ([]Link, error) {
	return db.links(ctx, `WHERE stale<>0 ORDER BY id LIMIT $1`, n)
}

// CountLinks counts the links in each state, of one collection, or of all if it is empty.
func (db *DB) CountLinks(ctx context.Context, collection string) (map[string]int64, error) {
	type count struct {
		live string
		n    int64
	}
	cs, err := rowsOf(ctx, db, func(r row) (c count, err error) {
		err = r.Scan(&c.live, &c.n)
		return c, err
	}, `SELECT live, COUNT(*) FROM links WHERE $1='' OR collection=$1 GROUP BY live`, collection)
	if err != nil {
		return nil, fmt.Errorf("count links: %w", err)
	}
	out := make(map[string]int64, len(cs))
	for _, c := range cs {
		out[c.live] = c.n
	}
	return out, nil
}

// PostsCiting brings the posts that cite a link: their newest versions, without citations, in the order of their dates.
func (db *DB) PostsCiting(ctx context.Context, link int64) ([]Post, error) {
	return db.posts(ctx, `p WHERE id IN (SELECT post FROM link_posts WHERE link=$1) AND `+sqlNewestRun+` ORDER BY at, id`, link)
}

// Quotations brings up to n passages that the newest versions of posts quote from a link.
func (db *DB) Quotations(ctx context.Context, l Link, n int) ([]string, error) {
	out, err := rowsOf(ctx, db, func(r row) (s string, err error) {
		err = r.Scan(&s)
		return s, err
	}, `SELECT DISTINCT c.quotation FROM citations c JOIN posts p ON p.id=c.post AND p.run=c.run WHERE c.url=$1 AND c.quotation<>'' AND c.left_out=''
		AND p.id IN (SELECT post FROM link_posts WHERE link=$2) AND p.`+sqlNewestRun+` ORDER BY c.quotation LIMIT $3`, l.URL, l.ID, n)
	if err != nil {
		return nil, fmt.Errorf("read what is quoted from %s: %w", l.URL, err)
	}
	return out, nil
}

// Looks brings the attempts that were looks at a link, oldest first; of unfinished ones there is no evidence in them.
func (db *DB) Looks(ctx context.Context, link int64) ([]Attempt, error) {
	return db.attempts(ctx, `WHERE link=$1 AND link<>0 ORDER BY at, segment, pos`, link)
}

// maxUnlinked bounds the posts whose links get their rows in one transaction.
const maxUnlinked = 20

// LinkPosts gives links of posts their rows that have none, as in archives of an older version, and says whether there may be more.
func (db *DB) LinkPosts(ctx context.Context) (more bool, err error) {
	ps, err := db.posts(ctx, `WHERE linked=0 ORDER BY id, run LIMIT $1`, maxUnlinked)
	if err != nil || len(ps) == 0 {
		return false, err
	}
	for i := range ps {
		if ps[i].Citations, err = db.citations(ctx, ps[i].ID, ps[i].Run); err != nil {
			return false, err
		}
	}
	err = db.write(ctx, func(x *tx) error {
		for _, p := range ps {
			if err := x.insertLinks(p); err != nil {
				return err
			}
			if _, err := x.exec(`UPDATE posts SET linked=1 WHERE id=$1 AND run=$2`, p.ID, p.Run); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("note the links of posts: %w", err)
	}
	return len(ps) == maxUnlinked, nil
}

// insertLinks makes the rows of a post's links: of those that were not left out.
func (x *tx) insertLinks(p Post) error {
	urls := map[int64]string{}
	for _, c := range p.Citations {
		if c.LeftOut == "" && c.URL != "" {
			urls[LinkID(p.Collection, c.URL)] = c.URL
		}
	}
	ids := slices.Sorted(maps.Keys(urls)) // whoever writes rows of links does so in their order
	args, cited := make([]any, 0, 4*len(ids)), make([]any, 0, 2*len(ids))
	tails := make(map[int64]known, len(ids))
	for _, id := range ids {
		tails[id] = known{p.Collection, urls[id], ""}
		args = append(args, id, p.Collection, urls[id], micros(p.At))
		cited = append(cited, id, p.ID)
	}
	if err := x.putRows(`INSERT INTO links (id, collection, url, added)`, ` ON CONFLICT DO NOTHING`, 4, args); err != nil {
		return err
	}
	if err := x.putRows(`INSERT INTO link_posts (link, post)`, ` ON CONFLICT DO NOTHING`, 2, cited); err != nil {
		return err
	}
	return x.insertTails(tails)
}

// SaveLinks writes what links' histories come to, and has their tasks due accordingly. What came to light of a link after it
// was read leaves it stale.
func (db *DB) SaveLinks(ctx context.Context, links []Link) error {
	links = slices.Clone(links)
	slices.SortFunc(links, func(a, b Link) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	err := db.write(ctx, func(x *tx) error {
		var tasks []Task
		for i := range links {
			tasks = append(tasks, links[i].task())
		}
		if err := x.prepareHosts(hostsOf(tasks)); err != nil {
			return err
		}
		for i := range links {
			l := &links[i]
			n, err := x.exec(`UPDATE links SET urlkey=$1, host=$2, live=$3, since=$4, strikes=$5, looked=$6, next_at=$7, state=$8,
				stale=0 WHERE id=$10 AND stale=$9`, foldKey(l.URLKey), foldKey(l.Host), l.Live, microsOrNone(l.Since), l.Strikes,
				microsOrNone(l.Looked), l.Next, string(l.State), l.Stale, l.ID)
			if err != nil {
				return err
			}
			if n == 0 || l.Look != nil { // something came meanwhile, no post cites it any more, or a look goes on
				continue
			}
			if err := x.watch(tasks[i]); err != nil {
				return err
			}
		}
		return x.wake(tasks)
	})
	if err != nil {
		return fmt.Errorf("write what is known of links: %w", err)
	}
	return nil
}

// task is the link's task in the standing run.
func (l *Link) task() Task {
	due := l.Next
	if due == 0 {
		due = Never
	}
	return Task{Host: l.Host, Run: Standing, ID: l.ID, URL: l.URL, Kind: KindProbe, Due: due}
}

// watch makes a link's task due at another time. It need not be there.
func (x *tx) watch(t Task) error {
	_, err := x.exec(`INSERT INTO tasks (`+taskCols+`) VALUES ($1,$2,$3,$4,$5,0,'','',$6,0,'')
		ON CONFLICT (host, run, id) DO UPDATE SET due_at=excluded.due_at`, foldKey(t.Host), t.Run, t.ID, t.URL, t.Kind, t.Due)
	return err
}

// ParkLooks has the tasks of the standing run wait, or due again: who does not watch links must not find them due for ever.
// It says how many hosts it concerned.
func (db *DB) ParkLooks(ctx context.Context, park bool) (int, error) {
	q, which := `UPDATE tasks SET due_at=due_at-$1 WHERE run=$2 AND due_at>=$1 AND `+sqlOpen, `due_at>=$2 AND `+sqlOpen
	if park {
		q, which = `UPDATE tasks SET due_at=due_at+$1 WHERE run=$2 AND due_at<$1 AND `+sqlOpen, `due_at<$2 AND `+sqlOpen
	}
	var hosts []string
	err := db.write(ctx, func(x *tx) (err error) {
		hosts, err = x.strings(`SELECT DISTINCT host FROM tasks WHERE run=$1 AND `+which+` ORDER BY host`, Standing, parked)
		if err != nil || len(hosts) == 0 {
			return err
		}
		if err := x.lockHosts(hosts); err != nil {
			return err
		}
		if _, err := x.exec(q, parked, Standing); err != nil {
			return err
		}
		for _, h := range hosts {
			if err := x.put(sqlWake, h); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("have looks at links wait: %w", err)
	}
	return len(hosts), nil
}

// LookNow has a link looked at as soon as its host allows. ErrNotFound if nobody cites it, or it was not folded yet.
func (db *DB) LookNow(ctx context.Context, l Link) error {
	if l.Host == "" {
		return fmt.Errorf("link %s: %w", l.URL, ErrNotFound)
	}
	err := db.write(ctx, func(x *tx) error {
		t := l.task()
		t.Due = db.nowMS()
		if err := x.prepareHosts([]string{foldKey(l.Host)}); err != nil {
			return err
		}
		if _, err := x.exec(`UPDATE links SET look='', hop=0, next_at=$1 WHERE id=$2`, t.Due, l.ID); err != nil {
			return err
		}
		return errors.Join(x.watch(t), x.wake([]Task{t}))
	})
	if err != nil {
		return fmt.Errorf("have link %s looked at: %w", l.URL, err)
	}
	return nil
}

// endLooks writes what the ends that count say of links: of those that were looked at, and of those that were captured.
func (x *tx) endLooks(ends []End, held []bool) error {
	looks := map[int64]*LookEnd{}
	stale := map[int64]bool{}
	for i := range ends {
		e := &ends[i]
		switch {
		case !held[i]:
		case e.Look != nil:
			looks[e.Look.Link.ID] = e.Look
			if e.Task.Due == Never && e.Task.ID != e.Look.Link.ID { // a step of a look is asked for once
				if err := x.put(`DELETE FROM tasks WHERE host=$1 AND run=$2 AND id=$3`, foldKey(e.Task.Host), e.Task.Run, e.Task.ID); err != nil {
					return err
				}
			}
		case e.Task.Kind == kindPage || e.Task.Kind == kindRedirect:
			for k := range e.Captures {
				stale[LinkID(e.Captures[k].Collection, e.Captures[k].URL)] = true
			}
			for k := range e.Attempts {
				stale[LinkID(e.Attempts[k].Collection, e.Attempts[k].URL)] = true
			}
		}
	}
	ids := maps.Clone(stale)
	for id := range looks {
		ids[id] = true
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if stale[id] {
			if err := x.put(`UPDATE links SET stale=stale+1 WHERE id=$1`, id); err != nil {
				return err
			}
		}
		if l := looks[id]; l != nil {
			if err := x.endLook(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// kindRedirect is the kind of the tasks that follow a redirect, see crawler/scope.
const kindRedirect = "redirect"

func (x *tx) endLook(e *LookEnd) error {
	l := &e.Link
	if err := x.put(`UPDATE links SET live=$1, since=$2, strikes=$3, looked=$4, next_at=$5, state=$6, look=$7, hop=$8,
		stale=stale+1, host=$10, urlkey=$11 WHERE id=$9`, // its state names its last record only once it is folded anew
		l.Live, microsOrNone(l.Since), l.Strikes, microsOrNone(l.Looked), l.Next, string(l.State), string(l.Look), l.Hop, l.ID,
		foldKey(l.Host), foldKey(l.URLKey)); err != nil {
		return err
	}
	if e.Root.Host == "" {
		return nil
	}
	if err := x.put(`UPDATE tasks SET due_at=$1 WHERE host=$2 AND run=$3 AND id=$4 AND `+sqlOpen, e.Root.Due, foldKey(e.Root.Host), e.Root.Run, e.Root.ID); err != nil {
		return err
	}
	return x.wake([]Task{e.Root})
}

// DropUncited takes links away that no post cites any more, with their tasks.
func (db *DB) DropUncited(ctx context.Context) error {
	err := db.write(ctx, func(x *tx) error { return x.dropUncited() })
	if err != nil {
		return fmt.Errorf("drop links that nobody cites: %w", err)
	}
	return nil
}

func (x *tx) dropUncited() error {
	for _, q := range []string{
		`DELETE FROM link_posts WHERE NOT EXISTS (SELECT 1 FROM posts p WHERE p.id=link_posts.post)`,
		`DELETE FROM tasks WHERE run=0 AND id IN (SELECT id FROM links WHERE NOT EXISTS (SELECT 1 FROM link_posts c WHERE c.link=links.id))`,
		`DELETE FROM tasks WHERE run=0 AND id IN (SELECT hop FROM links WHERE hop<>0 AND NOT EXISTS (SELECT 1 FROM link_posts c WHERE c.link=links.id))`,
		`DELETE FROM links WHERE NOT EXISTS (SELECT 1 FROM link_posts c WHERE c.link=links.id)`,
	} {
		if _, err := x.exec(q); err != nil {
			return err
		}
	}
	return x.dropTails()
}

// Refold has every link folded anew: after a purge or a repair of rows, what it was folded from may be gone.
func (db *DB) Refold(ctx context.Context) error {
	err := db.write(ctx, func(x *tx) error {
		_, err := x.exec(`UPDATE links SET stale=stale+1`)
		return err
	})
	if err != nil {
		return fmt.Errorf("have links folded anew: %w", err)
	}
	return nil
}

// PostponeLook has a look that was not begun due later.
func (db *DB) PostponeLook(ctx context.Context, t Task, due int64) error {
	err := db.write(ctx, func(x *tx) error {
		if err := x.prepareHosts([]string{foldKey(t.Host)}); err != nil {
			return err
		}
		_, err := x.exec(`UPDATE tasks SET due_at=$1 WHERE host=$2 AND run=$3 AND id=$4 AND `+sqlOpen, due, foldKey(t.Host), t.Run, t.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("postpone the look at %s: %w", t.URL, err)
	}
	return nil
}
