package sojourn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

// downSite has a visitor logged in and a store that has just failed.
func downSite(t *testing.T) (*site, *client) {
	s := newSite(t, &sojourn.Options{AnonymousOnOutage: true})
	c := s.client()
	c.ok("/login/ada")
	c.ok("/set/k/v")
	s.store.fault = func(string) (before, after error) { return errLost, nil }
	return s, c
}

func TestP9AnonymousReads(t *testing.T) {
	s, c := downSite(t)
	s.handle("/exists", func(ctx context.Context, _ *http.Request) (any, error) { return session(ctx).Exists(ctx) })
	token := c.token
	for path, body := range map[string]string{"/get/k": "", "/owner": "", "/count": "0", "/exists": "false", "/plain": "plain"} {
		a := c.want(path, 200, body)
		if a.cookie != "" {
			t.Errorf("%s: the cookie changed to %q", path, a.cookie)
		}
		if path != "/plain" && (a.header.Get("Cache-Control") != "no-store" || a.header.Get("Vary") == "") {
			t.Errorf("%s: %v, expected no cache to keep what is not so", path, a.header)
		}
	}
	if len(s.events.of(sojourn.EventUnavailable)) == 0 {
		t.Error("nobody was told")
	}
	s.store.fault = nil
	c.want("/get/k", 200, "v")
	if c.want("/owner", 200, "ada"); c.token != token {
		t.Error("the outage changed the token")
	}
}

// Whatever would store something is answered 503, also if the handler ignores
// the error, and nothing of it reaches the client.
func TestP9AnonymousWritesFail(t *testing.T) {
	s, c := downSite(t)
	k := sojourn.Key[string]("k")
	for name, write := range map[string]func(ctx context.Context, s *sojourn.Session) error{
		"set":    func(ctx context.Context, _ *sojourn.Session) error { return k.Set(ctx, "w") },
		"delete": func(ctx context.Context, _ *sojourn.Session) error { return k.Delete(ctx) },
		"take":   func(ctx context.Context, _ *sojourn.Session) error { _, _, err := k.Take(ctx); return err },
		"add": func(ctx context.Context, _ *sojourn.Session) error {
			_, err := sojourn.Counter("n").Add(ctx, 1)
			return err
		},
		"begin":    func(ctx context.Context, s *sojourn.Session) error { return s.Begin(ctx) },
		"login":    func(ctx context.Context, s *sojourn.Session) error { return s.Login(ctx, "bob") },
		"logout":   func(ctx context.Context, s *sojourn.Session) error { return s.Logout(ctx) },
		"renew":    func(ctx context.Context, s *sojourn.Session) error { return s.Renew(ctx) },
		"renewnow": func(ctx context.Context, s *sojourn.Session) error { return s.RenewNow(ctx) },
		"extend":   func(ctx context.Context, s *sojourn.Session) error { return s.Extend(ctx) },
		"remember": func(ctx context.Context, s *sojourn.Session) error { return s.Remember(ctx, true) },
		"label":    func(ctx context.Context, s *sojourn.Session) error { return s.SetLabel(ctx, "phone") },
		"device":   func(ctx context.Context, s *sojourn.Session) error { return s.RevokeDevice(ctx, "an-id") },
		"patch": func(ctx context.Context, s *sojourn.Session) error {
			_, err := s.Patch(ctx, map[string]json.RawMessage{"k": json.RawMessage("1")}, nil)
			return err
		},
		"others": func(ctx context.Context, sess *sojourn.Session) error { return s.m.RevokeOthers(ctx, sess) },
	} {
		s.mux.HandleFunc("/try/"+name, func(w http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			if v, err := k.Get(ctx); v != "" || err != nil {
				t.Errorf("before %s: %q, %v", name, v, err)
			}
			err := write(ctx, session(ctx))
			if !errors.Is(err, sojourn.ErrUnavailable) || errors.Is(err, sojourn.ErrNotFound) {
				t.Errorf("%s: %v, expected ErrUnavailable", name, err)
			}
			fmt.Fprint(w, "as if nothing had happened")
		})
		a := c.get("/try/" + name)
		if a.code != 503 || a.header.Get("Retry-After") == "" || a.cookie != "" || a.body != "Service Unavailable" {
			t.Errorf("%s: %+v, expected 503 and no cookie", name, a)
		}
	}
	s.store.fault = nil
	c.want("/get/k", 200, "v")
}

// Those who ask what became of the session learn that nobody knows.
func TestP9AnonymousIsNoVerdict(t *testing.T) {
	s, c := downSite(t)
	for name, ask := range map[string]func(ctx context.Context, s *sojourn.Session) error{
		"status":  func(ctx context.Context, s *sojourn.Session) error { _, err := s.Status(ctx); return err },
		"members": func(ctx context.Context, s *sojourn.Session) error { _, _, err := s.Members(ctx); return err },
		"devices": func(ctx context.Context, s *sojourn.Session) error { _, err := s.Devices(ctx); return err },
		"token":   func(ctx context.Context, s *sojourn.Session) error { _, err := s.Token(ctx); return err },
	} {
		s.mux.HandleFunc("/ask/"+name, func(w http.ResponseWriter, r *http.Request) {
			if err := ask(r.Context(), session(r.Context())); !errors.Is(err, sojourn.ErrUnavailable) {
				t.Errorf("%s: %v, expected ErrUnavailable", name, err)
			}
			fmt.Fprint(w, "asked")
		})
		c.want("/ask/"+name, 200, "asked") // a page may ask and go on
	}
	id := sojourn.ID(c.token[:30])
	if _, err := s.m.Open(t.Context(), id); !errors.Is(err, sojourn.ErrUnavailable) {
		t.Errorf("Open: %v", err)
	}
	if _, err := s.m.Authenticate(t.Context(), c.token); !errors.Is(err, sojourn.ErrUnavailable) {
		t.Errorf("Authenticate: %v", err)
	}
}

// A request whose method changes something fails closed, even before it tries.
func TestP9AnonymousOnlyForSafeMethods(t *testing.T) {
	s, c := downSite(t)
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "GET", "HEAD", "OPTIONS"} {
		r := httptest.NewRequest(method, "/get/k", strings.NewReader("x"))
		r.Header.Set("Cookie", "__Host-sojourn="+c.token)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		w := httptest.NewRecorder()
		s.h.ServeHTTP(w, r)
		want := 503
		if method == "GET" || method == "HEAD" || method == "OPTIONS" {
			want = 200
		}
		if w.Code != want || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v, expected %d", method, w.Code, w.Header(), want)
		}
	}
}
