package storagetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"linkstead/storage"
)

// Notes holds a database to the contract of notes.
func Notes(t *testing.T, rows Rows) {
	suite(t, rows, []test{
		{"Added", notesAdded},
		{"Told", notesTold},
		{"Adopted", notesAdopted},
		{"AtOnce", notesAtOnce},
	})
}

func (b *bench) note(id, target string) storage.Note {
	b.clock.Advance(time.Millisecond)
	return storage.Note{ID: id, Collection: "c", Target: target, At: b.clock.Now().UTC(), Node: "n", Body: json.RawMessage(`{"id":"` + id + `"}`)}
}

func (b *bench) addNotes(kind, subject string, notes ...storage.Note) {
	b.t.Helper()
	if err := b.AddNotes(b.t.Context(), kind, subject, func([]storage.Note) ([]storage.Note, error) { return notes, nil }); err != nil {
		b.t.Fatal(err)
	}
}

func named(notes []storage.Note) (s string) {
	for _, n := range notes {
		s += fmt.Sprintf(" %s/%d", n.ID, n.Seq)
	}
	return s
}

// notesAdded: in order, found by subject and by target; a refusal adds nothing.
func notesAdded(b *bench) {
	ctx := b.t.Context()
	late, early := b.note("late", "t2"), b.note("first", "t3")
	b.addNotes("repair", "post", b.note("a", "t1"), b.note("z", "t1"))
	b.addNotes("repair", "post", late) // by a clock that is behind
	b.addNotes("repair", "other", b.note("b", "t1"))
	b.addNotes("identifier", "post", b.note("c", "t1"))
	b.addNotes("repair", "other", b.note("g", "t3"), early)
	b.addNotes("repair", "last", b.note("e", "t3"))
	no := errors.New("no")
	err := b.AddNotes(ctx, "repair", "post", func(have []storage.Note) ([]storage.Note, error) {
		if got := named(have); got != " a/0 z/1 late/2" {
			b.t.Errorf("handed %q", got)
		}
		return []storage.Note{b.note("d", "")}, no
	})
	if !errors.Is(err, no) {
		b.t.Error(err)
	}
	many := []string{"t3"}
	for i := range 1200 {
		many = append(many, fmt.Sprint("a", i))
	}
	many = append(many, "t2")
	for _, c := range []struct {
		name string
		list func() ([]storage.Note, error)
		want string
	}{
		{"by subject", func() ([]storage.Note, error) { return b.Notes(ctx, "repair", "post") }, " a/0 z/1 late/2"},
		{"by target", func() ([]storage.Note, error) { return b.NotesOf(ctx, "repair", "t1") }, " a/0 z/1 b/0"},
		{"by target, by a clock that is behind", func() ([]storage.Note, error) { return b.NotesOf(ctx, "repair", "t3") }, " g/1 first/2 e/0"},
		{"untold", func() ([]storage.Note, error) { return b.UntoldNotes(ctx) }, " c/0 e/0 b/0 g/1 first/2 a/0 z/1 late/2"},
		{"among targets", func() ([]storage.Note, error) {
			return b.NotesAmong(ctx, "repair", []string{"t3", "no", "t1", "", "t3"})
		}, " a/0 z/1 b/0 g/1 first/2 e/0"},
		{"among many targets", func() ([]storage.Note, error) { return b.NotesAmong(ctx, "repair", many) }, " late/2 g/1 first/2 e/0"},
		{"among none", func() ([]storage.Note, error) { return b.NotesAmong(ctx, "repair", nil) }, ""},
		{"of none", func() ([]storage.Note, error) { return b.NotesOf(ctx, "repair", "") }, ""},
		{"all", func() ([]storage.Note, error) { return b.AllNotes(ctx) }, " c/0 e/0 b/0 g/1 first/2 a/0 z/1 late/2"},
	} {
		if got, err := c.list(); err != nil || named(got) != c.want {
			b.t.Errorf("%s: %q, want %q, %v", c.name, named(got), c.want, err)
		}
	}
	n, err := b.Note(ctx, "late")
	if err != nil || n.Target != "t2" || string(n.Body) != `{"id":"late"}` || !n.At.Equal(late.At) || n.Node != "n" || n.Collection != "c" || n.Kind != "repair" {
		b.t.Errorf("%+v, %v", n, err)
	}
	if _, err := b.Note(ctx, "d"); !errors.Is(err, storage.ErrNotFound) {
		b.t.Error(err)
	}
}

