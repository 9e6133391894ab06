package replay_test

import (
	"strings"
	"testing"
)

const stamp = "20200517102030"

func TestFirst(t *testing.T) {
	a := newArchive(t)
	a.page("http://a.test/x", "text/html; charset=utf-8", `<head><a href="/y?a=1#f">y</a><img src=p.png>`)
	got := a.get("/web/2020/http://a.test/x")
	t.Log(got.StatusCode, got.Header)
	got = a.get("/web/" + stamp + "/http://a.test/x")
	t.Log(got.StatusCode, got.Header, got.body)
	got = a.get("/web/" + stamp + "id_/http://a.test/x")
	t.Log(got.StatusCode, got.Header, got.body)
	got = a.get("/web/*/http://a.test/x")
	t.Log(got.StatusCode, got.Header, got.body)
	if strings.Contains(a.log.String(), "ERROR") {
		t.Error(a.log.String())
	}
}
