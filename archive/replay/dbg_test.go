package replay_test

import (
	"github.com/chromedp/chromedp"
	"os"
	"testing"
	"time"
)

func TestDbg(t *testing.T) {
	a := shimSites(t)
	h := a.handler
	b := browse(t, a)
	if os.Getenv("SEALED") != "" {
		b = browseOn(t, a, sealed(h))
	}
	go chromedp.Do(b.ctx, chromedp.Navigate(b.origin+"/web/"+stamp+"/"+os.Getenv("PAGE")))
	time.Sleep(3 * time.Second)
	t.Log(a.log.String())
	t.Log(b.asked, b.violations, b.exceptions)
	r, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("JSON.stringify(window.results)+pending+document.readyState+location.href+self.origin"))
	t.Log(r, err)
}
