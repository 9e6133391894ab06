package repair_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"linkstead/archive/repair"
)

// Paragraphs that stand in another order in the copy keep their links, edited or not.
func TestMovedBlocks(t *testing.T) {
	ps := pages(t, 0, heldOut)
	vocab := vocabulary(ps)
	for _, test := range []struct {
		rate         float64
		right, wrong float64
	}{
		{0, 0.95, 0.005},
		{0.05, 0.85, 0.01},
	} {
		t.Run(fmt.Sprint(test.rate), func(t *testing.T) {
			var all tally
			for i, p := range ps {
				r := rand.New(rand.NewPCG(uint64(i), 11))
				all.add(check(t, p, &editor{r: r, rate: test.rate, vocab: vocab, moves: true}))
			}
			t.Log(&all)
			if right, wrong := float64(all.right)/float64(all.links), float64(all.wrong)/float64(all.links); right < test.right || wrong > test.wrong || all.mistaken > 0 {
				t.Errorf("%s; at least %.2f right and at most %.2f wrong are due, and none that is accepted", &all, test.right, test.wrong)
			}
		})
	}
}

// Paragraphs that come twice, as pull quotes and summaries do, with links of their own: each is hung on its own, or waits.
func TestTwins(t *testing.T) {
	ps := pages(t, 0, heldOut)
	vocab := vocabulary(ps)
	var all tally
	for i, p := range ps {
		for _, rate := range []float64{0, 0.05, 0.2} {
			r := rand.New(rand.NewPCG(uint64(i), uint64(rate*100)))
			p.blocks = twinned(r, p.blocks)
			all.add(check(t, p, &editor{r: r, rate: rate, vocab: vocab}))
		}
	}
	t.Log(&all)
	if right, wrong := float64(all.right)/float64(all.links), float64(all.wrong)/float64(all.links); right < 0.95 || wrong > 0.02 || all.mistaken > 0 {
		t.Errorf("%s", &all)
	}
}

// twinned has some of the blocks twice; the links of their twins lead elsewhere.
func twinned(r *rand.Rand, blocks []repair.Block) []repair.Block {
	out := slices.Clone(blocks)
	for range 3 + len(out)/8 {
		twin := blocks[r.IntN(len(blocks))]
		twin.Links = slices.Clone(twin.Links)
		for i := range twin.Links {
			twin.Links[i].URL += fmt.Sprintf("?twin=%d", r.Uint32())
		}
		out = slices.Insert(out, r.IntN(len(out)+1), twin)
	}
	return out
}

// moved puts some passages of blocks elsewhere.
func moved(r *rand.Rand, blocks []repair.Block) []repair.Block {
	out := slices.Clone(blocks)
	for range 1 + len(out)/20 {
		n := min(1+r.IntN(6), len(out))
		from := r.IntN(len(out) - n + 1)
		passage := slices.Clone(out[from : from+n])
		out = slices.Delete(out, from, from+n)
		out = slices.Insert(out, r.IntN(len(out)+1), passage...)
	}
	return out
}
