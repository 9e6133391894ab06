package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8/cwriter"

	"linkstead/archive/warc"
	"linkstead/configs"
	"linkstead/storage"
)

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// program is all that a run of the command touches. The binary and the tests both make one.
type program struct {
	args   []string
	getenv func(string) string
	vars   []string // NAME=VALUE of the whole environment, which is looked through for settings that are none
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	fs     storage.FS       // nil: the machine's; tests wrap it
	clock  func() time.Time // of leases and due times; nil: the database's
	now    func() time.Time // nil: time.Now
}

// cli is the command line.
type cli struct {
	Config    string `help:"Configuration file (YAML); see 'linkstead config'." placeholder:"FILE"`
	Archive   string `help:"Where the archive is: a folder (default ./archive), or s3://BUCKET/PREFIX." placeholder:"PLACE"`
	Blobs     string `help:"Where bytes are kept: dir:PATH or s3://BUCKET/PREFIX (default: the archive)." placeholder:"STORE"`
	DB        string `help:"Where rows are kept: sqlite:PATH or postgres://USER@HOST/NAME (default: linkstead.db in the archive folder)." placeholder:"DSN"`
	Spool     string `help:"Folder of this machine for what is not stored yet (default: spool in the archive folder, or ./linkstead-spool)." placeholder:"DIR"`
	MaxMemory string `help:"Bytes of memory to take at most, as in 256MiB (default: no bound)." placeholder:"SIZE"`
	Verbose   bool   `short:"v" help:"Tell more of what is going on: --log-level debug."`

	LogFormat *string `help:"How log lines are written: text, json, or auto (text on a terminal)." placeholder:"FORMAT"`
	LogLevel  *string `help:"Which are: debug, info, warn, error, or auto (info while serving and working, else warn)." placeholder:"LEVEL"`

	Version kong.VersionFlag `help:"Print the version."`

	Capture    captureCmd    `cmd:"" help:"Capture posts and every source they link to."`
	Audit      auditCmd      `cmd:"" help:"Check the links of documents, without an archive: a report for people, or for CI."`
	Serve      serveCmd      `cmd:"" help:"Show the archive, replay its copies, and work on its captures."`
	Work       workCmd       `cmd:"" help:"Work captures off until stopped, on any number of machines."`
	Segments   segmentsCmd   `cmd:"" help:"List the WARC files that are not stored yet, or give up those of a lost machine."`
	List       listCmd       `cmd:"" help:"List the posts that are kept."`
	Cite       citeCmd       `cmd:"" help:"Cite a copy, an attempt or all sources of a post, for reference managers, Wikipedia and the web."`
	Search     searchCmd     `cmd:"" help:"Find captured pages by what they say."`
	CDX        cdxCmd        `cmd:"" name:"cdx" help:"List captures as CDX lines, for other tools."`
	Links      linksCmd      `cmd:"" help:"List the links of posts, and what became of them over time."`
	Check      checkCmd      `cmd:"" help:"Tell what is known of a link's life, or look at it now."`
	Show       showCmd       `cmd:"" help:"Show a post: every link and what became of it."`
	Resolve    resolveCmd    `cmd:"" help:"Tell what became of a link, and which copy stands for it."`
	Weave      weaveCmd      `cmd:"" help:"Write the copies of its links into an HTML or Markdown file (Robust Links)."`
	Repair     repairCmd     `cmd:"" help:"Find the lost links of a post again, and keep what was decided on them."`
	Status     statusCmd     `cmd:"" help:"Tell what goes on, and what waits for what: runs, hosts, workers, segments, schedules."`
	Report     reportCmd     `cmd:"" help:"Tell what a run came to: outcomes, hosts, bytes, and what was left out and why."`
	Collection collectionCmd `cmd:"" help:"Name collections, and what they tell of themselves."`
	Export     exportCmd     `cmd:"" help:"Write captures into WACZ, WARC or CDXJ files, for other tools."`
	Import     importCmd     `cmd:"" help:"Take in WARC, ARC and WACZ files that other programs made."`
	Access     accessCmd     `cmd:"" help:"Say who may see what: public, private, under embargo, withheld for legal reasons."`
	Purge      purgeCmd      `cmd:"" help:"Take captures out of the archive for good: takedowns and retention."`
	Schedule   scheduleCmd   `cmd:"" help:"Watch posts, feeds, sitemaps, sites and lists: capture them again and again."`
	Verify     verifyCmd     `cmd:"" help:"Read every WARC file and every row, and tell what is wrong with them."`
	Rebuild    rebuildCmd    `cmd:"" help:"Make the whole database anew from the WARC files."`
	Outcomes   outcomesCmd   `cmd:"" help:"Explain the words for how a capture can end."`
	Doctor     doctorCmd     `cmd:"" help:"Prove that the blob store, the database and the spool are good for an archive."`
	Health     healthCmd     `cmd:"" help:"Ask a running linkstead whether it is ready."`
	ConfigCmd  configCmd     `cmd:"" name:"config" help:"Print the default configuration, explained."`
}

