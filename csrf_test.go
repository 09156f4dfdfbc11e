package sojourn_test

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
)

// csrfSite has a guarded path that tells whether its handler ran.
func csrfSite(t *testing.T, opt *sojourn.Options) *site {
	s := newSite(t, opt)
	s.handle("/form", func(ctx context.Context, _ *http.Request) (any, error) { return session(ctx).CSRFToken(ctx) })
	s.handle("/elevate", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).Elevate(ctx, 1) })
	s.handle("/renew", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).Renew(ctx) })
	s.mux.Handle("/guarded", s.m.RequireCSRF(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "did ", r.PostFormValue("what"))
	})))
	return s
}

// submit asks with a method, headers in pairs and a body.
func (c *client) submit(method, body string, headers ...string) (int, string) {
	r := httptest.NewRequest(method, "/guarded", strings.NewReader(body))
	if c.token != "" {
		r.Header.Set("Cookie", "__Host-sojourn="+c.token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	c.s.h.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

const urlencoded = "application/x-www-form-urlencoded"

// Every way a token may travel, and every way it may be wrong.
func TestCSRFTokenIsVerified(t *testing.T) {
	s := csrfSite(t, nil)
	c, other := s.client(), s.client()
	c.ok("/login/ada")
	other.ok("/login/eve")
	if code, _ := c.submit("POST", ""); code != 403 {
		t.Errorf("before a token was ever asked for: %d", code)
	}
	token, again, others := c.ok("/form").body, c.ok("/form").body, other.ok("/form").body
	if len(token) != 43 || token == again || token[:20] == again[:20] || token[22:] == again[22:] {
		t.Errorf("tokens %q and %q: expected two masks of 43 characters", token, again)
	}
	var parts bytes.Buffer
	form := multipart.NewWriter(&parts)
	form.WriteField("what", "it")
	form.WriteField("csrf_token", token)
	form.Close()
	field := "what=it&csrf_token=" + url.QueryEscape(token)
	for _, x := range []struct {
		name, method, body string
		headers            []string
		code               int
	}{
		{"header", "POST", "", []string{"X-CSRF-Token", token}, 200},
		{"header, another mask", "DELETE", "", []string{"X-CSRF-Token", again}, 200},
		{"field", "POST", field, []string{"Content-Type", urlencoded}, 200},
		{"multipart", "POST", parts.String(), []string{"Content-Type", form.FormDataContentType()}, 200},
		{"GET", "GET", "", nil, 200},
		{"HEAD", "HEAD", "", nil, 200},
		{"OPTIONS", "OPTIONS", "", nil, 200},
		{"TRACE", "TRACE", "", nil, 200},
		{"none", "POST", "what=it", []string{"Content-Type", urlencoded}, 403},
		{"none, PUT", "PUT", "", nil, 403},
		{"none, PATCH", "PATCH", "", nil, 403},
		{"none, DELETE", "DELETE", "", nil, 403},
		{"none, an invented method", "BREW", "", nil, 403},
		{"somebody else's", "POST", "", []string{"X-CSRF-Token", others}, 403},
		{"the header counts before the field", "POST", field, []string{"Content-Type", urlencoded, "X-CSRF-Token", others}, 403},
		{"cut", "POST", "", []string{"X-CSRF-Token", token[:42]}, 403},
		{"longer", "POST", "", []string{"X-CSRF-Token", token + "A"}, 403},
		{"mask only", "POST", "", []string{"X-CSRF-Token", token[:22]}, 403},
		{"zeros", "POST", "", []string{"X-CSRF-Token", strings.Repeat("A", 43)}, 403},
		{"no base64url", "POST", "", []string{"X-CSRF-Token", strings.Repeat("*", 43)}, 403},
		{"a form that is none", "POST", "%zz", []string{"Content-Type", urlencoded}, 403},
	} {
		code, body := c.submit(x.method, x.body, x.headers...)
		if code != x.code || strings.HasPrefix(body, "did") != (x.code == 200 && x.method != "HEAD") && x.method != "HEAD" {
			t.Errorf("%s: %d %q, expected %d", x.name, code, body, x.code)
		}
	}
	if code, body := c.submit("POST", field, "Content-Type", urlencoded); code != 200 || body != "did it" {
		t.Errorf("the form is not the handler's any more: %d %q", code, body)
	}
	if code, _ := s.client().submit("POST", ""); code != 200 {
		t.Errorf("without a session there is nothing to protect: %d", code)
	}
}

// A token survives rotation and dies with what it was for: login, elevation,
// logout.
func TestCSRFTokenChangesAtLogin(t *testing.T) {
	s := csrfSite(t, nil)
	c := s.client()
	planted := c.ok("/form").body // begins a session for a visitor
	if c.token == "" {
		t.Fatal("no session")
	}
	c.ok("/login/ada")
	if code, _ := c.submit("POST", "", "X-CSRF-Token", planted); code != 403 {
		t.Errorf("a token from before the login: %d", code)
	}
	mine := c.ok("/form").body
	c.ok("/renew")
	c.ok("/owner")
	s.pass(20 * time.Minute)
	c.ok("/owner")
	if code, _ := c.submit("POST", "", "X-CSRF-Token", mine); code != 200 {
		t.Errorf("a token from before a rotation: %d", code)
	}
	c.ok("/elevate")
	if code, _ := c.submit("POST", "", "X-CSRF-Token", mine); code != 403 {
		t.Errorf("a token from before an elevation: %d", code)
	}
	mine = c.ok("/form").body
	old := &client{s: s, token: c.token}
	c.ok("/logout")
	if code, _ := old.submit("POST", "", "X-CSRF-Token", mine); code != 200 { // passes: no session is left
		t.Errorf("after the logout: %d", code)
	}
	c.ok("/login/ada")
	if code, _ := c.submit("POST", "", "X-CSRF-Token", mine); code != 403 {
		t.Errorf("a token of the former session: %d", code)
	}
}

// Pages that are made in parallel all get a token that works.
func TestCSRFTokensOfParallelPages(t *testing.T) {
	s := csrfSite(t, nil)
	s.store.fault = func(op string) (before, after error) {
		if op != "create" { // a store that takes a while, so that none has seen the others' token
			time.Sleep(time.Millisecond)
		}
		return nil, nil
	}
	for range 20 {
		c := s.client()
		c.ok("/login/ada")
		var tokens [8]string
		var wg sync.WaitGroup
		for i := range tokens {
			wg.Go(func() { tokens[i] = c.get("/form").body })
		}
		wg.Wait()
		for _, token := range tokens {
			if code, _ := c.submit("POST", "", "X-CSRF-Token", token); code != 200 {
				t.Fatalf("%q: %d", token, code)
			}
		}
	}
}

// The login page itself may hold a token, for the session that the login makes.
func TestCSRFTokenInTheRequestThatLogsIn(t *testing.T) {
	s := csrfSite(t, nil)
	var before, after string
	s.handle("/both", func(ctx context.Context, _ *http.Request) (any, error) {
		var err error
		if before, err = session(ctx).CSRFToken(ctx); err != nil {
			return nil, err
		}
		if err = session(ctx).Login(ctx, "ada"); err != nil {
			return nil, err
		}
		after, err = session(ctx).CSRFToken(ctx)
		return "", err
	})
	c := s.client()
	c.ok("/both")
	if code, _ := c.submit("POST", "", "X-CSRF-Token", before); code != 403 {
		t.Errorf("drawn before the login: %d", code)
	}
	if code, _ := c.submit("POST", "", "X-CSRF-Token", after); code != 200 {
		t.Errorf("drawn after it: %d", code)
	}
}

// A client that presents its token in a header needs no other.
func TestCSRFNotForHeaders(t *testing.T) {
	s := csrfSite(t, &sojourn.Options{Header: "Authorization"})
	_, token, err := s.m.Create(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	c := s.client()
	if code, _ := c.submit("POST", "", "Authorization", "Bearer "+token.Reveal()); code != 200 {
		t.Errorf("by header: %d", code)
	}
	c.token = token.Reveal()
	if code, _ := c.submit("POST", ""); code != 403 {
		t.Errorf("by cookie: %d", code)
	}
}

// During an outage nothing is verified and nothing passes.
func TestCSRFDuringAnOutage(t *testing.T) {
	s := csrfSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	token := c.ok("/form").body
	s.store.fault = func(string) (before, after error) { return errLost, nil }
	if code, _ := c.submit("POST", "", "X-CSRF-Token", token); code != 503 {
		t.Errorf("%d, expected 503", code)
	}
}

// A page that is made while the user steps up in another tab gets a token all the
// same, or an error: the step-up forgets the one just stored.
func TestCSRFTokenWhileTheSecretIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := csrfSite(t, nil)
		c := s.client()
		c.ok("/login/ada")
		var page, elevated answer
		var wg sync.WaitGroup
		during := func() { // both leave together, the page's change first
			wg.Go(func() { page = c.send(c.token, "/form") })
			synctest.Wait()
			wg.Go(func() { elevated = c.send(c.token, "/elevate") })
			synctest.Wait()
		}
		s.stalled().before.Store(&during)
		if a := c.send(c.token, "/set/k/v"); a.code != 200 {
			t.Errorf("%+v", a)
		}
		wg.Wait()
		if elevated.code != 200 || page.code != 200 || len(page.body) != 43 {
			t.Errorf("page: %+v, elevated: %+v", page, elevated)
		}
		c.token = elevated.cookie
		if code, _ := c.submit("POST", "", "X-CSRF-Token", page.body); code != 200 {
			t.Errorf("the page's token: %d", code)
		}
	})
}
