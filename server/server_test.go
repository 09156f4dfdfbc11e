package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/server"
	"github.com/sojournhq/sojourn/store/memstore"
)

// A watched store counts its calls and can be made to fail.
type watched struct {
	sojourn.Store
	calls int
	down  bool
}

func (s *watched) Unwrap() sojourn.Store { return s.Store }

func (s *watched) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	s.calls++
	if s.down {
		return sojourn.Record{}, errors.New("down")
	}
	return s.Store.Load(ctx, id)
}

func (s *watched) Create(ctx context.Context, r *sojourn.Record) error {
	s.calls++
	return s.Store.Create(ctx, r)
}

func (s *watched) Ping(context.Context) error {
	if s.down {
		return errors.New("down")
	}
	return nil
}

func newServer(t *testing.T, opt server.Options) (*server.Server, *watched) {
	t.Helper()
	store := &watched{Store: memstore.New(nil)}
	m, err := sojourn.New(store, &sojourn.Options{Cookie: sojourn.Cookie{Insecure: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	opt.Store = store
	s, err := server.New(m, &opt)
	if err != nil {
		t.Fatal(err)
	}
	return s, store
}

func ask(h http.Handler, method, path, body, cookie string) *http.Response {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/html, application/json")
	r.Header.Set("X-Session-CSRF", "1")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestHealth(t *testing.T) {
	s, store := newServer(t, server.Options{})
	want := func(path string, status int) {
		t.Helper()
		resp := ask(s, "GET", path, "", "")
		if resp.StatusCode != status {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, status)
		}
		if status == 503 && resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s: 503 without Retry-After", path)
		}
	}
	want("/healthz", 200)
	want("/readyz", 200)
	store.down = true
	want("/healthz", 200) // a restart would not cure the store
	want("/readyz", 503)
	store.down = false
	want("/readyz", 200)
	s.Drain()
	want("/readyz", 503)
	want("/healthz", 200)
}

// P10: a page view of a visitor without a cookie asks the store for nothing and
// leaves nothing.
func TestP10PageViewStoresNothing(t *testing.T) {
	s, store := newServer(t, server.Options{})
	for _, path := range []string{"/", "/demo/me", "/demo/cookie", "/demo/assets/main.js", "/_session/v1/status", "/_session/v1/sojourn.js", "/healthz"} {
		resp := ask(s, "GET", path, "", "")
		if resp.StatusCode != 200 || resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d, Set-Cookie %q", path, resp.StatusCode, resp.Header.Get("Set-Cookie"))
		}
	}
	if store.calls != 0 {
		t.Errorf("%d store calls, want none", store.calls)
	}
}

// P9: with the store down nobody is logged out, and the page itself still comes.
func TestP9OutageIsNotALogout(t *testing.T) {
	s, store := newServer(t, server.Options{})
	cookie := ask(s, "POST", "/demo/login", `{"user":"ada","remember":false}`, "").Cookies()[0]
	with := cookie.Name + "=" + cookie.Value
	store.down = true
	for _, path := range []string{"/demo/me", "/_session/v1/status"} {
		resp := ask(s, "GET", path, "", with)
		if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d, Retry-After %q, Set-Cookie %q", path, resp.StatusCode, resp.Header.Get("Retry-After"), resp.Header.Get("Set-Cookie"))
		}
	}
	store.down = false
	if resp := ask(s, "GET", "/demo/me", "", with); resp.StatusCode != 200 {
		t.Errorf("after the outage: %d", resp.StatusCode)
	}
}

func TestHeaders(t *testing.T) {
	s, _ := newServer(t, server.Options{})
	for _, path := range []string{"/", "/demo/assets/page.css", "/nothing", "/_session/v1/status", "/healthz"} {
		h := ask(s, "GET", path, "", "").Header
		csp := h.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: Content-Security-Policy %q", path, csp)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
}

func TestNoDemo(t *testing.T) {
	s, _ := newServer(t, server.Options{NoDemo: true})
	for _, path := range []string{"/", "/demo/me", "/demo/assets/page.css"} {
		if resp := ask(s, "GET", path, "", ""); resp.StatusCode != 404 {
			t.Errorf("%s: %d without the demo", path, resp.StatusCode)
		}
	}
	if resp := ask(s, "POST", "/demo/login", `{"user":"ada","remember":false}`, ""); resp.StatusCode != 404 {
		t.Errorf("login without the demo: %d", resp.StatusCode)
	}
	if resp := ask(s, "GET", "/_session/v1/status", "", ""); resp.StatusCode != 200 {
		t.Errorf("status without the demo: %d", resp.StatusCode)
	}
}

func TestCrossSiteLoginIsRefused(t *testing.T) {
	s, _ := newServer(t, server.Options{})
	r := httptest.NewRequest("POST", "/demo/login", strings.NewReader(`{"user":"ada","remember":false}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != 403 || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("a login from another site: %d, %q", w.Code, w.Header().Get("Set-Cookie"))
	}
}
