package koaformat_test

import (
	"testing"

	"github.com/sojournhq/sojourn/format/formattest"
	"github.com/sojournhq/sojourn/format/koaformat"
)

// As koa-session 7.0 and koa-generic-session 2.3 wrote them.
var (
	sessionRecords = []string{
		`{"user":{"id":42,"name":"Ada"},"role":"admin","_expire":1795315616320,"_maxAge":86400000}`,
		`{"half":"\ud800","big":12345678901234567890,"_session":true}`,
	}
	genericRecords = []string{
		`{"cookie":{"httpOnly":true,"path":"/","overwrite":true,"signed":true,"maxAge":86400000},"user":"ada","half":"\ud800"}`,
		`{"cookie":{"httpOnly":true,"path":"/","overwrite":true,"signed":true,"maxAge":null},"n":1}`,
	}
	broken = []string{"", "{", "null", "[]", `"x"`, `{"user":1}`, "\xff"}
)

func TestConformanceSession(t *testing.T) {
	for name, inCookie := range map[string]bool{"in the cookie": true, "in a store": false} {
		t.Run(name, func(t *testing.T) {
			f, err := koaformat.Format(options(), inCookie)
			if err != nil {
				t.Fatal(err)
			}
			formattest.Run(t, f, &formattest.FormatOptions{Records: sessionRecords, Broken: broken,
				Refused: []string{"_x", "_expire", "isNew", "maxAge", "save", "toJSON", "__proto__", "length"}})
		})
	}
}

func TestConformanceGeneric(t *testing.T) {
	f, err := koaformat.GenericFormat(options())
	if err != nil {
		t.Fatal(err)
	}
	formattest.Run(t, f, &formattest.FormatOptions{Records: genericRecords, Broken: broken, Refused: []string{"cookie"}})
}

func FuzzSession(f *testing.F) {
	fm, err := koaformat.Format(options(), true)
	if err != nil {
		f.Fatal(err)
	}
	formattest.Fuzz(f, fm, sessionRecords...)
}

func FuzzGeneric(f *testing.F) {
	fm, err := koaformat.GenericFormat(options())
	if err != nil {
		f.Fatal(err)
	}
	formattest.Fuzz(f, fm, genericRecords...)
}
