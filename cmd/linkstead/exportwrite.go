package main

import (
	"context"
	"io"

	"linkstead/archive/pack"
)

// exporter is what writes what was chosen of a collection. What does not fit into memory it keeps in temp.
func (ch *chosen) exporter(collection, temp string) *pack.Exporter {
	info := ch.e.info()
	info.Robots, info.UserAgent, info.From, info.Description = "", "", "", "Exported: "+ch.title()
	return &pack.Exporter{
		Collection: collection, Rows: ch.readers, Segments: ch.s.db, Library: ch.s.lib, Open: ch.s.bytes(ch.e.cfg.SpoolDir()), Temp: temp, Info: info, Now: ch.e.now,
	}
}

func (ch *chosen) wacz(ctx context.Context, x *pack.Exporter, w io.Writer) (pack.Exported, error) {
	return x.WACZ(ctx, w, pack.Package{
		Title: ch.title(), Software: "linkstead/" + version, MainURL: ch.mainURL(), MainAt: ch.mainAt(), Pages: ch.pages,
	}, ch.sel)
}
