package expressformat_test

import (
	"testing"

	"github.com/sojournhq/sojourn/format/expressformat"
	"github.com/sojournhq/sojourn/format/formattest"
)

// As express-session 1.19 wrote them.
var records = []string{
	`{"cookie":{"originalMaxAge":60000,"expires":"2026-11-21T01:29:49.233Z","httpOnly":true,"path":"/","sameSite":"lax"},"user":{"id":42,"name":"Ada"},"role":"admin"}`,
	`{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"},"passport":{"user":42},"flash":{"info":["a","b"]}}`,
	`{"cookie":{},"half":"\ud800","big":12345678901234567890,"buffer":{"type":"Buffer","data":[1]}}`,
}

func TestConformance(t *testing.T) {
	f, err := expressformat.Format(&expressformat.Options{Secrets: []string{"new", "old"}})
	if err != nil {
		t.Fatal(err)
	}
	formattest.Run(t, f, &formattest.FormatOptions{
		Records: records,
		Refused: []string{"cookie", "id", "req", "save", "toString", "hasOwnProperty", "__proto__", "constructor"},
		Broken:  []string{"", "{", "null", "[]", `"x"`, "{}", `{"user":1}`, `{"cookie":null}`, `{"cookie":1}`, `{"cookie":{}}x`, "\xff"},
	})
}

func FuzzRecord(f *testing.F) {
	fm, err := expressformat.Format(&expressformat.Options{Secrets: []string{"secret"}})
	if err != nil {
		f.Fatal(err)
	}
	formattest.Fuzz(f, fm, records...)
}