// command is what every command does.
type command interface {
	run(ctx context.Context, e *env) error
}

// env is what commands work with.
type env struct {
	*program
	cfg configs.Config
	log *slog.Logger

	crawlers int           // that share the process's memory; 0: one
	unruled  bool          // whoever reads is the archivist: no access rules
	logs     *logPlace     // where log lines go
	patience time.Duration // with a database that is away, see storage.DBOptions
}

// exitError ends the program with a code, after everything has been said.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// usageError is a fault of the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// run runs the command line and returns the exit code.
func (p *program) run(ctx context.Context) int {
	if p.fs == nil {
		p.fs = storage.OS{}
	}
	if p.now == nil {
		p.now = time.Now
	}
	out := &output{w: p.stdout}
	p.stdout = out
	err := p.dispatch(ctx)
	if out.err != nil { // a report that was cut short must not pass for a whole one
		fmt.Fprintf(p.stderr, "linkstead: write to standard output: %v\n", out.err)
		return exitFailed
	}
	var code exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintf(p.stderr, "linkstead: %s\n", legible(explain(err)))
	if errors.As(err, new(usageError)) {
		return exitUsage
	}
	if ctx.Err() != nil {
		return exitInterrupted
	}
	return exitFailed
}

// output remembers the first failure, so that printing needs not ask at each line.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return len(b), nil
	}
	_, o.err = o.w.Write(b)
	return len(b), nil
}

func (p *program) dispatch(ctx context.Context) error {
	var c cli
	exited := exitError(-1)
	parser, err := kong.New(&c, kong.Name("linkstead"),
		kong.Description("Keeps the sources of a post alive: captures a post and every source it links to, and replays the copies."),
		kong.Vars{"version": "linkstead " + version}, kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { exited = exitError(code) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		return err
	}
	k, err := parser.Parse(p.args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		return usageError{fmt.Errorf("%s\nTry '%s --help'", plain(err), helped(k, err))}
	}
	if err := configs.CheckEnviron(p.vars); err != nil {
		return usageError{err}
	}
	cfg, err := configs.Load(c.Config, p.getenv)
	if err != nil {
		return usageError{err}
	}
	if err := c.overlay(&cfg); err != nil {
		return usageError{err}
	}
	p.place(&cfg)
	cmd, ok := k.Selected().Target.Addr().Interface().(command)
	if !ok {
		return usageError{errors.New("no command given\nTry 'linkstead --help'")}
	}
	if err := cfg.CheckLog(); err != nil {
		return usageError{err}
	}
	logs := &logPlace{w: p.stderr}
	e := &env{program: p, cfg: cfg, logs: logs, log: newLogger(logs, terminal(p.stderr), cfg.Log.Format, logLevel(cfg.Log.Level, c.Verbose, cmd))}
	hearLibraries(e.log)
	e.means().tell()
	return cmd.run(ctx, e)
}

// plain takes the words of the implementation out of a complaint about the command line.
func plain(err error) string {
	s := strings.NewReplacer(" (short flag)", "", "a valid 64 bit int", "a whole number", "int value", "a whole number",
		`one of "",`, "one of ").Replace(err.Error())
	if short, _, advice := strings.Cut(s, "; perhaps try"); advice && strings.Contains(short, "a whole number") {
		s = strings.Replace(short, "a whole number", "a whole number from 0 on", 1)
	}
	return s
}

// helped is the command whose help tells more.
func helped(k *kong.Context, err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) {
		k = parse.Context
	}
	if k != nil && k.Selected() != nil {
		return k.Selected().FullPath()
	}
	return "linkstead"
}

