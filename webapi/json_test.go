package webapi

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDecodePatch(t *testing.T) {
	deep := func(n int) string {
		return `{"a":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	for in, want := range map[string]code{
		`{}`:                           "",
		` {"a" : null , "b":[1, 2]} `:  "",
		`{"a":{"b":1},"c":{"b":1}}`:    "",
		`{"a":"\ud83d\ude00 \\ud800"}`: "",
		`{"a":1e999999,"b":-0.0}`:      "",
		`{"":1}`:                       "",
		deep(maxDepth):                 "",
		deep(maxDepth + 1):             codeMalformedJSON,
		strings.Repeat("[", 60000):     codeMalformedJSON,
		`{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"["}`: "",
		``:                      codeMalformedJSON,
		`{`:                     codeMalformedJSON,
		`{}{}`:                  codeMalformedJSON,
		`{} x`:                  codeMalformedJSON,
		"\xef\xbb\xbf{}":        codeMalformedJSON, // byte order mark
		`{"a":1,}`:              codeMalformedJSON,
		`{'a':1}`:               codeMalformedJSON,
		`{"a":01}`:              codeMalformedJSON,
		`{"a":NaN}`:             codeMalformedJSON,
		`{"a":1,"a":2}`:         codeMalformedJSON,
		`{"a":1,"\u0061":2}`:    codeMalformedJSON,
		`{"x":{"a":1,"a":2}}`:   codeMalformedJSON,
		`{"x":[{"a":1,"a":2}]}`: codeMalformedJSON,
		"{\"a\":\"\xff\"}":      codeMalformedJSON,
		"{\"\xc0\xaf\":1}":      codeMalformedJSON,
		`{"a":"\ud800"}`:        codeMalformedJSON,
		`{"a":"\udc00\ud800"}`:  codeMalformedJSON,
		`{"a":"\ud800\u0041"}`:  codeMalformedJSON,
		`{"\uDFFF":1}`:          codeMalformedJSON,
		"{\"a\":\"\n\"}":        codeMalformedJSON,
		`[]`:                    codeInvalidRequest,
		`null`:                  codeInvalidRequest,
		`"x"`:                   codeInvalidRequest,
	} {
		_, err := decodePatch([]byte(in))
		got := code("")
		if err != nil {
			got = problemOf(err).code
		}
		if got != want {
			t.Errorf("%.60q: %q, want %q", in, got, want)
		}
	}
}

func TestDecodePatchValues(t *testing.T) {
	m, err := decodePatch([]byte(`{"gone": null, "kept": { "x" : null }, "\u00e4": "null"}`))
	if err != nil || len(m) != 3 || m["gone"] != nil || string(m["kept"]) != `{"x":null}` || string(m["ä"]) != `"null"` {
		t.Errorf("%q %v", m, err)
	}
}

// What is taken means the same to every reader, and to us a second time.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"cart":{"n":1},"theme":null}`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"a":"\ud83d\ude00"}`,
		`{"a":"\ud800"}`, `[[[[[[]]]]]]`, `{"a":1e400}`, "{\"a\":\"\xff\"}", `{"a":"\\\""}`, `null`, ` { } `, `{"a":[]}x`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		changes, err := decodePatch(in)
		if !bytes.Equal(in, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			p := problemOf(err)
			if p.code != codeMalformedJSON && p.code != codeInvalidRequest {
				t.Fatalf("unexpected %v", err)
			}
			return
		}
		for key, value := range changes {
			if !utf8.ValidString(key) || value != nil && (!json.Valid(value) || !utf8.Valid(value)) {
				t.Fatalf("taken: %q: %q", key, value)
			}
			if string(value) == "null" {
				t.Fatal("a null is a value")
			}
		}
		text, err := json.Marshal(changes)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodePatch(text)
		if err != nil || len(again) != len(changes) {
			t.Fatalf("%q was taken and %q refused: %v", in, text, err)
		}
	})
}
