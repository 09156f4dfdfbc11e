package rawjson

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/testenv"
)

func TestParseKeepsBytes(t *testing.T) {
	const in = `{"b":1.0,"a":"\ud800","big":12345678901234567890,"o":{"x": [1 , 2]},"esc\"aped":null}`
	o, err := Parse([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(o.Append(nil)); got != in {
		t.Errorf("%s\nexpected\n%s", got, in)
	}
	o, err = Parse([]byte(" { \"a\" : 1 , \"b\" : [ ] } \n"))
	if got := string(o.Append(nil)); got != `{"a":1,"b":[ ]}` || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	o, err = Parse([]byte(`{"a":1,"b":2,"a":3}`)) // as in JavaScript
	if got := string(o.Append(nil)); got != `{"a":3,"b":2}` || err != nil {
		t.Errorf("%s, %v", got, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, in := range []string{"", " ", "{", "}", "[]", "null", `"x"`, "1", `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1}{}`, `{"a":1}x`, `{"\ud800":1}`, `{"a":NaN}`,
		`{"a":` + strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth) + "}"} {
		if _, err := Parse([]byte(in)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%.40q: %v", in, err)
		}
	}
}

func TestEdit(t *testing.T) {
	o, _ := Parse([]byte(`{"a":1,"b":2,"c":3}`))
	whole := string(o.Append(nil))
	p := append(Object(nil), o...)
	p.Set("b", []byte("9"))
	p.Delete("a")
	p.Delete("absent")
	p.Set("d", []byte("4"))
	if got := string(p.Append(nil)); got != `{"b":9,"c":3,"d":4}` {
		t.Error(got)
	}
	if got := string(o.Append(nil)); got != whole {
		t.Errorf("a copy's change shows in the original: %s", got)
	}
	if got := string(Quote(nil, "<a> & \"ż\"\n")); got != `"<a> & \"ż\"\n"` {
		t.Error(got)
	}
}

func TestOwner(t *testing.T) {
	for _, c := range []struct{ in, path, want string }{
		{`{"passport":{"user":"ada"}}`, "passport.user", "ada"},
		{`{"passport":{"user":42}}`, "passport.user", "42"},
		{`{"passport":{"user":{"id":1}}}`, "passport.user", ""},
		{`{"passport":{}}`, "passport.user", ""},
		{`{"passport":"x"}`, "passport.user", ""},
		{`{"user":true}`, "user", ""},
		{`{"user":"a\u0000b"}`, "user", ""},
		{`{"user":"` + strings.Repeat("x", 256) + `"}`, "user", ""},
		{`{"user":"ada"}`, "", ""},
	} {
		o, err := Parse([]byte(c.in))
		if err != nil {
			t.Fatal(err)
		}
		if got := (Owner{Path: c.path}).Read(o); got != c.want {
			t.Errorf("%s: %q, expected %q", c.in, got, c.want)
		}
	}
	for _, c := range []struct {
		in, owner, want string
		number          bool
	}{
		{`{}`, "ada", `{"passport":{"user":"ada"}}`, true},
		{`{"passport":{"user":42,"x":1.0}}`, "42", `{"passport":{"user":42,"x":1.0}}`, false},
		{`{"passport":{"user":42,"x":1.0}}`, "43", `{"passport":{"user":43,"x":1.0}}`, true},
		{`{"passport":{"user":42}}`, "43", `{"passport":{"user":"43"}}`, false},
		{`{"passport":{"user":42}}`, "043", `{"passport":{"user":"043"}}`, true},
		{`{"passport":7}`, "ada", `{"passport":{"user":"ada"}}`, false},
	} {
		o, _ := Parse([]byte(c.in))
		if err := (Owner{"passport.user", c.number}).Write(&o, c.owner); err != nil || string(o.Append(nil)) != c.want {
			t.Errorf("%s, %s: %s, %v", c.in, c.owner, o.Append(nil), err)
		}
	}
}

func TestSurvives(t *testing.T) {
	for _, ok := range []string{`9007199254740991`, `-9007199254740992`, `1e21`, `0.1`, `[1,{"a":-0.5}]`, `"9007199254740993"`, `1000000000000000000000`, `true`} {
		if n, yes := Survives([]byte(ok)); !yes {
			t.Errorf("%s: %s", ok, n)
		}
	}
	for _, bad := range []string{`9007199254740993`, `[1,{"a":-9007199254740993}]`, `1e999`, `18446744073709551616`, `123456789012345678901234567890`} {
		if _, yes := Survives([]byte(bad)); yes {
			t.Error(bad)
		}
	}
}

// Whatever it is given: no panic, memory within a multiple of the length, and what
// was read is what encoding/json reads.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":[{"c":"\ud800"}],"a":2}`))
	f.Add([]byte(`{"cookie":{"originalMaxAge":60000},"n":1e5}`))
	f.Add([]byte(strings.Repeat(`{"a":`, 300)))
	f.Fuzz(func(t *testing.T, in []byte) {
		var o Object
		var err error
		if got, most := testenv.Allocated(func() { o, err = Parse(in) }), uint64(64*len(in)+64<<10); uint64(got) > most {
			t.Fatalf("%d bytes allocate %d, expected at most %d", len(in), got, most)
		}
		var want map[string]json.RawMessage
		if err != nil {
			if !errors.Is(err, ErrSyntax) {
				t.Fatal(err)
			}
			return
		}
		if err := json.Unmarshal(in, &want); err != nil {
			t.Fatalf("%q was read: %v", in, err)
		}
		out := o.Append(nil)
		again, err := Parse(out)
		if err != nil || len(again) != len(o) {
			t.Fatalf("%q became %q: %v", in, out, err)
		}
		for i, m := range o {
			if again[i].Key != m.Key || string(again[i].Value) != string(m.Value) || !json.Valid(m.Value) {
				t.Fatalf("%q became %q", in, out)
			}
			if v, ok := want[m.Key]; ok && string(v) != string(m.Value) {
				t.Fatalf("%q: %q is %q, expected %q", in, m.Key, m.Value, v)
			}
			Survives(m.Value)
		}
	})
}
