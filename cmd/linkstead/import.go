package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"linkstead/archive/pack"
	"linkstead/archive/warc"
	"linkstead/storage"
)

// importCmd takes in archives that others made.
type importCmd struct {
	Files      []string `arg:"" optional:"" name:"file" help:"WARC, ARC and WACZ files, compressed or not; folders, of which every such file is taken; s3://BUCKET/KEY."`
	Collection *string  `help:"Collection that their captures go into."`
	InPlace    bool     `help:"Index the files where they lie, and copy nothing: they must stay there, and as they are."`
	JSON       bool     `name:"json" help:"Print JSON."`
	Log        bool     `help:"Print the log of imports, and import nothing."`
}

func (c *importCmd) run(ctx context.Context, e *env) (err error) {
	set(&e.cfg.Collection, c.Collection)
	if c.Log {
		if len(c.Files) > 0 || c.InPlace {
			return usageError{errors.New("--log prints the log of imports and takes nothing else")}
		}
		return c.printLog(ctx, e)
	}
	files, err := importable(c.Files)
	if err != nil {
		return err
	}
	if err := checkCollection(e.cfg.Collection, nil); err != nil {
		return err
	}
	s, err := e.open(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	err = e.alone(ctx, s, func(ctx context.Context, temp string) error { return c.all(ctx, e, s, temp, files) })
	if errors.Is(err, storage.ErrLocked) {
		return fmt.Errorf("%w\nAnother import goes on in this archive, or a purge: try again when it has ended", err)
	}
	return err
}

// alone does something while nobody else imports into the archive or purges from it, on whatever machine. It hands over an empty folder.
func (e *env) alone(ctx context.Context, s *store, do func(ctx context.Context, temp string) error) (err error) {
	owner, release, err := storage.HoldPurge(e.cfg.SpoolDir())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	temp, drop, err := storage.HoldImport(e.cfg.SpoolDir())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	p := &warc.Purger{Locks: s.db, Node: owner, Log: e.log}
	return p.Alone(ctx, func(ctx context.Context) error { return do(ctx, temp) })
}

// all imports the files, one after another.
func (c *importCmd) all(ctx context.Context, e *env, s *store, temp string, files []string) error {
	im, err := e.importer(ctx, s, temp)
	if err != nil {
		return err
	}
	reports := []warc.ImportReport{}
	failed := 0
	for _, file := range files {
		reps, err := c.one(ctx, e, s, im, file)
		reports = append(reports, reps...)
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if err != nil {
			if len(files) == 1 || !errors.Is(err, pack.ErrEmpty) { // among others, it is told of
				failed++
			}
			fmt.Fprintf(e.stderr, "linkstead: %s\n", legible(advise(file, err).Error()))
		}
	}
	if c.JSON {
		if err := encode(e.stdout, reports); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%s of %d could not be imported", plural(failed, "file", "files"), len(files))
	}
	return nil
}

// importer is what imports into the archive.
func (e *env) importer(ctx context.Context, s *store, temp string) (*warc.Importer, error) {
	info := e.info()
	info.Robots, info.UserAgent, info.From = "", "", "" // whoever made the captures says that
	node, err := warc.SpoolNode(e.cfg.SpoolDir())
	if err != nil {
		return nil, err
	}
	c, err := s.db.Collection(ctx, e.cfg.Collection)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	if err == nil {
		if info.About, err = warc.ReadAbout(c.About); err != nil {
			return nil, err
		}
		info.Since = c.Created
	}
	return &warc.Importer{
		Rows: s.db, Blobs: s.blobs, Temp: temp, MaxSize: int64(e.cfg.Segment.Size), Info: info, Node: node, Now: e.now,
	}, nil
}

// one imports one file, and tells of it.
func (c *importCmd) one(ctx context.Context, e *env, s *store, im *warc.Importer, file string) (reps []warc.ImportReport, err error) {
	location, err := storage.Locate(file)
	if err != nil {
		return nil, err
	}
	r, size, err := s.blobs.ReaderAt(ctx, location)
	if err != nil {
		return nil, err
	}
	sources, err := pack.File{Name: file, Location: location, R: r, Size: size}.Sources(im.Temp, c.InPlace)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sources.Close()) }()
	for i, src := range sources.List {
		if i == 0 {
			src.Passed = sources.Passed
		}
		src.Pages, src.More = sources.Pages, i < len(sources.List)-1
		src.Collection, src.InPlace = e.cfg.Collection, c.InPlace
		began := e.now()
		rep, err := im.Import(ctx, src)
		if err != nil {
			return reps, err
		}
		reps = append(reps, rep)
		if !c.JSON {
			c.tell(e, src, rep, e.now().Sub(began))
		}
	}
	return reps, nil
}

// maxTold bounds how many skipped stretches are printed.
const maxTold = 10

