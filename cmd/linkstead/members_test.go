package main

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// What the members' site demands, and what it hands out to who has it.
const (
	membersUser     = "reader"
	membersPassword = "correct horse/9+battery"
	membersKey      = "key-4711&<staple>"
	membersCookie   = "c00kie-of-the-Browser"
	membersLogin    = "a-login-made-by-the-server"
)

// membersSecrets are the forms in which nothing of that may be kept.
func membersSecrets() []string {
	basic := base64.StdEncoding.EncodeToString([]byte(membersUser + ":" + membersPassword))
	out := []string{basic, url.QueryEscape(basic), strings.TrimRight(basic, "=")}
	for _, s := range []string{membersPassword, membersKey, membersCookie, membersLogin} {
		out = append(out, s, url.QueryEscape(s), url.PathEscape(s), base64.RawStdEncoding.EncodeToString([]byte(s)),
			strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s))
	}
	return out
}

// membersChoice is what the members' site sets as cookies, to have it masked on the pages of others.
const membersChoice = "rev-4f9a1c77e2d0"

// membersTraces are all the forms in which nothing may be kept: besides what is told outright, what comes to light when that is
// decoded, or is brought into the form of an address or a key.
func membersTraces() []string {
	out := membersSecrets()
	for _, s := range []string{membersPassword, membersKey, membersCookie, membersLogin} {
		var little []byte
		for _, c := range []byte(s) {
			little = append(little, c, 0)
		}
		out = append(out, strings.ToLower(s), string(little[:len(little)-1]))
	}
	return out
}

// spelled writes each byte of a text by a format.
func spelled(format, s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		fmt.Fprintf(&b, format, c)
	}
	return b.String()
}

// membersPages spell the secrets in ways that a reader undoes.
func membersPages() map[string]string {
	ref := spelled("&#%d;", membersCookie)
	var wide []byte
	for _, c := range "\ufeff<title>wide</title><p>" + membersCookie + "<img src='/wide.png?k=" + membersCookie + "'>" {
		wide = append(wide, byte(c), byte(c>>8))
	}
	return map[string]string{
		"/spelled": "<title>" + ref + "</title><link rel=canonical href='/canonical?k=" + ref + "'><img src='/reference.png?k=" + ref + "'>" +
			"<img src='/tab.png?k=" + membersCookie[:5] + "\t" + membersCookie[5:] + "'><img src='/line.png?k=" + membersCookie[:5] + "\r\n" + membersCookie[5:] + "'>" +
			"<img src='/percent.png?k=" + spelled("%%%02x", membersCookie) + "'><img src='/twice.png?k=" + spelled("%%25%02X", membersCookie) + "'>" +
			"<style>body{background:url(/style.png?k=" + spelled("\\%06x", membersCookie) + ")}</style>" +
			"<script>import('/script.js?k=" + spelled("\\x%02x", membersCookie) + "')</script>" +
			"<script type=importmap>{\"imports\":{\"a\":\"/map.js?k=" + spelled("\\u%04x", membersCookie) + "\"}}</script>",
		"/wide": string(wide),
	}
}

// cmdMembers starts a website that tells nothing but to who knows its secrets, and tells those again in every way that it
// can; and another one, other.test, which must never hear of them. It sets $PORT.
func cmdMembers(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	srv := &http.Server{Handler: membersSite(port), ReadHeaderTimeout: 10 * time.Second}
	go srv.Serve(l)
	ts.Defer(func() { srv.Close() })
	ts.Setenv("PORT", port)
	ts.Setenv("MEMBERS_PASSWORD", membersPassword)
	ts.Check(os.WriteFile(ts.MkAbs("secret.key"), []byte(membersKey+"\n"), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("secret.cookies"), []byte("# Netscape HTTP Cookie File\n"+
		"#HttpOnly_members.test\tFALSE\t/\tFALSE\t0\tsid\t"+membersCookie+"\nmembers.test\tFALSE\t/\tFALSE\t0\tlang\ten\n"), 0o600))
}

