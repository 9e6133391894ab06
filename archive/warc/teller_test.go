package warc

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
	"linkstead/storage/storagetest"
)

// meeting is a blob folder whose first Put of each teller waits for that of all others: nobody's rows are written before.
type meeting struct {
	*storage.Dir
	once *sync.Once
	all  *sync.WaitGroup
	ctx  context.Context
}

func (m meeting) Put(ctx context.Context, key, path, sum string) error {
	m.once.Do(func() {
		m.all.Done()
		met := make(chan struct{})
		go func() { m.all.Wait(); close(met) }()
		select {
		case <-met:
		case <-m.ctx.Done():
		}
	})
	return m.Dir.Put(ctx, key, path, sum)
}

// TestTellersAtOnce: of any number of workers that tell at the same time, each note ends in one segment, and no blob is left of
// those who came second.
func TestTellersAtOnce(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { tellersAtOnce(t, "sqlite:"+filepath.Join(t.TempDir(), "l.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { tellersAtOnce(t, storagetest.Postgres(t).DSN(t)) })
}

func tellersAtOnce(t *testing.T, dsn string) {
	const tellers, notes = 6, 12
	first := storagetest.OpenRows(t, dsn, nil)
	for i := range notes {
		must(t, first.AddNote(t.Context(), aNote(fmt.Sprintf("n%d", i), []string{"c", "d"}[i%2], fmt.Sprintf("post%d", i%3))))
	}
	dir := fastDir(t)
	var met sync.WaitGroup
	met.Add(tellers)
	g, ctx := errgroup.WithContext(t.Context())
	told := make([]int, tellers)
	for i := range tellers {
		db := storagetest.OpenRows(t, dsn, nil)
		blobs, err := storage.OpenDir(filepath.Join(dir, "blobs"), storage.OS{})
		must(t, err)
		one := &Teller{
			Rows: db, Blobs: meeting{blobs, new(sync.Once), &met, ctx}, Composer: &Composer{Dir: filepath.Join(dir, "told"), Memory: 64 << 10},
			Info: Info{Software: "linkstead/test", Robots: "obey"}, FS: storage.OS{}, Dir: filepath.Join(dir, "told"), Node: fmt.Sprintf("node%d", i/2), Now: time.Now,
		}
		g.Go(func() error {
			for round := range 3 { // and what is added while others tell
				n, err := one.Tell(ctx)
				if err != nil {
					return err
				}
				told[i] += n
				if err := db.AddNote(ctx, aNote(fmt.Sprintf("t%d-%d", i, round), "c", fmt.Sprintf("post%d", round))); err != nil {
					return err
				}
			}
			n, err := one.Tell(ctx)
			told[i] += n
			return err
		})
	}
	must(t, g.Wait())
	sum := 0
	for _, n := range told {
		sum += n
	}
	if want := notes + 3*tellers; sum != want {
		t.Errorf("%v were told of, together %d, not %d", told, sum, want)
	}
	toldOnce(t, first, filepath.Join(dir, "blobs"))
}

func aNote(id, collection, subject string) storage.Note {
	return storage.Note{ID: id, Kind: storage.NoteRepair, Subject: subject, Collection: collection, At: time.Now().UTC().Truncate(time.Microsecond), Node: "n", Body: json.RawMessage(`{}`)}
}

// toldOnce: each note stands once in all blobs, in that which its row names; each blob has the row of its segment.
func toldOnce(t *testing.T, db *storage.DB, dir string) {
	t.Helper()
	where := map[string]string{}
	blobs, err := storage.OpenDir(dir, storage.OS{})
	must(t, err)
	var keys []string
	for b, err := range blobs.List(t.Context(), "") {
		must(t, err)
		keys = append(keys, b.Key)
		for _, id := range notesIn(t, filepath.Join(dir, filepath.FromSlash(b.Key))) {
			if where[id] != "" {
				t.Errorf("note %s is in %s and %s", id, where[id], b.Key)
			}
			where[id] = b.Key
		}
	}
	located := map[string]string{}
	segments, err := db.Segments(t.Context())
	must(t, err)
	for _, s := range segments {
		located[s.ID] = s.Location
	}
	if rows := slices.Sorted(maps.Values(located)); !slices.Equal(rows, slices.Sorted(slices.Values(keys))) {
		t.Errorf("blobs %q, rows of %q", keys, rows)
	}
	all, err := db.AllNotes(t.Context())
	must(t, err)
	if len(all) != len(where) {
		t.Errorf("%d notes, %d in blobs", len(all), len(where))
	}
	for _, n := range all {
		if n.Segment == "" || where[n.ID] != located[n.Segment] {
			t.Errorf("note %s: its row names %q, and it is in %q", n.ID, n.Segment, where[n.ID])
		}
	}
}

// notesIn are the ids of the notes that a segment tells of, in order.
func notesIn(t *testing.T, path string) (out []string) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	st, err := f.Stat()
	must(t, err)
	for u, err := range Exchanges(f, 0, st.Size()) {
		must(t, err)
		if last := u.Last(); last.Header.Get(fieldContentType) == MimeNote {
			n, err := noteOf(last, f)
			must(t, err)
			out = append(out, n.ID)
		}
	}
	return out
}
