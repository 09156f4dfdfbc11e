package redisstore

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

func TestURLs(t *testing.T) {
	for url, want := range map[string]target{
		"redis://localhost":                 {topology: single, addrs: []string{"localhost:6379"}},
		"REDIS://localhost":                 {topology: single, addrs: []string{"localhost:6379"}},
		"redis://localhost:7000/":           {topology: single, addrs: []string{"localhost:7000"}},
		"redis://localhost/3":               {topology: single, addrs: []string{"localhost:6379"}, db: 3},
		"redis://localhost?db=2&prefix=a:":  {topology: single, addrs: []string{"localhost:6379"}, db: 2, prefix: "a:"},
		"redis://:pw@h":                     {topology: single, addrs: []string{"h:6379"}, password: "pw"},
		"redis://u:p%40%3A%2F%23@h:1":       {topology: single, addrs: []string{"h:1"}, user: "u", password: "p@:/#"},
		"rediss://h":                        {topology: single, tls: true, addrs: []string{"h:6379"}},
		"redis://[::1]:7000":                {topology: single, addrs: []string{"[::1]:7000"}},
		"redis://[::1]":                     {topology: single, addrs: []string{"[::1]:6379"}},
		"redis+cluster://a:1,b:2,c":         {topology: cluster, addrs: []string{"a:1", "b:2", "c:6379"}},
		"rediss+cluster://u:p@a:1,b:2?db=0": {topology: cluster, tls: true, addrs: []string{"a:1", "b:2"}, user: "u", password: "p"},
		"redis+sentinel://a,b:2/main?db=1":  {topology: sentinel, addrs: []string{"a:26379", "b:2"}, master: "main", db: 1},
		"redis+sentinel://u:p@a/m?sentinel-user=su&sentinel-password=sp": {topology: sentinel, addrs: []string{"a:26379"},
			master: "m", user: "u", password: "p", sentinelUser: "su", sentinelPassword: "sp"},
	} {
		got, err := parseURL(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, expected %+v", url, got, want)
		}
	}
}

func TestMalformedURLs(t *testing.T) {
	for url, says := range map[string]string{
		"":                                     "expected redis://",
		"localhost:6379":                       "expected redis://",
		"redis:localhost":                      "expected redis://",
		"postgres://u:s3cret@h/db":             "expected redis://",
		"redis+tls://h":                        "expected redis://",
		"redis://":                             "host",
		"redis://:6379":                        "host",
		"redis://h:0":                          "host",
		"redis://h:66000":                      "host",
		"redis://h:port":                       "host",
		"redis://::1:6379":                     "brackets",
		"redis://a,b":                          "several hosts",
		"redis+cluster://a,,b":                 "host",
		"redis+cluster://a/1":                  "database 0 only",
		"redis+cluster://a?db=1":               "database 0 only",
		"redis://h/one":                        "database",
		"redis://h?db=-1":                      "database",
		"redis://h?timeout=3":                  `unknown setting "timeout"`,
		"redis://h?sentinel-user=u":            "belong to redis+sentinel",
		"redis+sentinel://a:1":                 "primary's name",
		"redis://user@h":                       "without a password",
		"redis://u:s3cret%zz@h":                "escape",
		"redis://u:s3cret#x@h":                 "%23",
		"redis://u:s3cret/x@h":                 "%2F",
		"redis://u:1?s3cret@h":                 "%3F",
		"redis://h#x":                          "no #",
		"redis://h?prefix=a%zz":                "malformed",
		"redis://h?prefix=%7Ba%7D":             "no braces",
		"redis://h?prefix=" + long("prefix"):   "64 bytes",
		"redis+sentinel://u:s3cret@h:1:2/main": "host",
	} {
		err := refused(t, url, nil)
		if !errors.Is(err, sojourn.ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %q, expected ErrInvalid with %q", url, err, says)
		}
	}
}

func long(s string) string { return strings.Repeat(s, 20) }

func TestMalformedOptions(t *testing.T) {
	for _, opt := range []Options{{Prefix: "a{b"}, {Prefix: long("a b ")}, {MaxRecord: -1}, {MaxRecord: 1 << 30}} {
		if err := refused(t, "redis://localhost", &opt); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%+v: error %v", opt, err)
		}
	}
}

func FuzzURL(f *testing.F) {
	f.Add("redis://u:s3cret@h:1/2?db=1&prefix=x")
	f.Add("redis+sentinel://a,b:2/main?sentinel-password=p")
	f.Add("rediss+cluster://[::1]:1,b")
	f.Fuzz(func(t *testing.T, url string) {
		got, err := parseURL(url)
		if err == nil && len(got.addrs) == 0 {
			t.Error("no address")
		}
	})
}