func membersSite(port string) http.Handler {
	echo := "<p>" + strings.Join(membersSecrets(), "</p>\n<p>") + "</p>\n"
	pages := membersPages()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, carried := r.Header["Authorization"]
		carried = carried || r.Header.Get("X-Api-Key") != "" || strings.Contains(r.Header.Get("Cookie"), membersCookie)
		if host, _, _ := strings.Cut(r.Host, ":"); host != "members.test" {
			if carried || strings.Contains(r.URL.RawQuery, url.QueryEscape(membersKey)) {
				w.WriteHeader(http.StatusTeapot)
			}
			fmt.Fprintf(w, "<p>%s in %s, as the government of Switzerland says in %s", r.URL, r.Header.Get("Accept-Language"), membersChoice)
			return
		}
		user, password, _ := r.BasicAuth()
		sid, err := r.Cookie("sid")
		if user != membersUser || password != membersPassword || r.Header.Get("X-Api-Key") != membersKey || err != nil ||
			!strings.HasPrefix(sid.Value, membersCookie) || r.Header.Get("X-Edition") != "print" || r.Header.Get("Accept-Language") != "fr" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		http.SetCookie(w, &http.Cookie{Name: "login", Value: membersLogin, Path: "/"})
		for i, v := range []string{"HTTP/1.1 200", "Content-Type", "text/html", "government", "Switzerland", membersChoice} {
			w.Header().Add("Set-Cookie", fmt.Sprintf("chosen%d=%s; Path=/chosen", i, v))
		}
		switch r.URL.Path {
		case "/post.html":
			fmt.Fprintf(w, "<title>For members: %s, %s</title><article>%s", membersCookie, spelled("&#x%x;", membersPassword), echo)
			fmt.Fprintf(w, "<p>With it, <a href='/reference?k=%s'>%[1]s</a> is a source.</p>\n", spelled("&#%d;", membersCookie))
			fmt.Fprintf(w, "<p>Another one is <a href='/line?k=%s\n%s'>here</a>, for %s.</p>\n", membersCookie[:9], membersCookie[9:], spelled("&#%d;", membersKey))
			for _, to := range []string{
				"/spelled", "/wide", "/tab", "/plain", "/gzip", "/chunked", "/cookie", "/away", "/self?key=" + url.QueryEscape(membersKey),
				"http://other.test:" + port + "/linked?key=" + url.QueryEscape(membersKey), "http://someone:hunter2-of-theirs@other.test:" + port + "/userinfo",
			} {
				fmt.Fprintf(w, "<p>A source is <a href=%q>%s</a> here.</p>\n", to, membersKey)
			}
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, echo)
			z.Close()
		case "/chunked":
			for _, c := range []byte(echo) {
				w.Write([]byte{c})
				w.(http.Flusher).Flush()
			}
		case "/cookie":
			if _, err := r.Cookie("login"); err == nil {
				fmt.Fprintf(w, "<p>logged in, with %s", r.Header.Get("Cookie"))
			}
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: membersCookie + "-renewed", Path: "/"})
		case "/away":
			http.Redirect(w, r, "http://other.test:"+port+"/landing?key="+url.QueryEscape(membersKey)+"&p="+url.QueryEscape(membersPassword), http.StatusFound)
		case "/tab":
			w.Header().Set("Location", "/landed?k="+membersCookie[:7]+"\t"+membersCookie[7:])
			w.WriteHeader(http.StatusFound)
		case "/wide":
			w.Header().Set("Content-Type", "text/html; charset=utf-16le")
			io.WriteString(w, pages[r.URL.Path])
		case "/spelled":
			io.WriteString(w, pages[r.URL.Path])
		case "/robots.txt":
			http.NotFound(w, r)
		default:
			io.WriteString(w, echo)
		}
	})
}

// cmdNoSecrets looks for the secrets in all that there is of an archive, and in every other file of the story but those
// that hold them: nosecrets ARCHIVE.
func cmdNoSecrets(ts *testscript.TestScript, neg bool, args []string) {
	seen := 0
	look := func(name string, b []byte) {
		seen++
		for _, s := range membersTraces() {
			if bytes.Contains(b, []byte(s)) || bytes.Contains(b, []byte(hex.EncodeToString([]byte(s)))) {
				ts.Fatalf("%s holds %q", name, s)
			}
		}
		for line := range bytes.Lines(b) { // what others wrote into an address is theirs to publish, and never ours to use
			for _, field := range []string{"WARC-Target-URI:", "outlink:", "redirect:", "via:", "GET ", "Host:"} {
				if bytes.HasPrefix(line, []byte(field)) && bytes.Contains(line, []byte("hunter2")) {
					ts.Fatalf("%s: %s", name, line)
				}
			}
		}
	}
	for _, dir := range []string{ts.Getenv("WORK"), ts.Getenv(varBucket)} {
		if dir == "" {
			continue
		}
		ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), "secret.") {
				return err
			}
			b, err := os.ReadFile(path)
			if err == nil && strings.HasSuffix(path, ".gz") {
				var z *gzip.Reader
				if z, err = gzip.NewReader(bytes.NewReader(b)); err == nil {
					b, err = io.ReadAll(z)
				}
			}
			look(path, b)
			return err
		}))
	}
	rows := allRows(ts, args[0])
	look("the database", rows)
	if seen < 4 || len(rows) == 0 {
		ts.Fatalf("only %d files were looked at", seen)
	}
}

// allRows is every row of an archive's database as text. No address in it has a name and a password before its host.
func allRows(ts *testscript.TestScript, archive string) []byte {
	driver, dsn := "sqlite", strings.TrimPrefix(rowsOf(ts, archive), "sqlite:")
	names := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if ts.Getenv(varDSN) != "" {
		driver, names = "pgx", `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`
	}
	db, err := sql.Open(driver, dsn)
	ts.Check(err)
	defer db.Close()
	var out bytes.Buffer
	for _, table := range column(ts, db, names) {
		writeTable(ts, &out, db, table)
	}
	return out.Bytes()
}

func writeTable(ts *testscript.TestScript, out *bytes.Buffer, db *sql.DB, table string) {
	rows, err := db.Query(`SELECT * FROM "` + table + `"`)
	ts.Check(err)
	defer rows.Close()
	cols, err := rows.Columns()
	ts.Check(err)
	for rows.Next() {
		vs := make([]any, len(cols))
		for i := range vs {
			vs[i] = new(sql.RawBytes)
		}
		ts.Check(rows.Scan(vs...))
		for i, v := range vs {
			value := *v.(*sql.RawBytes)
			fmt.Fprintf(out, "%s.%s %s\n", table, cols[i], value)
			if bytes.Contains(value, []byte("hunter2")) && table != "citations" && table != "posts" {
				ts.Fatalf("%s.%s is %s", table, cols[i], value)
			}
		}
	}
	ts.Check(rows.Err())
}

func column(ts *testscript.TestScript, db *sql.DB, query string) (out []string) {
	rows, err := db.Query(query)
	ts.Check(err)
	defer rows.Close()
	for rows.Next() {
		var s string
		ts.Check(rows.Scan(&s))
		out = append(out, s)
	}
	ts.Check(rows.Err())
	return out
}
