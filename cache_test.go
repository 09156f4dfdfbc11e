package sojourn_test

import (
	"io"
	"net/http"
	"slices"
	"testing"

	"github.com/sojournhq/sojourn"
)

// What a shared cache may keep of an answer that met a session.
func TestCacheHeaders(t *testing.T) {
	key := sojourn.Key[string]("k")
	read := func(r *http.Request) { key.Get(r.Context()) }
	write := func(r *http.Request) { key.Set(r.Context(), "w") }
	nothing := func(*http.Request) {}
	for _, c := range []struct {
		name    string
		cookie  bool
		own     http.Header // set by the handler before it uses the session
		use     func(*http.Request)
		vary    []string
		caching []string
		sets    bool
	}{
		{"untouched", true, nil, nothing, nil, nil, false},
		{"untouched, with headers of its own", true, http.Header{"Vary": {"Accept"}, "Cache-Control": {"public"}}, nothing, []string{"Accept"}, []string{"public"}, false},
		{"read by nobody", false, nil, read, []string{"Cookie"}, nil, false},
		{"read", true, nil, read, []string{"Cookie"}, nil, false},
		{"read, the handler's Cache-Control stays", true, http.Header{"Cache-Control": {"public, max-age=60"}}, read, []string{"Cookie"}, []string{"public, max-age=60"}, false},
		{"written, no new cookie", true, http.Header{"Cache-Control": {"private"}}, write, []string{"Cookie"}, []string{"private"}, false},
		{"a cookie is never cached", false, http.Header{"Cache-Control": {"public, max-age=60", "immutable"}}, write, []string{"Cookie"}, []string{"no-store"}, true},
		{"a cookie without headers of its own", false, nil, write, []string{"Cookie"}, []string{"no-store"}, true},
		{"the handler's Vary stays", true, http.Header{"Vary": {"Accept-Encoding, Accept"}}, read, []string{"Accept-Encoding, Accept", "Cookie"}, nil, false},
		{"Vary of two lines", true, http.Header{"Vary": {"Accept", "Origin"}}, read, []string{"Accept", "Origin", "Cookie"}, nil, false},
		{"not named twice", true, http.Header{"Vary": {"Accept , cookie"}}, read, []string{"Accept , cookie"}, nil, false},
		{"a longer name is another", true, http.Header{"Vary": {"Cookie2"}}, read, []string{"Cookie2", "Cookie"}, nil, false},
		{"everything already", true, http.Header{"Vary": {"*"}}, read, []string{"*"}, nil, false},
		{"a logout is never cached", true, http.Header{"Cache-Control": {"public"}}, func(r *http.Request) { session(r.Context()).Logout(r.Context()) },
			[]string{"Cookie"}, []string{"no-store"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, nil)
			var shapes []shape
			if c.cookie {
				_, token := s.begun()
				shapes = append(shapes, cookies("__Host-sojourn="+token))
			}
			s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
				for name, values := range c.own {
					w.Header()[name] = slices.Clone(values)
				}
				c.use(r)
				io.WriteString(w, "page")
			})
			a := s.exchange("GET", "/page", shapes...)
			if got := a.header.Values("Vary"); !slices.Equal(got, c.vary) {
				t.Errorf("Vary: %q, expected %q", got, c.vary)
			}
			if got := a.header.Values("Cache-Control"); !slices.Equal(got, c.caching) {
				t.Errorf("Cache-Control: %q, expected %q", got, c.caching)
			}
			if got := a.header.Values("Set-Cookie"); (len(got) == 1) != c.sets || len(got) > 1 {
				t.Errorf("Set-Cookie: %q, expected one: %v", got, c.sets)
			}
		})
	}
}

// Answers share header values for speed; what is appended to one must not show
// in the next.
func TestCacheHeadersAreNotShared(t *testing.T) {
	s := newSite(t, nil)
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.h.ServeHTTP(w, r)
		w.Header().Add("Vary", "X-Leak")
		w.Header().Add("Cache-Control", "x-leak")
	})
	for range 3 {
		exchange(outer, "GET", "/set/k/v")
		a := s.exchange("GET", "/set/k/v")
		if vary, caching := a.header.Values("Vary"), a.header.Values("Cache-Control"); len(vary) != 1 || len(caching) != 1 {
			t.Fatalf("Vary %q, Cache-Control %q", vary, caching)
		}
	}
}

// A handler's own cookies stay beside ours.
func TestCookieOfTheHandlerStays(t *testing.T) {
	s := newSite(t, nil)
	s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
		sojourn.Key[string]("k").Set(r.Context(), "v")
	})
	if got := s.exchange("GET", "/page").header.Values("Set-Cookie"); len(got) != 2 || got[0] != "theme=dark" {
		t.Errorf("Set-Cookie: %q", got)
	}
}

// Where a header may carry the token too, an answer to a client without it
// still depends on its absence.
func TestVaryNamesBothCarriers(t *testing.T) {
	s := newSite(t, &sojourn.Options{Header: "X-Session"})
	got := s.exchange("GET", "/get/k").header.Values("Vary")
	if !slices.Contains(got, "Cookie") || !slices.Contains(got, "X-Session") {
		t.Errorf("Vary: %q, expected Cookie and X-Session: a cache would give nobody's page to a client with X-Session", got)
	}
}
