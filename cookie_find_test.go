package sojourn_test

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

// The Cookie header is scanned, not parsed: these are the traps.
func TestCookieFind(t *testing.T) {
	s := newSite(t, nil)
	_, T := s.begun()
	other := newSite(t, nil)
	_, foreign := other.begun()
	const (
		none = ""
		ours = "v"
	)
	for _, c := range []struct {
		name  string
		want  string
		lines []string
	}{
		{"alone", ours, []string{"__Host-sojourn=" + T}},
		{"in the middle", ours, []string{"a=b; __Host-sojourn=" + T + "; c=d"}},
		{"without spaces", ours, []string{"a=b;__Host-sojourn=" + T + ";c=d"}},
		{"with many spaces and tabs", ours, []string{"a=b; \t  __Host-sojourn=" + T + " \t ; c=d"}},
		{"among empty pairs", ours, []string{";; ;__Host-sojourn=" + T + ";;"}},
		{"on the second line", ours, []string{"a=b; c=d", "__Host-sojourn=" + T}},
		{"in quotes", ours, []string{`__Host-sojourn="` + T + `"`}},
		{"beside one of another case", ours, []string{"__host-sojourn=" + foreign + "; __Host-sojourn=" + T}},
		{"beside longer and shorter names", ours, []string{"__Host-sojournX=1; __Host-sojourn=" + T + "; __Host-sojour=2; __Host-sojourn2=3"}},

		{"no line", none, nil},
		{"an empty line", none, []string{""}},
		{"a longer name", none, []string{"__Host-sojournX=" + T}},
		{"a longer name at the front", none, []string{"x__Host-sojourn=" + T}},
		{"another case", none, []string{"__HOST-SOJOURN=" + T}},
		{"a space before the equals sign", none, []string{"__Host-sojourn =" + T}},
		{"percent signs are not decoded", none, []string{"%5F%5FHost-sojourn=" + T, "__Host%2Dsojourn=" + T}},
		{"the name alone", none, []string{"__Host-sojourn"}},
		{"an empty value", none, []string{"__Host-sojourn="}},
		{"a lone quote", none, []string{`__Host-sojourn="`}},
		{"half a quote", none, []string{`__Host-sojourn="` + T}},
		{"two pairs of quotes", none, []string{`__Host-sojourn=""` + T + `""`}},
		{"inside another's value", none, []string{"a=__Host-sojourn=" + T}},
		{"inside another's quotes", none, []string{`a="x; __Host-sojourn=` + T + `"`}},
		{"one character short", none, []string{"__Host-sojourn=" + T[:55]}},
		{"one character more", none, []string{"__Host-sojourn=" + T + "A"}},
		{"with padding", none, []string{"__Host-sojourn=" + T + "="}},
		{"of the other alphabet", none, []string{"__Host-sojourn=" + strings.Repeat("+", 56)}},
		{"of bytes beyond ASCII", none, []string{"__Host-sojourn=" + strings.Repeat("é", 28)}},
		{"a path", none, []string{"__Host-sojourn=../../../../../../../../../../../../../../../etc/passwd"}},
		{"NULs", none, []string{"__Host-sojourn=" + strings.Repeat("\x00", 56)}},
		{"of another site", none, []string{"__Host-sojourn=" + foreign}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := s.exchange("GET", "/get/k", cookies(c.lines...))
			if a.code != 200 || a.body != c.want {
				t.Errorf("%q: %d %q, expected %q", c.lines, a.code, a.body, c.want)
			}
			if got := a.header.Values("Set-Cookie"); got != nil {
				t.Errorf("a read was answered with %q", got)
			}
		})
	}
	if got := s.events.of(sojourn.EventDuplicate); len(got) != 0 {
		t.Errorf("duplicates reported: %+v", got)
	}
}

// A malformed token costs no store call.
func TestCookieMalformedCostsNothing(t *testing.T) {
	s := newSite(t, nil)
	for _, value := range []string{"", "x", strings.Repeat("=", 56), strings.Repeat("A", 4000)} {
		s.exchange("GET", "/get/k", cookies("__Host-sojourn="+value))
	}
	if n := s.store.calls.Load(); n != 0 {
		t.Errorf("%d store calls", n)
	}
}

// Two cookies of our name: one is planted and nobody can tell which, so the
// visitor is nobody.
func TestCookieDuplicates(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines func(mine, planted string) []string
	}{
		{"planted last", func(m, p string) []string { return []string{"__Host-sojourn=" + m + "; __Host-sojourn=" + p} }},
		{"planted first", func(m, p string) []string { return []string{"__Host-sojourn=" + p + "; __Host-sojourn=" + m} }},
		{"on two lines", func(m, p string) []string { return []string{"__Host-sojourn=" + m, "a=b; __Host-sojourn=" + p} }},
		{"twice the same", func(m, _ string) []string { return []string{"__Host-sojourn=" + m + "; __Host-sojourn=" + m} }},
		{"an empty one", func(m, _ string) []string { return []string{"__Host-sojourn=; __Host-sojourn=" + m} }},
		{"junk", func(m, _ string) []string { return []string{"__Host-sojourn=" + m + "; __Host-sojourn=junk"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, nil)
			id, mine := s.begun()
			planted, theirs := s.begun()
			lines := cookies(c.lines(mine, theirs)...)
			calls := s.store.calls.Load()
			a := s.exchange("GET", "/get/k", lines)
			if a.code != 200 || a.body != "" || a.header.Values("Set-Cookie") != nil {
				t.Errorf("read: %d %q %q", a.code, a.body, a.header.Values("Set-Cookie"))
			}
			if n := s.store.calls.Load() - calls; n != 0 {
				t.Errorf("read: %d store calls", n)
			}
			if got := s.events.of(sojourn.EventDuplicate); len(got) != 1 || got[0].ID != "" || got[0].IP == "" {
				t.Errorf("events: %+v, expected one without an ID", got)
			}

			// A login gets a session of its own; neither of the two is adopted.
			token, _, _ := strings.Cut(strings.TrimPrefix(s.exchange("GET", "/login/ada", lines).header.Get("Set-Cookie"), "__Host-sojourn="), ";")
			fresh, err := sojourn.ParseToken(token)
			if err != nil || fresh.ID() == id || fresh.ID() == planted {
				t.Errorf("login: %v %v", fresh, err)
			}
			s.exchange("GET", "/logout", lines)
			for _, id := range []sojourn.ID{id, planted, fresh.ID()} {
				if st, err := s.m.Inspect(t.Context(), id); err != nil || st.State != sojourn.StateActive {
					t.Errorf("a request with duplicates ended a session: %+v %v", st, err)
				}
			}
		})
	}
}
