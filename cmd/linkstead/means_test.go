package main

import (
	"testing"

	"linkstead/configs"
	"linkstead/crawler"
)

// TestMeans holds what is shared out to what there is.
func TestMeans(t *testing.T) {
	load := func(limit configs.Size, crawlers int) means {
		cfg, err := configs.Load("", func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		cfg.MaxMemory = limit
		return (&env{cfg: cfg, crawlers: crawlers}).means()
	}
	free := load(0, 0)
	if free.limit != 0 || free.decoded != 16<<20 || free.spill != 1<<20 || free.hosts != 16 || free.more != 0 {
		t.Errorf("without a bound: %+v", free)
	}
	for _, mb := range []int64{96, 128, 256, 450, 1024, 16 << 10} {
		for _, n := range []int{1, 4} {
			m := load(configs.Size(mb<<20), n)
			took := baseMemory + int64(n)*(m.documents+m.links+int64(m.hosts+m.more)*(2*m.spill+exchangeMemory))
			if m.hosts < 1 || m.more < 1 || m.decoded < 100<<10 || m.spill < 16<<10 || m.decoded*crawler.PostWeight > m.documents ||
				took > max(m.limit, 96<<20)+int64(n)<<20 {
				t.Errorf("%d MiB, %d crawlers: %d MiB of %+v", mb, n, took>>20, m)
			}
		}
	}
	if m := load(450<<20, 1); m.decoded < 9<<20 {
		t.Errorf("with 450 MiB, only %d bytes of a document are read", m.decoded)
	}
}
