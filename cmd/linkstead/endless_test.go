package main

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// unending answers what a site makes up without end below a prefix: a calendar with links to the next and the previous month, a
// path that repeats itself, a path that grows by ever other names, numbers, session ids in each link, frames in frames, and a
// redirect that adds to its own query.
func unending(rw http.ResponseWriter, r *http.Request, prefix, name string) {
	rest := r.URL.Path[len(prefix):]
	if name != "redirect" {
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(rw, "<p>%s</p>\n", rest)
	}
	switch name {
	case "calendar":
		y, m := time.Now().Year(), 6
		_, _ = fmt.Sscanf(rest, "%d/%d/", &y, &m) // what is no month is one of this year
		for _, by := range []int{1, -1} {
			to := time.Date(y, time.Month(m+by), 1, 0, 0, 0, 0, time.UTC)
			fmt.Fprintf(rw, `<a href="%s%d/%02d/">x</a>`, prefix, to.Year(), to.Month())
		}
	case "relative":
		fmt.Fprint(rw, `<a href="x/y/">on</a>`)
	case "growing":
		fmt.Fprintf(rw, `<a href="d%d/">on</a>`, strings.Count(rest, "/"))
	case "numbers":
		n := 0
		_, _ = fmt.Sscan(rest, &n) // what is no number is 0
		fmt.Fprintf(rw, `<a href="%s%d">on</a>`, prefix, n+1)
	case "session":
		id := fmt.Sprintf("%026x", time.Now().UnixNano())
		for _, page := range []string{"a", "b", "c"} {
			fmt.Fprintf(rw, `<a href="%s%s?PHPSESSID=%s">x</a> <a href="%s%s;jsessionid=%s">x</a>`, prefix, page, id, prefix, page, id)
		}
	case "frames":
		for i := range 20 {
			fmt.Fprintf(rw, `<iframe src="%d/"></iframe>`, i)
		}
	case "redirect":
		http.Redirect(rw, r, r.URL.Path+"?"+r.URL.RawQuery+"&again=1", http.StatusFound)
	}
}
