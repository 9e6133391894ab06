package configs

import (
	"fmt"
	"regexp"
	"strings"
)

const envPrefix = "LINKSTEAD_"

// clusterVars are what Kubernetes tells every container of services whose names begin with linkstead.
var clusterVars = regexp.MustCompile(`(_SERVICE_HOST|_SERVICE_PORT(_[A-Z0-9_]+)?|_PORT(_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`)

// CheckEnviron refuses a variable that has the name of a setting, as in NAME=VALUE, and is none: a misspelt one would be
// without effect.
func CheckEnviron(environ []string) error {
	known := map[string]bool{envPrefix + "CONFIG": true}
	for _, k := range Keys() {
		known[EnvName(k)] = true
	}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, envPrefix) || value == "" || known[name] || clusterVars.MatchString(strings.TrimPrefix(name, "LINKSTEAD")) {
			continue
		}
		return fmt.Errorf("the environment sets %s, which is no setting: %s", name, meant(name))
	}
	return nil
}

// meant says which variable may have been meant by an unknown one.
func meant(name string) string {
	best, distance := "", (len(name)-len(envPrefix))/2+1
	for _, k := range Keys() {
		known := EnvName(k)
		if strings.HasPrefix(known, name+"_") {
			return "did you mean " + known + "?"
		}
		if d := edits(name, known); d < distance {
			best, distance = known, d
		}
	}
	if best == "" {
		return "'linkstead config' lists the keys, and spool.dir, for example, is " + EnvName("spool.dir")
	}
	return "did you mean " + best + "?"
}
