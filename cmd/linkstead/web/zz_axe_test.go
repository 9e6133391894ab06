package web

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func do[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	v, err := chromedp.Run(ctx, a)
	if err != nil { t.Fatal(err) }
	return v
}

func TestZZAxe(t *testing.T) {
	if os.Getenv("AXE") == "" { return }
	js, _ := os.ReadFile("/tmp/shots/npm/node_modules/axe-core/axe.min.js")
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.ExecPath("/usr/bin/chromium"))
	ac, c1 := chromedp.NewExecAllocator(context.Background(), opts...)
	defer c1()
	ctx, c2 := chromedp.NewContext(ac)
	defer c2()
	ctx, c3 := context.WithTimeout(ctx, 200*time.Second)
	defer c3()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 360} {
			for _, p := range []string{"18080/", "18081/", "18080/posts/waf3kq2m7ayz", "18080/posts/waf3kq2m7ayz?run=1", "18080/posts/busy22222222", "18080/outcomes", "18080/nothing"} {
				do(t, ctx, chromedp.EmulateViewport(width, 800))
				do(t, ctx, chromedp.Action[chromedp.Void](func(ctx context.Context, tg *chromedp.Target) (v chromedp.Void, err error) {
					_, err = cdp.Call(ctx, tg, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
					return
				}))
				do(t, ctx, chromedp.Navigate("http://localhost:"+p))
				name := fmt.Sprintf("/tmp/shots/%s-%d-%s.png", scheme, width, strings.NewReplacer("/", "_", "?", "_").Replace(p))
				os.WriteFile(name, do(t, ctx, chromedp.FullScreenshot(100)), 0o644)
				do(t, ctx, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll('details').forEach(d=>d.open=true)`))
				do(t, ctx, chromedp.Evaluate[chromedp.Void](string(js)))
				sw := do(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`))
				out := do(t, ctx, chromedp.Evaluate[string](`axe.run({runOnly:['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']}).then(r=>JSON.stringify({v:r.violations.map(v=>[v.id,v.nodes.map(n=>n.html.slice(0,150)+' | '+n.failureSummary.slice(0,250))]),i:r.incomplete.map(v=>[v.id,v.nodes.map(n=>n.html.slice(0,100))]),n:r.passes.length}))`, chromedp.EvalAwaitPromise))
				fmt.Println(scheme, width, p, "scroll", sw, out)
			}
		}
	}
}
