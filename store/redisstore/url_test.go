package redisstore

import (
	"errors"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

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
