package configs

import (
	"strings"
	"testing"
)

func TestCheckEnviron(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]string{
		"LINKSTEAD_SPOOL=x":                               "LINKSTEAD_SPOOL, which is no setting: did you mean LINKSTEAD_SPOOL_DIR?",
		"LINKSTEAD_ARCHIV=x":                              "did you mean LINKSTEAD_ARCHIVE?",
		"LINKSTEAD_LIMITS_TOTALS=x":                       "did you mean LINKSTEAD_LIMITS_TOTAL?",
		"LINKSTEAD_ZZZZZZZZZZZZ=x":                        "'linkstead config' lists the keys",
		"LINKSTEAD_ARCHIVE=x":                             "",
		"LINKSTEAD_CONFIG=x":                              "",
		"LINKSTEAD_ARCHIV=":                               "",
		"ARCHIV=LINKSTEAD_ARCHIV":                         "",
		"LINKSTEAD_SERVICE_HOST=10.0.0.1":                 "",
		"LINKSTEAD_DB_SERVICE_PORT_HTTP=80":               "",
		"LINKSTEAD_PORT=tcp://10.0.0.1:80":                "",
		"LINKSTEAD_DB_PORT_5432_TCP_ADDR=10.0.0.1":        "",
		"LINKSTEAD_SERVE_LISTEN_PORT_NUMBER=8080":         "no setting",
		"LINKSTEAD_RESOLVE=a.test:80:127.0.0.1=b:80:[::]": "",
	} {
		err := CheckEnviron([]string{"HOME=/", v})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want a word of %q", v, err, want)
		}
	}
}
