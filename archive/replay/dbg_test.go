package replay_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

func TestDbg(t *testing.T) {
	a := shimSites(t)
	h := a.handler
	b := browse(t, a)
	if os.Getenv("SEALED") != "" {
		b = browseOn(t, a, sealed(h))
	}
	var logs []string
	chromedp.Listen(b.ctx, func(ev any) {
		switch e := ev.(type) {
		case *log.EventEntryAdded:
			logs = append(logs, e.Entry.Text+" "+e.Entry.URL)
		case *runtime.EventConsoleAPICalled:
			for _, a := range e.Args {
				logs = append(logs, string(a.Value))
			}
		}
	})
	for _, p := range strings.Fields(os.Getenv("PAGE")) {
		must(t, chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/http://site.test/dir/"+p+".html")))
		for i := 0; i < 100; i++ {
			ok, _ := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!(window.results && results.done)"))
			if ok {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		r, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("JSON.stringify(window.results)"))
		if err != nil {
			t.Error(p, err)
		}
		var m map[string]any
		_ = json.Unmarshal([]byte(r), &m)
		for k, v := range m {
			if v != true {
				t.Error(p, k, v)
			}
		}
		t.Log(p, len(m), m["done"])
		for _, l := range logs {
			t.Log(l)
		}
		b.mu.Lock()
		for _, x := range append(append(b.violations, b.exceptions...), b.outside...) {
			t.Error(x)
		}
		b.violations, b.exceptions, b.outside = nil, nil, nil
		b.mu.Unlock()
	}
	if a.log.Len() > 0 {
		t.Log(a.log.String())
	}
}