func (c *importCmd) tell(e *env, src warc.Source, rep warc.ImportReport, took time.Duration) {
	name := clean(src.Name)
	if rep.Already {
		fmt.Fprintf(e.stdout, "%s: imported before, into %s; nothing was done\n", name, src.Collection)
		return
	}
	how := "copied"
	if rep.InPlace {
		how = "indexed where it lies"
	}
	fmt.Fprintf(e.stdout, "%s: %s of %s, %s, into %s (%s, %s)\n", name, plural(rep.Captures, "capture", "captures"),
		plural(rep.Records, "record", "records"), how, src.Collection, size(src.Size), took.Round(10*time.Millisecond))
	for _, why := range slices.Sorted(maps.Keys(rep.Left)) {
		fmt.Fprintf(e.stdout, "  not indexed: %s, %s\n", plural(rep.Left[why], "record", "records"), why)
	}
	if rep.Pages > 0 {
		fmt.Fprintf(e.stdout, "  %s among the posts: 'linkstead list' tells them\n", plural(rep.Pages, "page is now", "pages are now"))
	}
	for _, why := range slices.Sorted(maps.Keys(rep.PagesLeft)) {
		fmt.Fprintf(e.stdout, "  not among the posts: %s, %s\n", plural(rep.PagesLeft[why], "page", "pages"), why)
	}
	if rep.Odd > 0 {
		fmt.Fprintf(e.stdout, "  %s not as long as it says\n", plural(rep.Odd, "record is", "records are"))
	}
	if rep.Skips > 0 {
		fmt.Fprintf(e.stdout, "  skipped, since it is no record: %s at %s\n", size(rep.Lost), plural(rep.Skips, "place", "places"))
	}
	for i, s := range rep.Passed {
		if i == maxTold {
			fmt.Fprintf(e.stdout, "  … and %d more were passed over; --json lists them\n", len(rep.Passed)-i)
			break
		}
		fmt.Fprintf(e.stdout, "  passed over: %s\n", clean(s))
	}
	for i, s := range rep.Skipped {
		if i == maxTold {
			fmt.Fprintf(e.stdout, "    … and %d more; --json lists them\n", rep.Skips-i)
			break
		}
		fmt.Fprintf(e.stdout, "    bytes %d to %d: %s\n", s.From, s.To, clean(s.Why))
	}
}

// advise tells what to try about a file that can't be imported.
func advise(file string, err error) error {
	switch {
	case errors.Is(err, warc.ErrNotApart):
		return fmt.Errorf("%s can't be indexed where it lies: %w\nImport it without --in-place: a copy has each record by itself", file, warc.ErrNotApart)
	case errors.Is(err, pack.ErrPacked):
		return fmt.Errorf("%s can't be indexed where it lies: %w\nImport it without --in-place: a copy has each record by itself", file, pack.ErrPacked)
	case errors.Is(err, warc.ErrOnlyInPlace):
		return fmt.Errorf("%s was not copied: it was imported in place before, and the archive reads it where it lies\nKeep it there, or copy it into another collection (--collection NAME)", file)
	case errors.Is(err, pack.ErrEmpty):
		return fmt.Errorf("%s is empty: there is nothing in it to import", file)
	case errors.Is(err, warc.ErrNoRecords):
		return fmt.Errorf("%s: %w\nWARC, ARC and WACZ files can be imported", file, err)
	}
	return fmt.Errorf("%s can't be imported: %w", file, err)
}

// importable are the files that names mean: of a folder, every file in it that looks like an archive, in the order of their names.
func importable(names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, usageError{errors.New("name a WARC, ARC or WACZ file, a folder of them, or s3://BUCKET/KEY\nTry 'linkstead import --help'")}
	}
	var out []string
	for _, name := range names {
		if strings.HasPrefix(name, "s3://") {
			out = append(out, name)
			continue
		}
		st, err := os.Stat(name)
		if err != nil {
			return nil, usageError{fmt.Errorf("there is no file %s that can be read: %w", name, errors.Unwrap(err))}
		}
		if !st.IsDir() {
			out = append(out, name)
			continue
		}
		found := 0
		err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
			if err == nil && archiveName(path) && isFile(path, d) {
				out = append(out, path)
				found++
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("look through %s: %w", name, err)
		}
		if found == 0 {
			return nil, usageError{fmt.Errorf("the folder %s holds no file whose name ends in .warc, .warc.gz, .warc.zst, .arc, .arc.gz or .wacz", name)}
		}
	}
	return out, nil
}

// isFile says whether a name in a folder is that of a file, or of a link to one or to nowhere: whoever reads it will tell of that.
func isFile(path string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	st, err := os.Stat(path)
	return err != nil || st.Mode().IsRegular()
}

// archiveName says whether a file's name is that of an archive.
func archiveName(path string) bool {
	path = strings.ToLower(path)
	for _, end := range []string{".warc", ".warc.gz", ".warc.zst", ".arc", ".arc.gz", ".wacz"} {
		if strings.HasSuffix(path, end) {
			return true
		}
	}
	return false
}

func (c *importCmd) printLog(ctx context.Context, e *env) (err error) {
	s, err := e.openTables(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	all, err := s.db.Audits(ctx)
	if err != nil {
		return err
	}
	lines := []importLine{}
	for _, a := range all {
		if a.Action != warc.ActionImport {
			continue
		}
		l := importLine{Audit: a}
		if err := json.Unmarshal(a.Detail, &l.rep); err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		l.Collection = l.rep.Into
		if id := strings.Fields(a.ID); l.Collection == "" && len(id) == 3 { // a line of an older version
			l.Collection = id[1]
		}
		lines = append(lines, l)
	}
	if c.JSON {
		return encode(e.stdout, lines)
	}
	if len(lines) == 0 {
		fmt.Fprintln(e.stdout, "Nothing was ever imported.")
	}
	for i := range lines {
		l := &lines[i]
		how := "copied"
		if l.rep.InPlace {
			how = "indexed where it lies"
		}
		fmt.Fprintf(e.stdout, "%s  %s: %s of %s, %s, into %s\n", stamp(l.At), clean(l.rep.Name), plural(l.rep.Captures, "capture", "captures"),
			plural(l.rep.Records, "record", "records"), how, l.Collection)
	}
	return nil
}

// importLine is a line of the log of imports.
type importLine struct {
	storage.Audit
	Collection string `json:"collection"`
	rep        warc.ImportReport
}
