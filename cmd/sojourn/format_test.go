package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/testenv"
)

// do runs the command in this process.
func do(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(context.Background(), args, strings.NewReader(stdin), &out, &errs)
	return result{out.String(), errs.String(), code}
}

// seen is what decode prints.
type seen struct {
	ID, Reason, Key, Expires *string
	Valid                    bool
	Members                  map[string]json.RawMessage
}

func text(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func decode(t *testing.T, stdin string, args ...string) (seen, result) {
	t.Helper()
	r := do(t, stdin, append([]string{"format", "decode"}, args...)...)
	var s seen
	if err := json.Unmarshal([]byte(r.out), &s); err != nil {
		t.Fatalf("%v\n%s%s", err, r.out, r.err)
	}
	var all map[string]any
	if err := json.Unmarshal([]byte(r.out), &all); err != nil || len(all) != 6 {
		t.Errorf("%d fields, expected 6: %s", len(all), r.out)
	}
	if (r.code == 0) != s.Valid || (s.Reason == nil) != s.Valid || r.code > 1 || (r.err == "") != s.Valid {
		t.Errorf("exit code %d, %s%s", r.code, r.out, r.err)
	}
	return s, r
}

const aspnetKey = `<key id="80732141-ec8f-4b80-af9c-c4d2d1ff8901" version="1"><creationDate>2015-03-19T23:32:02Z</creationDate><activationDate>2015-03-19T23:32:02Z</activationDate><expirationDate>2015-06-17T23:32:02Z</expirationDate><descriptor><descriptor><encryption algorithm="AES_256_CBC"/><validation algorithm="HMACSHA256"/><masterKey><value>AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QA==</value></masterKey></descriptor></descriptor></key>`

// What encode writes, decode reads: in every format, under the key of the other system.
func TestFormatRoundTrip(t *testing.T) {
	for _, c := range []struct {
		format, secret, id, key, expires string
		extra                            []string
	}{
		{"express", "k", "abc", "sess:abc", "null", nil},
		{"express", "k", "abc", "abc", "null", []string{"--prefix", ""}},
		{"koa-session", "k", "abc", "abc", "2026-11-22T10:50:02Z", nil},
		{"koa-generic", "k", "abc", "koa:sess:abc", "null", nil},
		{"flask", "k", "null", "null", "2026-12-22T10:50:02Z", nil},
		{"flask", "k", "null", "null", "2026-11-21T11:00:02Z", []string{"--lifetime", "10m"}},
		{"flask-session", "", "abc", "session:abc", "null", nil},
		{"flask-session", "k", "abc", "session:abc", "null", nil},
		{"php", "", "abc", "PHPREDIS_SESSION:abc", "null", nil},
		{"php_serialize", "", "abc", "sess_abc", "null", []string{"--prefix", "sess_"}},
		{"php_binary", "", "abc", "memc.sess.key.abc", "null", []string{"--prefix", "memc.sess.key."}},
		{"igbinary", "", "abc", "PHPREDIS_SESSION:abc", "null", nil},
		{"aspnetcore", aspnetKey, "0b9bcf0b-8d12-4a4e-9c3f-3b1f62a7b9a1", "0b9bcf0b-8d12-4a4e-9c3f-3b1f62a7b9a1", "null", []string{"--app", "shop"}},
	} {
		args := append([]string{"--format", c.format, "--at", "1795258202"}, c.extra...)
		if c.secret != "" {
			args = append(args, "--secret", c.secret)
		}
		const members = `{"user":{"id":42,"name":"Ada żółć"},"role":"admin","list":[1,"x",[]]}`
		r := do(t, `{"id":"`+c.id+`","members":`+members+`}`, append([]string{"format", "encode", "--output", "json"}, args...)...)
		var w written
		if err := json.Unmarshal([]byte(r.out), &w); err != nil || r.code != 0 {
			t.Errorf("%s: %v: %s%s", c.format, err, r.out, r.err)
			continue
		}
		if got := text(w.Key); got != c.key {
			t.Errorf("%s: written under %s, expected %s", c.format, got, c.key)
		}
		s, _ := decode(t, string(w.Record), append(args, "--cookie", *w.Cookie)...)
		var compact bytes.Buffer
		for key, raw := range map[string]string{"user": `{"id":42,"name":"Ada żółć"}`, "role": `"admin"`, "list": `[1,"x",[]]`} {
			compact.Reset()
			json.Compact(&compact, s.Members[key])
			if compact.String() != raw {
				t.Errorf("%s: %s is %s", c.format, key, s.Members[key])
			}
		}
		if !s.Valid || text(s.ID) != c.id || text(s.Key) != c.key || text(s.Expires) != c.expires || len(s.Members) != 3 {
			t.Errorf("%s: id %s, key %s, expires %s, expected %+v", c.format, text(s.ID), text(s.Key), text(s.Expires), c)
		}
		if r := do(t, string(w.Record), append([]string{"format", "decode", "--cookie", strings.Replace(*w.Cookie, "=", "=x", 1)}, args...)...); r.code == 0 && c.secret != "" {
			t.Errorf("%s: a changed cookie is valid: %s", c.format, r.out)
		}
		if c.format == "flask" {
			continue
		}
		if alone, _ := decode(t, string(w.Record), args[:4+len(c.extra)]...); !alone.Valid && c.format != "aspnetcore" || alone.ID != nil || alone.Key != nil {
			t.Errorf("%s: the record alone: %+v", c.format, alone)
		}
		if none, _ := decode(t, "", append(args, "--cookie", *w.Cookie)...); !strings.HasPrefix(c.format, "php") && c.format != "igbinary" && (text(none.Reason) != "not_found" || text(none.Key) != c.key) {
			t.Errorf("%s: no record: %+v", c.format, none)
		}
	}
}

// Cookies of real applications: Flask 2.2 with the secret "s3cret", and the example
// in the documentation of package cookie-signature.
func TestFormatDecodeCookies(t *testing.T) {
	const flask = "eyJ1c2VyIjp7ImlkIjo0MiwibmFtZSI6IkFkYSJ9fQ.awF5Cw.T7hDM6oMfai5uTBZeDxPPfEt9ts"
	for _, c := range []struct {
		stdin, reason string
		args          []string
	}{
		{"", "null", []string{"--format", "flask", "--cookie", flask, "--secret", "s3cret", "--at", "1795259000"}},
		{flask + "\n", "null", []string{"--format", "flask", "--secret", "s3cret", "--at", "1795259000"}},
		{"", "null", []string{"--format", "flask", "--cookie", "Cookie: a=b; session=" + flask, "--secret", "x", "--secret", "s3cret", "--at", "1795259000"}},
		{"", "null", []string{"--format", "flask", "--cookie", "app_session=" + flask, "--secret", "s3cret", "--at", "1795259000"}},
		{"", "bad_signature", []string{"--format", "flask", "--cookie", flask, "--secret", "x", "--at", "1795259000"}},
		{"", "expired", []string{"--format", "flask", "--cookie", flask, "--secret", "s3cret", "--at", "1895259000"}},
		{"", "expired", []string{"--format", "flask", "--cookie", flask, "--secret", "s3cret", "--at", "1795258634"}},
		{"", "no_cookie", []string{"--format", "flask", "--secret", "s3cret"}},
		{"", "no_cookie", []string{"--format", "flask", "--secret", "s3cret", "--cookie", ""}},
		{"", "no_cookie", []string{"--format", "flask", "--secret", "s3cret", "--cookie", "a=b; c=d"}},
		{`{"cookie":{},"a":1}`, "no_cookie", []string{"--format", "express", "--secret", "x", "--cookie", "PHPSESSID=abc; c=d"}},
		{"a|i:1;", "null", []string{"--format", "php", "--cookie", "c=d; PHPSESSID=abc"}},
		{`{"cookie":{},"a":1}`, "null", []string{"--format", "express", "--secret", "tobiiscool", "--cookie", "s:hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI"}},
		{`{"cookie":{},"a":1}`, "null", []string{"--format", "express", "--secret", "tobiiscool", "--cookie", "connect.sid=s%3Ahello.DGDUkGlIkCzPz%2BC0B064FNgHdEjox7ch8tOBGslZ5QI"}},
		{`{"cookie":{},"a":1}`, "bad_signature", []string{"--format", "express", "--secret", "luna", "--cookie", "s:hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI"}},
		{`{"a":1}`, "malformed", []string{"--format", "express", "--secret", "tobiiscool", "--cookie", "s:hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI"}},
		{"a|i:1;", "malformed", []string{"--format", "php", "--cookie", "PHPSESSID=a<b"}},
		{"a|i:1;", "malformed", []string{"--format", "php", "--prefix", "sess_", "--cookie", "a/b"}},
		{"a|i:1;", "null", []string{"--format", "php", "--cookie", "a%2Cb"}},
		{"a|i:1", "malformed", []string{"--format", "php"}},
		{"", "null", []string{"--format", "php", "--cookie", "PHPSESSID=abc"}},
		{"", "not_found", []string{"--format", "koa-generic"}},
		{"\x80\x04}\x94\x8c\x01a\x94K\x01s.", "null", []string{"--format", "flask-session", "--cookie", "x"}},
		{"\x80\x04cos\nsystem\n\x8c\x02id\x85R.", "unsupported", []string{"--format", "flask-session", "--cookie", "x"}},
	} {
		if s, r := decode(t, c.stdin, c.args...); text(s.Reason) != c.reason {
			t.Errorf("%.20q %q: reason %s, expected %s; %s", c.stdin, c.args, text(s.Reason), c.reason, r.err)
		}
	}
}

func TestFormatMisuse(t *testing.T) {
	for _, c := range []struct {
		stdin string
		code  int
		text  string
		args  []string
	}{
		{"", 2, "--format is missing: expected one of express, koa-session", []string{"decode"}},
		{"", 2, `--format "laravel": expected one of`, []string{"decode", "--format", "laravel"}},
		{"", 2, "--secret is missing", []string{"decode", "--format", "express", "--cookie", "x"}},
		{"", 2, "--secret is empty", []string{"decode", "--format", "express", "--cookie", "x", "--secret", ""}},
		{"", 2, "seconds since 1970", []string{"decode", "--format", "php", "--at", "noon"}},
		{"", 2, "--lifetime", []string{"decode", "--format", "php", "--lifetime", "soon"}},
		{"", 2, "unknown command", []string{"decode", "--format", "php", "stray"}},
		{"", 2, "the XML of a key", []string{"decode", "--format", "aspnetcore", "--cookie", "x", "--secret", "y"}},
		{"", 2, "is its record", []string{"encode", "--format", "flask", "--secret", "k", "--output", "record"}},
		{"", 2, "pickle, msgpack or json", []string{"encode", "--format", "flask-session", "--form", "yaml"}},
		{"", 2, "record, cookie or json", []string{"encode", "--format", "flask", "--output", "yaml"}},
		{"", 2, "--secret is missing", []string{"encode", "--format", "koa-generic", "--output", "cookie"}},
		{"", 1, "expected a JSON object", []string{"encode", "--format", "php"}},
		{"[]", 1, "expected a JSON object", []string{"encode", "--format", "php"}},
		{`{"members":[1]}`, 1, "members: expected a JSON object", []string{"encode", "--format", "php"}},
		{`{"members":{"a|b":1}}`, 1, `member "a|b"`, []string{"encode", "--format", "php"}},
		{`{"members":{"save":1}}`, 1, `member "save"`, []string{"encode", "--format", "express"}},
		{`{"members":{"t":true}}`, 1, `member "t" is a boolean`, []string{"encode", "--format", "aspnetcore"}},
		{`{"expires":"2020-01-01T00:00:00Z"}`, 1, "expected a time after", []string{"encode", "--format", "express"}},
	} {
		do(t, c.stdin, append([]string{"format"}, c.args...)...).want(t, c.code, c.text)
	}
}

func TestFormatEncodeOutputs(t *testing.T) {
	const session = `{"id":"abc","valid":true,"reason":null,"key":"ignored","members":{"a":[1,{"b":null}]},"expires":"2026-11-22T00:00:00Z"}`
	for want, args := range map[string][]string{
		`a|a:2:{i:0;i:1;i:1;a:1:{s:1:"b";N;}}`: {"--format", "php"},
		"PHPSESSID=abc\n":                      {"--format", "php", "--output", "cookie"},
		`{"cookie":{"originalMaxAge":47998000,"expires":"2026-11-22T00:00:00.000Z","httpOnly":true,"path":"/"},"a":[1,{"b":null}]}`: {"--format", "express", "--at", "1795257602"},
		"\x82\xaa_permanent\xc3\xa1a\x92\x01\x81\xa1b\xc0":                                                                          {"--format", "flask-session", "--form", "msgpack"},
		`{"_permanent":true,"a":[1,{"b":null}]}`:                                                                                    {"--format", "flask-session", "--form", "json"},
		"\x80\x04}X\x0a\x00\x00\x00_permanent\x88sX\x01\x00\x00\x00a](J\x01\x00\x00\x00}(X\x01\x00\x00\x00bNues.":                   {"--format", "flask-session"},
	} {
		if r := do(t, session, append([]string{"format", "encode"}, args...)...); r.out != want || r.code != 0 {
			t.Errorf("%q: %q%s, expected %q", args, r.out, r.err, want)
		}
	}
	// Objects of PHP, from whoever has a shell.
	r := do(t, `{"members":{"cart":{"@class":"Cart","items:Cart:private":[1]}}}`, "format", "encode", "--format", "php")
	if want := "cart|O:4:\"Cart\":1:{s:11:\"\x00Cart\x00items\";a:1:{i:0;i:1;}}"; r.out != want {
		t.Errorf("%q%s, expected %q", r.out, r.err, want)
	}
	s, _ := decode(t, r.out, "--format", "php")
	if got := strings.Join(strings.Fields(string(s.Members["cart"])), ""); got != `{"@class":"Cart","items:Cart:private":[1]}` {
		t.Errorf("read back as %s", got)
	}
}

func TestFormatSecretsFromEnvironment(t *testing.T) {
	t.Setenv("SOJOURN_FORMAT_SECRETS", "new\ns3cret\n")
	if s, _ := decode(t, "", "--format", "flask", "--cookie", "eyJ1c2VyIjp7ImlkIjo0MiwibmFtZSI6IkFkYSJ9fQ.awF5Cw.T7hDM6oMfai5uTBZeDxPPfEt9ts", "--at", "1795259000"); !s.Valid {
		t.Errorf("%+v", s)
	}
}

func TestFormatCompletion(t *testing.T) {
	r := do(t, "", "__complete", "format", "decode", "--format", "")
	r.want(t, 0, "express\texpress-session", "koa-generic", "php_binary", "aspnetcore")
	do(t, "", "__complete", "doctor", "cookie", "--store", "").want(t, 0, "redis://", "memcached://")
}

func TestDoctorCookie(t *testing.T) {
	const flask = "eyJ1c2VyIjp7ImlkIjo0MiwibmFtZSI6IkFkYSJ9fQ.awF5Cw.T7hDM6oMfai5uTBZeDxPPfEt9ts"
	const express = "s%3Ahello.DGDUkGlIkCzPz%2BC0B064FNgHdEjox7ch8tOBGslZ5QI"
	at := []string{"--at", "1795259000"}
	for _, c := range []struct {
		code  int
		args  []string
		texts []string
	}{
		{0, []string{"--cookie", flask, "--secret", "x", "--secret", "s3cret"}, []string{"✓ format: flask", "! secret: number 2 of 2", `✓ member user: {"id":42,"name":"Ada"}`, "2026-12-22"}},
		{1, []string{"--cookie", flask, "--secret", "x"}, []string{"! format: flask, of Flask, by its looks", "✗ secret: none of the secrets fits"}},
		{1, []string{"--cookie", flask}, []string{"✗ secret: none was given"}},
		{1, []string{"--cookie", flask, "--secret", " s3cret\n"}, []string{"fits without the spaces"}},
		{1, []string{"--cookie", "connect.sid=" + express, "--secret", "tobiiscool"}, []string{"✓ format: express", "✓ id: hello", "✓ key: sess:hello", "! record: not looked at"}},
		{1, []string{"--cookie", "what is this?", "--secret", "x"}, []string{"✗ format: unknown"}},
		{1, []string{"--cookie", "PHPSESSID=0123456789abcdefghijklmnop"}, []string{"format: php, of PHP, by its looks"}},
		{1, []string{"--cookie", "koa.sess=abc; koa.sess.sig=x", "--secret", "k"}, []string{"koa-session", "✗ secret: none of the keys"}},
		{2, nil, []string{"--cookie is missing"}},
		{2, []string{"--cookie", "x", "--store", "ftp://x"}, []string{"--store: expected redis://"}},
	} {
		do(t, "", append(append([]string{"doctor", "cookie"}, at...), c.args...)...).want(t, c.code, c.texts...)
	}
	r := do(t, "", append([]string{"doctor", "cookie", "--json", "--cookie", flask, "--secret", "s3cret"}, at...)...)
	var d diagnosis
	if err := json.Unmarshal([]byte(r.out), &d); err != nil || d.Format != "flask" || !d.Valid || d.Secret == nil || *d.Secret != 1 || len(d.Checks) < 4 {
		t.Errorf("%v: %s", err, r.out)
	}
}

func TestDoctorCookieStores(t *testing.T) {
	const id = "0123456789abcdefghijklmnop"
	dir := t.TempDir()
	record := do(t, `{"members":{"cart":["tea"]}}`, "format", "encode", "--format", "igbinary").out
	if err := os.WriteFile(filepath.Join(dir, "sess_"+id), []byte(record), 0o600); err != nil {
		t.Fatal(err)
	}
	do(t, "", "doctor", "cookie", "--cookie", "PHPSESSID="+id, "--store", "file:"+dir).want(t, 0, "✓ format: igbinary", "✓ key: sess_"+id, `✓ member cart: ["tea"]`)
	do(t, "", "doctor", "cookie", "--cookie", "PHPSESSID=other", "--store", "file:"+dir).want(t, 1, "✗ record: there is none under that key")

	r := testenv.StartRedis(t, nil)
	r.Do("SET", "PHPREDIS_SESSION:"+id, `role|s:5:"admin";`)
	r.Do("SET", "sess:hello", `{"cookie":{"originalMaxAge":null,"expires":null},"passport":{"user":"ada"}}`)
	do(t, "", "doctor", "cookie", "--cookie", id, "--store", "redis://"+r.Addr).want(t, 0, "✓ format: php, of PHP", "✓ key: PHPREDIS_SESSION:", `✓ member role: "admin"`)
	do(t, "", "doctor", "cookie", "--cookie", "s:hello.DGDUkGlIkCzPz+C0B064FNgHdEjox7ch8tOBGslZ5QI", "--secret", "tobiiscool", "--store", "redis://"+r.Addr).want(t, 0, "✓ format: express", "✓ user: ada", "! sharing")
	key := base64.StdEncoding.EncodeToString([]byte("secret"))
	if got := do(t, "", "doctor", "cookie", "--cookie", "x", "--store", "redis://:"+key+"@127.0.0.1:1"); got.code != 1 || strings.Contains(got.err+got.out, key) {
		t.Errorf("%d: %s", got.code, got.err)
	}
}
