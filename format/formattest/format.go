package formattest

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
)

// FormatOptions tell what is particular about a format.
type FormatOptions struct {
	// Records are what the other system has written, each with one member at least.
	Records []string
	// Values are members, raw JSON, that come back as the same bytes. Default: some.
	Values []string
	// Refused are names of members that the other system cannot hold.
	Refused []string
	// Broken are records that must be sojourn.ErrCorrupt.
	Broken []string
	// Unsigned: the ID itself is the secret, so any of its shape is taken.
	Unsigned bool
	// Whole: writing one member may write the others anew, value for value.
	Whole bool
}

type subject struct {
	f   format.Format
	d   format.Description
	opt FormatOptions
}

// at is when the cases take place.
var at = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// Run checks a format against the rules of format.Format. It must have been made
// with at least one secret, where it takes any.
func Run(t *testing.T, f format.Format, opt *FormatOptions) {
	s := newSubject(f, opt)
	if len(s.opt.Records) == 0 {
		t.Fatal("FormatOptions.Records is empty: what the other system writes must be checked")
	}
	for _, r := range formatRules {
		t.Run(r.name, func(t *testing.T) { r.check(t, s) })
	}
}

func newSubject(f format.Format, opt *FormatOptions) *subject {
	s := &subject{f: f, d: f.Describe()}
	if opt != nil {
		s.opt = *opt
	}
	if s.opt.Values == nil {
		s.opt.Values = []string{`"text"`, `"żółć 😀"`, `""`, `-7`, `2.5`, `true`, `false`, `null`, `[1,"a",[true]]`, `{"a":{"b":[null]}}`}
	}
	return s
}

func (s *subject) make(t TB, e *format.Edit) []byte {
	t.Helper()
	e.Now, e.Expires = at, at.Add(s.d.Life)
	record, err := s.f.Encode(nil, e)
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	return record
}

func (s *subject) decode(t TB, record []byte) *format.Document {
	t.Helper()
	doc, err := s.f.Decode(record)
	if err != nil {
		t.Fatalf("Decode of %q: %v", record, err)
	}
	return doc
}

