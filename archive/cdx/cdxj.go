package cdx

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
)

// AppendCDXJ adds a row as a CDXJ line, with its newline: "urlkey timestamp {…}", values as strings, what is unknown left out.
func AppendCDXJ(dst []byte, r *Row) []byte {
	t := told{row: *r}
	var room [512]byte
	a := Answer{q: &asCDXJ, fields: cdxj, val: room[:0]}
	dst = appendToken(dst, []byte(r.Key))
	dst = append(appendTime(append(dst, ' '), r.At), ' ')
	return append(a.appendObject(dst, &t), '\n')
}

// asCDXJ asks for nothing but the form.
var asCDXJ = Query{form: formCDXJ}

// AppendCDX adds a row as a line of a CDX file with 11 fields, or with the 7 that say nothing of where records stand. Such
// files begin with [HeadCDX11] and [HeadCDX7].
func AppendCDX(dst []byte, r *Row, fields int) []byte {
	t := told{row: *r}
	var room [512]byte
	a := Answer{fields: cdx11, val: room[:0]}
	if fields == 7 {
		a.fields = cdx7
	}
	return a.appendLine(dst, &t)
}

// MaxLine bounds the lines that [ReadCDXJ] reads, bytes.
const MaxLine = 1 << 20

// LineError is a line that can't be read.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *LineError) Unwrap() error { return e.Err }

// What can be wrong with a line.
var (
	errLong   = fmt.Errorf("it is longer than %d bytes", MaxLine)
	errForm   = errors.New("it is no CDXJ line: a key, a time, a JSON object")
	errStamp  = errors.New("its time is not one of 14 digits, or of 17 with milliseconds")
	errObject = errors.New("its JSON can't be read")
	errNoURL  = errors.New("it has no url")
	errNumber = errors.New("its status, length or offset is no number")
)

// ReadCDXJ yields the rows of CDXJ lines. Empty lines and those that begin with "!", "#", "@" or a space, which tell of the
// file, are passed over. A line that can't be read is yielded as a [*LineError], and the next one is read; any other
// error ends it. It holds one line at a time.
func ReadCDXJ(r io.Reader) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		br := bufio.NewReaderSize(r, 64<<10)
		for n := 1; ; n++ {
			line, err := readLine(br)
			if err != nil && !errors.Is(err, errLong) && (!errors.Is(err, io.EOF) || len(line) == 0) {
				if !errors.Is(err, io.EOF) {
					yield(Row{}, fmt.Errorf("read CDXJ: %w", err))
				}
				return
			}
			var row Row
			fault := err
			switch {
			case errors.Is(err, errLong):
			case len(bytes.TrimSpace(line)) == 0 || strings.IndexByte("!#@ ", line[0]) >= 0:
				continue
			default:
				row, fault = ParseCDXJ(line)
			}
			if fault != nil {
				fault = &LineError{n, fault}
			}
			if !yield(row, fault) {
				return
			}
		}
	}
}

// readLine reads a line; errLong if it is too long, and then it has been passed over.
func readLine(br *bufio.Reader) (line []byte, err error) {
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			if len(line) <= MaxLine {
				continue
			}
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = br.ReadSlice('\n')
			}
			return nil, errLong
		}
		return line, err
	}
}

// entry is the JSON of a line, in the words of pywb, cdxj-indexer and others. Numbers may be strings.
type entry struct {
	URL      string `json:"url"`
	Mime     string `json:"mime"`
	Status   loose  `json:"status"`
	Digest   string `json:"digest"`
	Length   loose  `json:"length"`
	Offset   loose  `json:"offset"`
	File     string `json:"filename"`
	Redirect string `json:"redirect"`
}

// loose is a number, or a string that holds one.
type loose string

// UnmarshalJSON implements json.Unmarshaler.
func (l *loose) UnmarshalJSON(b []byte) error {
	if s := strings.Trim(string(b), `"`); s != "null" {
		*l = loose(s)
	}
	return nil
}

func (l loose) number(unknown int64) (int64, error) {
	if l == "" || l == "-" {
		return unknown, nil
	}
	n, err := strconv.ParseInt(string(l), 10, 64)
	if err != nil || n < 0 {
		return 0, errNumber
	}
	return n, nil
}

// ParseCDXJ reads one CDXJ line. Digests get the form of WARC, see [Digest].
func ParseCDXJ(line []byte) (Row, error) {
	if len(line) > MaxLine {
		return Row{}, errLong
	}
	line = bytes.TrimRight(line, "\r\n")
	key, rest, ok := bytes.Cut(line, []byte(" "))
	stamp, object, ok2 := bytes.Cut(rest, []byte(" "))
	if !ok || !ok2 || len(key) == 0 {
		return Row{}, errForm
	}
	at, err := readStamp(string(stamp))
	if err != nil {
		return Row{}, err
	}
	var e entry
	if err := json.Unmarshal(object, &e); err != nil {
		return Row{}, errObject
	}
	r := Row{Key: string(key), At: at, URL: e.URL, Mime: e.Mime, Digest: Digest(e.Digest), File: e.File, Redirect: dash(e.Redirect)}
	r.Revisit = e.Mime == revisitMime
	status, err := e.Status.number(0)
	if err != nil || status > 999 {
		return Row{}, errNumber
	}
	r.Status = int(status)
	if r.Length, err = e.Length.number(-1); err != nil {
		return Row{}, err
	}
	if r.Offset, err = e.Offset.number(-1); err != nil {
		return Row{}, err
	}
	if r.URL == "" {
		return Row{}, errNoURL
	}
	r.Mime = dash(r.Mime)
	return r, nil
}

// readStamp reads the time of a line: whole seconds, or with milliseconds.
func readStamp(s string) (time.Time, error) {
	if (len(s) != len(timeLayout) && len(s) != len(timeLayout)+3) || strings.Trim(s, "0123456789") != "" {
		return time.Time{}, errStamp
	}
	at, err := time.Parse(timeLayout, s[:len(timeLayout)])
	if err != nil {
		return time.Time{}, errStamp
	}
	if ms := s[len(timeLayout):]; ms != "" {
		n, _ := strconv.Atoi(ms) // three digits
		at = at.Add(time.Duration(n) * time.Millisecond)
	}
	return at, nil
}

// dash makes "-", which stands for nothing, nothing.
func dash(s string) string {
	if s == "-" {
		return ""
	}
	return s
}