// defaultArchive is where the archive is unless somebody says otherwise, and otherArchive where it is if that is the
// folder of something else: of this program's sources, say.
const defaultArchive, otherArchive = "./archive", "./linkstead-archive"

func (p *program) place(cfg *configs.Config) {
	if cfg.Archive == defaultArchive && foreign(defaultArchive) {
		cfg.Archive = otherArchive
	}
}

// foreign says whether a folder holds something, and is no archive.
func foreign(dir string) bool {
	inside, err := os.ReadDir(dir)
	if err != nil || len(inside) == 0 {
		return false
	}
	for _, sign := range []string{"linkstead.db", "spool/node", "warc/*/*.warc.gz"} {
		if found, err := filepath.Glob(filepath.Join(dir, sign)); err == nil && len(found) > 0 {
			return false
		}
	}
	return true
}

// overlay lays the flags that every command has on the configuration.
func (c *cli) overlay(cfg *configs.Config) error {
	set(&cfg.Log.Format, c.LogFormat)
	set(&cfg.Log.Level, c.LogLevel)
	for _, o := range []struct {
		flag string
		to   *string
	}{{c.Archive, &cfg.Archive}, {c.Blobs, &cfg.Blobs}, {c.DB, &cfg.DB}, {c.Spool, &cfg.Spool}} {
		if o.flag != "" {
			*o.to = o.flag
		}
	}
	if c.MaxMemory == "" {
		return nil
	}
	if err := cfg.MaxMemory.UnmarshalText([]byte(c.MaxMemory)); err != nil {
		return fmt.Errorf("--max-memory: %w", err)
	}
	return nil
}

// terminal says whether a person watches w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// drawable says whether a live line can be drawn on w: on a terminal that has a size. Serial consoles and those that others
// open for a program often have none; they are told line by line.
func drawable(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || !terminal(w) {
		return false
	}
	width, height, err := cwriter.GetSize(int(f.Fd()))
	return err == nil && width > 0 && height > 0
}

// explain turns an error into words for people: what failed, and what to try.
func explain(err error) string {
	s := err.Error()
	place := "--archive"
	if strings.Contains(s, "open spool") {
		place = "--spool"
	}
	for _, h := range []struct {
		when bool
		try  string
	}{
		{errors.Is(err, storage.ErrBusy), "Wait until the other command is done, or give this one a spool of its own with --spool. The archive can be read meanwhile."},
		{errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EROFS), "Check who may write there, or name another folder with " + place + "."},
		{errors.Is(err, syscall.ENOTDIR), "A part of that path is a file, not a folder: name another with " + place + "."},
		{errors.Is(err, os.ErrNotExist) && place == "--spool", "No folder can be made there: name another with --spool."},
		{errors.Is(err, syscall.ENOSPC) || strings.Contains(s, "no space left on device") || strings.Contains(s, "disk is full"),
			"The disk is full. What was acknowledged is safe; make room and run the same command again."},
		{strings.Contains(s, "file is not a database") || strings.Contains(s, "malformed"),
			"The database is damaged. 'linkstead rebuild' makes it anew from the WARC files, and keeps the damaged one aside."},
		{errors.Is(err, warc.ErrLost), "Start it again: it leaves those files where they are, and goes on with new ones."},
		{errors.Is(err, warc.ErrElsewhere) || strings.Contains(s, "recover segment"),
			"A file of the spool is gone or damaged. 'linkstead rebuild' makes the database anew from what is there."},
	} {
		if h.when {
			return s + "\n" + h.try
		}
	}
	return s
}