// notesTold: each is told of once; who comes second writes nothing, also of what nobody has told of yet.
func notesTold(b *bench) {
	ctx := b.t.Context()
	b.addNotes("repair", "post", b.note("a", ""), b.note("b", ""))
	b.changeAccess(b.access("k", "r1", true))
	segment := func(id string) storage.Segment {
		return storage.Segment{ID: id, Collection: "c", Node: "n", Location: "warc/c/" + id, Size: 7, Committed: 7, Created: b.clock.Now()}
	}
	for range 2 { // the answer to the first one may have been lost
		if err := b.Told(ctx, segment("s1"), nil, []string{"a"}); err != nil {
			b.t.Fatal(err)
		}
	}
	for _, ids := range [][]string{{"a"}, {"b", "a"}, {"b", "never"}} {
		if err := b.Told(ctx, segment("s2"), []string{"k"}, ids); !errors.Is(err, storage.ErrStale) {
			b.t.Errorf("%q: %v", ids, err)
		}
	}
	if _, err := b.Segment(ctx, "s2"); !errors.Is(err, storage.ErrNotFound) {
		b.t.Errorf("the segment of who came second: %v", err)
	}
	if untold, err := b.UntoldNotes(ctx); err != nil || named(untold) != " b/1" {
		b.t.Errorf("%q, %v", named(untold), err)
	}
	if untold, err := b.UntoldAccess(ctx); err != nil || len(untold) != 1 {
		b.t.Errorf("%+v, %v", untold, err)
	}
	if n, err := b.Note(ctx, "a"); err != nil || n.Segment != "s1" {
		b.t.Errorf("%+v, %v", n, err)
	}
}

// notesAdopted: in whatever order and as often as they are found; of two with one number none is lost.
func notesAdopted(b *bench) {
	ctx := b.t.Context()
	first, second, twin := b.note("a", ""), b.note("b", ""), b.note("c", "")
	for i, n := range []*storage.Note{&first, &second, &twin} {
		n.Kind, n.Subject, n.Seq, n.Segment = "repair", "post", min(i, 1), "s"
	}
	for _, n := range []storage.Note{second, first, first, twin} {
		if err := b.AdoptNotes(ctx, n); err != nil {
			b.t.Fatal(err)
		}
	}
	if got, err := b.Notes(ctx, "repair", "post"); err != nil || named(got) != " a/0 b/1 c/2" {
		b.t.Errorf("%q, %v", named(got), err)
	}
	if untold, err := b.UntoldNotes(ctx); err != nil || len(untold) != 0 {
		b.t.Errorf("%+v, %v", untold, err)
	}
	b.addNotes("repair", "post", b.note("d", ""))
	if got, err := b.Notes(ctx, "repair", "post"); err != nil || named(got) != " a/0 b/1 c/2 d/3" {
		b.t.Errorf("%q, %v", named(got), err)
	}
}

// notesAtOnce: of those who add at once, each sees what was added before.
func notesAtOnce(b *bench) {
	const n = 8
	at := b.clock.Now().UTC()
	var g errgroup.Group
	for i := range n {
		g.Go(func() error {
			return b.AddNotes(context.WithoutCancel(b.t.Context()), "identifier", "x", func(have []storage.Note) ([]storage.Note, error) {
				return []storage.Note{{ID: fmt.Sprintf("k%d", i), Collection: "c", Target: fmt.Sprint(len(have)), At: at, Body: json.RawMessage(`{}`)}}, nil
			})
		})
	}
	if err := g.Wait(); err != nil {
		b.t.Fatal(err)
	}
	got, err := b.Notes(b.t.Context(), "identifier", "x")
	if err != nil || len(got) != n {
		b.t.Fatalf("%d, %v", len(got), err)
	}
	for i, one := range got {
		if one.Seq != i || one.Target != fmt.Sprint(i) {
			b.t.Errorf("%d: %+v", i, one)
		}
	}
}