// cookies are what a client sends after it was sent a session's.
func (s *subject) cookies(t TB, o *format.Outgoing) string {
	t.Helper()
	o.Now, o.Expires = at, at.Add(s.d.Life)
	lines, err := s.f.WriteCookies(o)
	if err != nil || len(lines) == 0 {
		t.Fatalf("WriteCookies: %q, %v", lines, err)
	}
	var pairs []string
	for _, line := range lines {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if c.Quoted {
			t.Errorf("%q needs quotes", line)
		}
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return strings.Join(pairs, "; ")
}

func (s *subject) read(cookies ...string) format.Presented {
	return s.f.ReadCookies(&http.Request{Header: http.Header{"Cookie": {strings.Join(cookies, "; ")}}}, at)
}

func (s *subject) session(t TB) (o *format.Outgoing) {
	o = &format.Outgoing{ID: s.f.NewID()}
	if s.d.InCookie {
		o.Record = s.make(t, &format.Edit{Set: []format.Member{{Key: "id", Value: []byte(`"` + o.ID + `"`)}}})
	}
	return o
}

func values(members []format.Member) string {
	var b strings.Builder
	for _, m := range members {
		b.WriteString(m.Key + "=" + string(m.Value) + "\n")
	}
	return b.String()
}

var formatRules = []rule[*subject]{
	{"it is described", func(t TB, s *subject) {
		if s.d.Name == "" || s.d.System == "" || s.d.Cookie == "" || s.d.Life <= 0 || s.d.CookieLife < 0 || s.d.Slack < 0 {
			t.Errorf("%+v", s.d)
		}
	}},
	{"IDs are long, differ, and have keys that differ", func(t TB, s *subject) {
		ids, keys := map[string]bool{}, map[string]bool{}
		for range 1000 {
			id := s.f.NewID()
			if ids[id] || len(id) < 22 || len(id) > 100 {
				t.Errorf("%q", id)
			}
			ids[id], keys[s.f.Key(id)] = true, true
		}
		if len(keys) != len(ids) {
			t.Errorf("%d keys of %d IDs", len(keys), len(ids))
		}
	}},
	{"a cookie that was written names its session", func(t TB, s *subject) {
		o := s.session(t)
		p := s.read(s.cookies(t, o))
		if p.ID == "" || p.Count != 1 || p.Reason != "" || !s.opt.Unsigned && p.Secret != 0 {
			t.Errorf("%+v", p)
		}
		if s.d.InCookie && !bytes.Equal(p.Record, o.Record) {
			t.Errorf("the record is %q, expected %q", p.Record, o.Record)
		}
		if !s.d.InCookie && p.ID != o.ID {
			t.Errorf("the ID is %q, expected %q", p.ID, o.ID)
		}
	}},
	{"without a cookie there is no session, and a reason", func(t TB, s *subject) {
		for _, cookies := range []string{"", "other=x", s.d.Cookie + "="} {
			if p := s.read(cookies); p.ID != "" || p.Reason == "" || cookies == "" && p.Count != 0 {
				t.Errorf("%q: %+v", cookies, p)
			}
		}
	}},
	{"a changed cookie names no session", func(t TB, s *subject) {
		if s.opt.Unsigned {
			return
		}
		good := s.cookies(t, s.session(t))
		from := strings.Index(good, "=") + 1
		for i := from; i < len(good); i++ {
			if strings.IndexByte("=; %.", good[i]) >= 0 {
				continue
			}
			bad := []byte(good)
			if bad[i]++; bad[i] == '"' || bad[i] == ';' || bad[i] == ',' || bad[i] == '\\' || bad[i] == ' ' {
				bad[i] += 2
			}
			if p := s.read(string(bad)); p.ID != "" && !spare(good, string(bad), i) {
				t.Errorf("byte %d changed: %q names %q", i, bad, p.ID)
			}
		}
		if p := s.read(good[:len(good)-2]); p.ID != "" {
			t.Errorf("cut off: %+v", p)
		}
	}},
	{"of several cookies the first counts", func(t TB, s *subject) {
		a, b := s.session(t), s.session(t)
		first, second := s.cookies(t, a), s.cookies(t, b)
		want, p := s.read(first), s.read(first, second)
		if p.ID != want.ID || p.Count != 2 {
			t.Errorf("%+v, expected %q and a count of 2", p, want.ID)
		}
	}},
	{"dropping writes cookies that expire", func(t TB, s *subject) {
		lines, err := s.f.WriteCookies(&format.Outgoing{Drop: true, Now: at})
		if err != nil || len(lines) == 0 {
			t.Fatalf("%q, %v", lines, err)
		}
		for _, line := range lines {
			if c, err := http.ParseSetCookie(line); err != nil || c.MaxAge >= 0 || c.Value != "" {
				t.Errorf("%q: %v", line, err)
			}
		}
	}},
	{"a life makes the cookie outlive the browser", func(t TB, s *subject) {
		for _, life := range []time.Duration{0, time.Hour} {
			o := s.session(t)
			o.Life, o.Now, o.Expires = life, at, at.Add(time.Hour)
			lines, err := s.f.WriteCookies(o)
			if err != nil {
				t.Fatalf("%v", err)
			}
			for _, line := range lines {
				if c, err := http.ParseSetCookie(line); err != nil || c.MaxAge != int(life/time.Second) || !c.HttpOnly {
					t.Errorf("%v: %q: %v", life, line, err)
				}
			}
		}
	}},
	{"a new record holds what was set, in order, and its user", func(t TB, s *subject) {
		e := &format.Edit{Owner: "ada"}
		for i, v := range s.opt.Values {
			e.Set = append(e.Set, format.Member{Key: "k" + string(rune('a'+i)), Value: []byte(v)})
		}
		doc := s.decode(t, s.make(t, e))
		if doc.Owner != "ada" {
			t.Errorf("the user is %q", doc.Owner)
		}
		got := slices.DeleteFunc(doc.Members, func(m format.Member) bool {
			return !slices.ContainsFunc(e.Set, func(o format.Member) bool { return o.Key == m.Key })
		})
		if values(got) != values(e.Set) {
			t.Errorf("%s\nexpected\n%s", values(got), values(e.Set))
		}
		if nobody := s.decode(t, s.make(t, &format.Edit{})); nobody.Owner != "" || len(nobody.Members) != 0 {
			t.Errorf("an empty one: %+v", nobody)
		}
	}},
	{"what the other system wrote can be read, and copied for another user", func(t TB, s *subject) {
		for _, record := range s.opt.Records {
			doc := s.decode(t, []byte(record))
			if len(doc.Members) == 0 {
				t.Errorf("%q has no members", record)
			}
			if copied, err := s.f.Encode([]byte(record), &format.Edit{Owner: "eve", Now: at, Expires: at.Add(s.d.Life)}); err != nil {
				t.Errorf("%q: %v", record, err)
			} else if got := s.decode(t, copied); got.Owner != "eve" {
				t.Errorf("%q: the user is %q", copied, got.Owner)
			}
		}
	}},
	{"a change leaves the other members as they are, and the input too", func(t TB, s *subject) {
		for _, record := range s.opt.Records {
			in := []byte(record)
			doc := s.decode(t, in)
			for i, m := range doc.Members {
				others := slices.Delete(slices.Clone(doc.Members), i, i+1)
				for _, e := range []*format.Edit{
					{Set: []format.Member{{Key: m.Key, Value: []byte(`"changed"`)}}},
					{Delete: []string{m.Key}},
					{Set: []format.Member{{Key: "added", Value: []byte(`[1]`)}}, Delete: []string{m.Key, "absent"}},
				} {
					e.Now = at
					out, err := s.f.Encode(in, e)
					if errors.Is(err, sojourn.ErrUnsupported) {
						continue // what it cannot do safely
					}
					if err != nil {
						t.Fatalf("%v", err)
					}
					got := s.decode(t, out)
					rest := slices.DeleteFunc(slices.Clone(got.Members), func(o format.Member) bool { return o.Key == m.Key || o.Key == "added" })
					if values(rest) != values(others) {
						t.Errorf("%q became %q:\n%s\nexpected\n%s", in, out, values(rest), values(others))
					}
					changed := slices.ContainsFunc(got.Members, func(o format.Member) bool { return o.Key == m.Key && string(o.Value) == `"changed"` })
					if set := len(e.Delete) == 0; changed != set {
						t.Errorf("%q became %q", in, out)
					}
					if there := slices.ContainsFunc(got.Members, func(o format.Member) bool { return o.Key == m.Key }); there == (len(e.Delete) > 0) {
						t.Errorf("%q became %q", in, out)
					}
					if added := slices.ContainsFunc(got.Members, func(o format.Member) bool { return o.Key == "added" }); added != (len(e.Set) > 0 && e.Set[0].Key == "added") {
						t.Errorf("%q became %q", in, out)
					}
				}
			}
			if string(in) != record {
				t.Errorf("the input became %q", in)
			}
		}
	}},
	{"an edit of nothing keeps every byte of the members", func(t TB, s *subject) {
		if s.opt.Whole {
			return
		}
		for _, record := range s.opt.Records {
			out, err := s.f.Encode([]byte(record), &format.Edit{Now: at})
			if err != nil {
				t.Fatalf("%v", err)
			}
			if string(out) != record {
				t.Errorf("%q became %q", record, out)
			}
		}
	}},
	{"a deadline is written where it counts", func(t TB, s *subject) {
		until := at.Add(s.d.Life + 90*time.Second)
		for _, record := range append([]string{string(s.make(t, &format.Edit{}))}, s.opt.Records...) {
			out, err := s.f.Encode([]byte(record), &format.Edit{Now: at, Expires: until})
			if err != nil {
				t.Fatalf("%v", err)
			}
			doc := s.decode(t, out)
			if s.d.Inner && !doc.Unending && !doc.Expires.Equal(until) {
				t.Errorf("%q: %v, expected %v", out, doc.Expires, until)
			}
		}
	}},
	{"names that the other system cannot hold are refused, by name", func(t TB, s *subject) {
		for _, key := range s.opt.Refused {
			_, err := s.f.Encode(nil, &format.Edit{Set: []format.Member{{Key: key, Value: []byte("1")}}, Now: at, Expires: at.Add(time.Hour)})
			for what, err := range map[string]error{"Check": s.f.Check(key, []byte("1")), "Check of the name": s.f.Check(key, nil), "Encode": err} {
				if !errors.Is(err, sojourn.ErrUnsupported) || !strings.Contains(err.Error(), key) {
					t.Errorf("%s of %q: %v", what, key, err)
				}
			}
		}
		for _, v := range s.opt.Values {
			if err := s.f.Check("cart", []byte(v)); err != nil {
				t.Errorf("Check of %s: %v", v, err)
			}
		}
	}},
	{"what is broken is ErrCorrupt", func(t TB, s *subject) {
		for _, record := range s.opt.Broken {
			if _, err := s.f.Decode([]byte(record)); !errors.Is(err, sojourn.ErrCorrupt) {
				t.Errorf("%q: %v", record, err)
			}
			if _, err := s.f.Encode([]byte(record), &format.Edit{Set: []format.Member{{Key: "a", Value: []byte("1")}}, Now: at}); err == nil {
				t.Errorf("%q was written to", record)
			}
		}
		for _, record := range s.opt.Records {
			for i := range record {
				if _, err := s.f.Decode([]byte(record[:i])); err != nil && !errors.Is(err, sojourn.ErrCorrupt) {
					t.Errorf("%q: %v", record[:i], err)
				}
			}
		}
	}},
	{"a document aliases nothing of its record", func(t TB, s *subject) {
		for _, record := range s.opt.Records {
			in := []byte(record)
			doc := s.decode(t, in)
			want := values(doc.Members)
			for i := range in {
				in[i] = 'x'
			}
			if got := values(doc.Members); got != want {
				t.Errorf("%s\nbecame\n%s", want, got)
			}
		}
	}},
	{"it is safe for parallel use", func(t TB, s *subject) {
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 20 {
					p := s.read(s.cookies(t, s.session(t)))
					if p.ID == "" {
						t.Errorf("%+v", p)
					}
					if _, err := s.f.Decode([]byte(s.opt.Records[0])); err != nil {
						t.Errorf("%v", err)
					}
				}
			})
		}
		group.Wait()
	}},
}

// spare reports whether two cookies differ only in the bits of base64 that say
// nothing, the last character's.
func spare(good, bad string, i int) bool {
	return (i+1 == len(good) || strings.IndexByte("=;.", good[i+1]) >= 0) && good[:i] == bad[:i]
}
