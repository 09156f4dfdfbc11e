package sojourn_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

// Clients without cookies carry the token in a header.
func TestCarrierHeader(t *testing.T) {
	for _, c := range []struct {
		option, name string
		value        func(token string) string
	}{
		{"Authorization", "Authorization", func(t string) string { return "Bearer " + t }},
		{"authorization", "Authorization", func(t string) string { return "bEaReR   " + t + " " }},
		{"X-Session", "X-Session", func(t string) string { return t }},
		{"x-session", "X-Session", func(t string) string { return " " + t + "\t" }},
	} {
		t.Run(c.option+" "+c.value("T"), func(t *testing.T) {
			s := newSite(t, &sojourn.Options{Header: c.option})
			_, token := s.begun()
			a := s.exchange("GET", "/get/k", header(c.name, c.value(token)))
			if a.code != 200 || a.body != "v" {
				t.Errorf("read: %d %q", a.code, a.body)
			}
			if got := a.header.Get("Vary"); got != c.name {
				t.Errorf("Vary: %q, expected %q", got, c.name)
			}
			for _, name := range []string{"Set-Cookie", "Sojourn-Token", "Cache-Control"} {
				if got := a.header.Values(name); got != nil {
					t.Errorf("a read sent %s: %q", name, got)
				}
			}

			// Login moves to a new token, sent by header and never as a cookie.
			a = s.exchange("GET", "/login/ada", header(c.name, c.value(token)))
			fresh := a.header.Get("Sojourn-Token")
			if _, err := sojourn.ParseToken(fresh); err != nil || fresh == token {
				t.Fatalf("login: Sojourn-Token %q: %v", fresh, err)
			}
			if got := a.header.Values("Set-Cookie"); got != nil {
				t.Errorf("login sent a cookie: %q", got)
			}
			if got := a.header.Get("Cache-Control"); got != "no-store" {
				t.Errorf("login: Cache-Control %q", got)
			}
			if a = s.exchange("GET", "/owner", header(c.name, c.value(fresh))); a.body != "ada" {
				t.Errorf("owner: %q", a.body)
			}

			// Logout tells the client to forget it: the header is there and empty.
			a = s.exchange("GET", "/logout", header(c.name, c.value(fresh)))
			if got := a.header.Values("Sojourn-Token"); len(got) != 1 || got[0] != "" {
				t.Errorf("logout: Sojourn-Token %q, expected one that is empty", got)
			}
			if got := a.header.Values("Set-Cookie"); got != nil {
				t.Errorf("logout sent a cookie: %q", got)
			}
			if a = s.exchange("GET", "/get/k", header(c.name, c.value(fresh))); a.body != "" {
				t.Errorf("after logout: %q", a.body)
			}
		})
	}
}

func TestCarrierMalformedHeader(t *testing.T) {
	s := newSite(t, &sojourn.Options{Header: "Authorization"})
	_, token := s.begun()
	for _, value := range []string{
		"", " ", "Bearer", "Bearer ", token, "Basic " + token, "Basic YTpi", "Bearer" + token,
		"Bearer, " + token, "Bearer " + token[:55], "Bearer " + token + "A", "Bearer \"" + token + "\"",
		"Bearer " + token + " " + token, "Bearer token=" + token, "Bearer " + strings.Repeat("A", 1<<16), "Token " + token,
	} {
		calls := s.store.calls.Load()
		a := s.exchange("GET", "/get/k", header("Authorization", value))
		if a.code != 200 || a.body != "" {
			t.Errorf("%.80q: %d %q, expected nobody", value, a.code, a.body)
		}
		if n := s.store.calls.Load() - calls; n != 0 {
			t.Errorf("%.80q: %d store calls", value, n)
		}
	}
}

// A request that has the header is answered by header only; its cookie, which a
// browser may add unasked, counts for nothing.
func TestCarrierHeaderBeforeCookie(t *testing.T) {
	s := newSite(t, &sojourn.Options{Header: "X-Session"})
	_, byCookie := s.begun()
	_, byHeader := s.begun()
	s.exchange("GET", "/set/k/header", header("X-Session", byHeader))

	for _, c := range []struct{ name, header, want string }{
		{"both", byHeader, "header"},
		{"an empty header", "", ""},
		{"a malformed header", "junk", ""},
	} {
		if a := s.exchange("GET", "/get/k", cookies("__Host-sojourn="+byCookie), header("X-Session", c.header)); a.body != c.want {
			t.Errorf("%s: %q, expected %q", c.name, a.body, c.want)
		}
	}
	if a := s.exchange("GET", "/get/k", cookies("__Host-sojourn="+byCookie)); a.body != "v" {
		t.Errorf("cookie alone: %q", a.body)
	}
	a := s.exchange("GET", "/set/k/v", header("X-Session", "junk"), cookies("__Host-sojourn="+byCookie))
	if a.header.Get("Sojourn-Token") == "" || a.header.Get("Set-Cookie") != "" {
		t.Errorf("a new session came by %v", a.header)
	}
}

// Without the option no header is read.
func TestCarrierHeaderIsOff(t *testing.T) {
	s := newSite(t, nil)
	_, token := s.begun()
	for _, name := range []string{"Authorization", "Sojourn-Token", "X-Session"} {
		if a := s.exchange("GET", "/get/k", header(name, "Bearer "+token), header("X-Sojourn", token)); a.body != "" {
			t.Errorf("%s was read", name)
		}
	}
}

// The text of a token never reaches a URL parameter or form on its own, so no
// other part of a request is asked.
func TestCarrierReadsNothingElse(t *testing.T) {
	s := newSite(t, &sojourn.Options{Header: "X-Session"})
	_, token := s.begun()
	for _, target := range []string{"/get/k?__Host-sojourn=" + token, "/get/k;__Host-sojourn=" + token, "/get/k?X-Session=" + token} {
		if a := s.exchange("GET", target, func(r *http.Request) { r.Form = nil }); a.body != "" {
			t.Errorf("%s was read", target[:20])
		}
	}
}
