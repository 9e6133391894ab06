package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"linkstead/configs"
	"linkstead/crawler/scope"
	"linkstead/crawler/session"
)

// cookies is what a run's spec says of cookies, for a setting: off, session, or a file, which is checked.
func cookies(setting string) (string, error) {
	switch setting {
	case "off", "":
		return "", nil
	case scope.CookiesSession:
		return scope.CookiesSession, nil
	}
	path, err := filepath.Abs(setting) // whoever works on the run may do so from elsewhere
	if err == nil {
		_, err = readCookies(path)
	}
	if err != nil {
		return "", usageError{err}
	}
	return path, nil
}

// fromFolder is the setting of a schedule's file in a folder. What it has from the settings is not looked for there.
func (e *env) fromFolder(setting, dir string) string {
	if setting == e.cfg.Cookies || setting == "off" || setting == scope.CookiesSession || setting == "" || filepath.IsAbs(setting) {
		return setting
	}
	return filepath.Join(dir, setting)
}

// asSetting is the setting of what a spec says of cookies.
func asSetting(cookies string) string {
	if cookies == "" {
		return "off"
	}
	return cookies
}

func readCookies(path string) ([]session.Cookie, error) {
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file of cookies %s: use off, session, or the path of a file in Netscape format", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read cookies: %w", err)
	}
	cs, err := session.ReadCookies(data)
	if err != nil {
		return nil, fmt.Errorf("the cookies in %s can't be read: %w", path, err)
	}
	return cs, nil
}

// sites are the settings on how some hosts are asked, with all that they refer to.
func (e *env) sites() ([]session.Site, error) {
	opened, err := e.cfg.OpenSites(e.getenv)
	if err != nil {
		return nil, usageError{err}
	}
	out := make([]session.Site, 0, len(opened))
	for _, s := range opened {
		site := session.Site{
			Host: s.Host, User: string(s.User), Password: string(s.Password), Language: s.Language, Plain: s.Plain,
			Fields: fields(s.Headers), Open: fields(s.Public),
		}
		for _, r := range s.Referred {
			site.Secrets = append(site.Secrets, string(r))
		}
		out = append(out, site)
	}
	return out, nil
}

func fields(hs []configs.Header) []session.Field {
	var out []session.Field
	for _, h := range hs {
		out = append(out, session.Field{Name: h.Name, Value: string(h.Value)})
	}
	return out
}

// asking makes the sessions of runs: as whom they ask.
func asking(sites []session.Site) func(scope.Spec) (*session.Session, error) {
	return func(spec scope.Spec) (*session.Session, error) {
		if len(sites) == 0 && spec.Language == "" && spec.Cookies == "" {
			return nil, nil // as nobody
		}
		o := session.Options{Sites: sites, Language: spec.Language, Keep: spec.Cookies != ""}
		if spec.Cookies != "" && spec.Cookies != scope.CookiesSession {
			var err error
			if o.Cookies, err = readCookies(spec.Cookies); err != nil {
				return nil, err
			}
		}
		return session.New(o), nil
	}
}
