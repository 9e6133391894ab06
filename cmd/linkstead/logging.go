package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// What the program says has two kinds. Messages are for the person who gave the command: they are plain sentences, stand on
// standard output or standard error as the command says, and nothing here touches them. Log lines are for whoever looks
// after the archive: one line an event, with the same keys throughout (see docs/operating.md), on standard error.

// logFormats and logLevels are what can be asked for, see configs.
const (
	logAuto = "auto"
	logText = "text"
	logJSON = "json"
)

var logLevels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

// logLevel is the level that is meant: of itself, a process that works or serves tells how it is getting on, and another
// command only what needs attention.
func logLevel(level string, verbose bool, cmd command) slog.Level {
	if verbose {
		return slog.LevelDebug
	}
	if l, ok := logLevels[level]; ok {
		return l
	}
	switch cmd.(type) {
	case *workCmd, *serveCmd:
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// newLogger writes lines of at least a level to w: as text for a person who watches, as JSON otherwise, unless format says.
func newLogger(w io.Writer, watched bool, format string, level slog.Level) *slog.Logger {
	if format == logText || format == logAuto && watched {
		return slog.New(&textLog{w: w, mu: new(sync.Mutex), level: level, brief: watched})
	}
	return slog.New(slog.NewJSONHandler(tameJSON{w}, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		return slog.Attr{Key: a.Key, Value: bounded(a.Value)}
	}}))
}

// maxLogged bounds a value in a line, in bytes.
const maxLogged = 2000

// bounded gives a value as it may be logged: not longer than the bound, and without the password of an address.
func bounded(v slog.Value) slog.Value {
	var s string
	switch v = v.Resolve(); v.Kind() {
	case slog.KindString:
		s = v.String()
	case slog.KindAny:
		switch x := v.Any().(type) {
		case error:
			s = x.Error()
		case fmt.Stringer:
			s = x.String()
		case []string:
			s = strings.Join(x, ", ")
		default:
			return v
		}
	case slog.KindDuration:
		s = v.Duration().String()
	default:
		return v
	}
	if len(s) > maxLogged {
		cut := maxLogged
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	return slog.StringValue(userinfo.ReplaceAllString(s, "://$1:…@"))
}

var userinfo = regexp.MustCompile(`://([^/?#@\s:"]*):[^/?#@\s"]+@`)

// wild says whether a terminal would obey a rune, or a reader be misled by it.
func wild(r rune) bool {
	return r != ' ' && !unicode.IsPrint(r)
}

// tameJSON escapes in lines of JSON what a terminal would obey: such runes stand in strings alone. Each Write is a line.
type tameJSON struct{ w io.Writer }

// Write implements io.Writer.
func (t tameJSON) Write(p []byte) (int, error) {
	line := bytes.TrimSuffix(p, []byte("\n"))
	if bytes.IndexFunc(line, wild) < 0 {
		return t.w.Write(p)
	}
	out := make([]byte, 0, len(p)+64)
	for _, r := range string(line) {
		switch {
		case !wild(r):
			out = utf8.AppendRune(out, r)
		case r > 0xffff: // JSON has UTF-16 surrogates for those
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	if _, err := t.w.Write(append(out, '\n')); err != nil {
		return 0, err
	}
	return len(p), nil
}

// textLog writes lines for people. If they are brief, for somebody who watches, they have the time of day alone, and the
// level only of what needs attention.
type textLog struct {
	w     io.Writer
	mu    *sync.Mutex
	level slog.Level
	brief bool
	tail  string // what With has added
	group string
}

var _ slog.Handler = (*textLog)(nil)

// Enabled implements slog.Handler.
func (t *textLog) Enabled(_ context.Context, l slog.Level) bool { return l >= t.level }

// Handle implements slog.Handler.
func (t *textLog) Handle(_ context.Context, r slog.Record) error {
	var b bytes.Buffer
	switch {
	case t.brief:
		b.WriteString(r.Time.Local().Format(time.TimeOnly) + " ")
		if r.Level >= slog.LevelWarn {
			b.WriteString(levelWord(r.Level) + ": ")
		}
	default:
		fmt.Fprintf(&b, "%s %-7s ", r.Time.UTC().Format(time.RFC3339), levelWord(r.Level))
	}
	b.WriteString(strings.Map(func(r rune) rune {
		if wild(r) {
			return ' '
		}
		return r
	}, r.Message))
	b.WriteString(t.tail)
	r.Attrs(func(a slog.Attr) bool {
		appendAttr(&b, t.group, a)
		return true
	})
	b.WriteByte('\n')
	t.mu.Lock()
	defer t.mu.Unlock()
	_, err := t.w.Write(b.Bytes())
	return err
}

func levelWord(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "error"
	case l >= slog.LevelWarn:
		return "warning"
	case l >= slog.LevelInfo:
		return "info"
	}
	return "debug"
}

func appendAttr(b *bytes.Buffer, group string, a slog.Attr) {
	v := bounded(a.Value)
	if v.Kind() == slog.KindGroup {
		for _, in := range v.Group() {
			appendAttr(b, group+a.Key+".", in)
		}
		return
	}
	if a.Key == "" {
		return
	}
	s := v.String()
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return wild(r) || r == ' ' || r == '"' || r == utf8.RuneError }) {
		s = strconv.Quote(s)
	}
	fmt.Fprintf(b, "  %s%s=%s", group, a.Key, s)
}

// WithAttrs implements slog.Handler.
func (t *textLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b bytes.Buffer
	for _, a := range attrs {
		appendAttr(&b, t.group, a)
	}
	out := *t
	out.tail += b.String()
	return &out
}

// WithGroup implements slog.Handler.
func (t *textLog) WithGroup(name string) slog.Handler {
	out := *t
	if name != "" {
		out.group += name + "."
	}
	return &out
}

// logPlace is where log lines go: standard error, or above a live line while there is one.
type logPlace struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements io.Writer.
func (l *logPlace) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// above leads the lines elsewhere until the returned function is called.
func (l *logPlace) above(w io.Writer) (back func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.w
	l.w = w
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.w = was
	}
}
