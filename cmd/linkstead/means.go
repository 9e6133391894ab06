package main

import (
	"math"
	"runtime/debug"

	"linkstead/configs"
	"linkstead/crawler"
)

// means is what a process has for its work: memory, shared out.
type means struct {
	limit     int64 // bytes of the whole process; 0: no bound
	documents int64 // bytes of long documents in hand, with all that is made of them
	links     int64 // bytes of the links that documents with many lead to; 0: no bound
	decoded   int64 // bytes of one document that is searched for links
	spill     int64 // bytes of a response before it goes to a file
	hosts     int   // at the same time
	more      int   // exchanges at the same time, beyond one a host
}

// What the program takes before it does anything, and what one exchange takes besides its spill: buffers, a gzip writer, its
// connection. Measured; bytes.
const (
	baseMemory     = 64 << 20
	exchangeMemory = 512 << 10
	freeDocuments  = 256 << 20 // for documents where memory has no bound
	outsideMemory  = 48 << 20  // of the base, what the collector knows nothing of: the program's own pages, SQLite's cache
)

// means shares the memory out that the settings allow, for one of the crawlers of the process. A third of what is left beyond
// the base is for documents, a quarter for the links of those with many; the rest is for exchanges: two spills each, the response
// and its records.
func (e *env) means() means {
	c := e.cfg
	m := means{
		limit: int64(c.MaxMemory), documents: freeDocuments, decoded: int64(c.Limits.Decoded), spill: int64(c.Limits.Spill),
		hosts: c.Concurrency, more: 0,
	}
	if m.limit == 0 {
		return m
	}
	left := max(m.limit-baseMemory, 16<<20) / int64(max(1, e.crawlers))
	m.documents, m.links = left/3, left/4
	m.decoded = min(m.decoded, m.documents/crawler.PostWeight)
	m.spill = min(m.spill, m.limit/1024)
	places := int((left - m.documents - m.links) / (2*m.spill + exchangeMemory))
	m.hosts = min(m.hosts, max(1, places/2))
	m.more = max(1, places-m.hosts)
	return m
}

// linkRoom is room for the links.
func (m means) linkRoom() *crawler.LinkRoom {
	if m.links == 0 {
		return nil
	}
	return crawler.NewLinkRoom(m.links)
}

// tell tells the collector of garbage to work harder as the limit comes near.
func (m means) tell() {
	if m.limit > 0 && m.limit < math.MaxInt64/10*9 {
		debug.SetMemoryLimit(min(m.limit/10*9, m.limit-outsideMemory))
	}
}

// within are the settings with the bounds that memory sets.
func (m means) within(cfg configs.Config) configs.Config {
	cfg.Limits.Decoded, cfg.Limits.Spill = configs.Size(m.decoded), configs.Size(m.spill)
	return cfg
}
