package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/format/aspnetformat"
	"github.com/sojournhq/sojourn/format/expressformat"
	"github.com/sojournhq/sojourn/format/flaskformat"
	"github.com/sojournhq/sojourn/format/koaformat"
	"github.com/sojournhq/sojourn/format/phpformat"
)

// A foreignFormat is one that --format names.
type foreignFormat struct {
	name, system string
	cookie       string // its name by default
	signed       bool   // the cookie cannot be read without a secret
	alone        bool   // the cookie is the record
	make         func(s formatSettings) (format.Format, error)
}

// formatSettings are what the flags say.
type formatSettings struct {
	secrets  []string
	cookie   format.Cookie
	prefix   *string // nil: the default
	lifetime time.Duration
	expires  time.Time // encode: when the session should end
	at       time.Time
	app      string
	alone    bool   // koa-session: the cookie is the record
	signed   bool   // flask-session: a secret was given
	form     string // flask-session: of a new record
}

// key gives the format the prefix that was asked for, which may be empty.
func (s formatSettings) key(f format.Format, err error) (format.Format, error) {
	if err != nil || s.prefix == nil {
		return f, err
	}
	return prefixed{f, *s.prefix}, nil
}

// A prefixed format has keys of another beginning.
type prefixed struct {
	format.Format
	prefix string
}

func (p prefixed) Key(id string) string { return p.prefix + id }

var foreignFormats = []foreignFormat{
	{"express", "express-session", "connect.sid", true, false, func(s formatSettings) (format.Format, error) {
		o := &expressformat.Options{Secrets: s.secrets, Cookie: s.cookie, TTL: s.lifetime}
		if !s.expires.IsZero() {
			o.MaxAge = s.expires.Sub(s.at)
		}
		return s.key(expressformat.Format(o))
	}},
	{"koa-session", "koa-session", "koa.sess", true, false, func(s formatSettings) (format.Format, error) {
		o := &koaformat.Options{Keys: s.secrets, Cookie: s.cookie, MaxAge: s.lifetime}
		if s.prefix != nil { // it is of the cookie's value, and so of the ID
			o.Prefix = *s.prefix
		}
		return koaformat.Format(o, s.alone)
	}},
	{"koa-generic", "koa-generic-session", "koa.sid", true, false, func(s formatSettings) (format.Format, error) {
		o := &koaformat.Options{Keys: s.secrets, Cookie: s.cookie, MaxAge: s.lifetime}
		if !s.expires.IsZero() {
			o.MaxAge = s.expires.Sub(s.at)
		}
		return s.key(koaformat.GenericFormat(o))
	}},
	{"flask", "Flask", "session", true, true, func(s formatSettings) (format.Format, error) {
		return flaskformat.Format(&flaskformat.Options{Secrets: s.secrets, Cookie: s.cookie, Lifetime: s.lifetime})
	}},
	{"flask-session", "Flask-Session with Redis", "session", false, false, func(s formatSettings) (format.Format, error) {
		o := &flaskformat.SessionOptions{Cookie: s.cookie, Lifetime: s.lifetime, Pickle: true, Form: flaskformat.Form(s.form)}
		if s.signed {
			o.Secrets = s.secrets
		}
		return s.key(flaskformat.SessionFormat(o))
	}},
	phpHandler(phpformat.PHP, "PHP"), phpHandler(phpformat.Serialize, "PHP"),
	phpHandler(phpformat.Binary, "PHP"), phpHandler(phpformat.Igbinary, "PHP with igbinary"),
	{"aspnetcore", "ASP.NET Core (experimental)", ".AspNetCore.Session", true, false, func(s formatSettings) (format.Format, error) {
		keys, err := aspnetKeys(s.secrets)
		if err != nil {
			return nil, err
		}
		o := &aspnetformat.Options{Keys: keys, Application: s.app, Cookie: s.cookie, IdleTimeout: s.lifetime}
		return s.key(aspnetformat.Format(o))
	}},
}

func phpHandler(h phpformat.Handler, system string) foreignFormat {
	return foreignFormat{string(h), system, "PHPSESSID", false, false, func(s formatSettings) (format.Format, error) {
		o := &phpformat.Options{Handler: h, Cookie: s.cookie, Lifetime: s.lifetime, Trusted: true}
		if s.prefix != nil {
			o.Prefix = *s.prefix // files are pickier about IDs
		}
		return s.key(phpformat.Format(o))
	}}
}

func findFormat(name string) (*foreignFormat, error) {
	var names []string
	for i := range foreignFormats {
		if foreignFormats[i].name == name {
			return &foreignFormats[i], nil
		}
		names = append(names, foreignFormats[i].name)
	}
	if name == "" {
		return nil, usage("--format is missing: expected one of %s", strings.Join(names, ", "))
	}
	return nil, usage("--format %q: expected one of %s", name, strings.Join(names, ", "))
}

// aspnetKeys reads keys: their XML, or @ and a file or folder of them.
func aspnetKeys(secrets []string) (keys []aspnetformat.Key, err error) {
	for _, secret := range secrets {
		texts := []string{secret}
		if path, ok := strings.CutPrefix(secret, "@"); ok {
			if texts, err = aspnetFiles(path); err != nil {
				return nil, err
			}
		}
		for _, text := range texts {
			key, err := aspnetformat.ParseKey([]byte(text))
			if err != nil {
				return nil, err
			}
			keys = append(keys, key)
		}
	}
	return keys, nil
}

func aspnetFiles(path string) (texts []string, err error) {
	files := []string{path}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		all, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		files = nil
		for _, one := range all {
			if strings.HasPrefix(one.Name(), "key-") && strings.HasSuffix(one.Name(), ".xml") {
				files = append(files, path+"/"+one.Name())
			}
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("%s: expected files named key-….xml", path)
		}
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}

// settings reads the flags. What is wrong with them is a wrong command line.
func (f *formatFlags) settings(changed func(string) bool) (s formatSettings, err error) {
	s.secrets, s.app = f.secrets, f.app
	if len(s.secrets) == 0 {
		for line := range strings.Lines(os.Getenv("SOJOURN_FORMAT_SECRETS")) {
			if line = strings.TrimRight(line, "\r\n"); line != "" {
				s.secrets = append(s.secrets, line)
			}
		}
	}
	for _, secret := range s.secrets {
		if secret == "" {
			return s, usage("--secret is empty; leave it out where the other system signs nothing")
		}
	}
	if s.at, err = unixTime(f.at); err != nil {
		return s, usage("--at %q: %w", f.at, err)
	}
	if changed("prefix") {
		s.prefix = &f.prefix
	}
	if f.lifetime != "" {
		var d duration
		if err := d.Set(f.lifetime); err != nil || d < duration(time.Second) {
			return s, usage("--lifetime %q: expected a duration of at least a second, as in 30m, 12h or 31d", f.lifetime)
		}
		s.lifetime = time.Duration(d)
	}
	s.cookie.Name = f.name
	s.signed = len(s.secrets) > 0
	return s, nil
}

// unixTime reads seconds since 1970, also with a fraction; "" is now.
func unixTime(text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || seconds < 0 || seconds > 1<<38 {
		return time.Time{}, errors.New("expected seconds since 1970, as in 1795229402")
	}
	whole := int64(seconds)
	return time.Unix(whole, int64((seconds-float64(whole))*1e9)), nil
}

// open makes the format.
func (one *foreignFormat) open(s formatSettings) (format.Format, error) {
	f, err := one.make(s)
	if errors.Is(err, sojourn.ErrInvalid) {
		return nil, &usageError{err}
	}
	return f, err
}
