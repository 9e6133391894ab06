package web

import (
	"net/http"
	"os"
	"testing"
)

func TestZZManual(t *testing.T) {
	if os.Getenv("MANUAL") == "" { return }
	a := filled(t)
	e := newArchive(t)
	go http.ListenAndServe("127.0.0.1:18081", e.web)
	http.ListenAndServe("127.0.0.1:18080", a.web)
}
