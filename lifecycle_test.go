package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

func TestBegin(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/begin", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).Begin(ctx) })
	c := s.client()
	if a := c.ok("/begin"); a.cookie == "" {
		t.Fatalf("no cookie: %+v", a)
	}
	first := c.token
	if a := c.ok("/begin"); a.cookie != "" {
		t.Errorf("begun twice: %+v", a)
	}
	c.want("/status", 200, "active")
	c.ok("/logout")
	if a := c.send(first, "/begin"); a.code != 400 || a.cookie != "" {
		t.Errorf("begun with an ended token: %+v", a)
	}
}

func TestDo(t *testing.T) {
	s := newSite(t, nil)
	ctx := t.Context()
	_, token, err := s.m.Create(ctx, "ada")
	if err != nil {
		t.Fatal(err)
	}
	n := sojourn.Counter("n")
	add := func(ctx context.Context) error { _, err := n.Add(ctx, 1); return err }
	if err := s.m.Do(ctx, token.ID(), add); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("no")
	if err := s.m.Do(ctx, token.ID(), func(ctx context.Context) error { return errors.Join(add(ctx), failed) }); !errors.Is(err, failed) {
		t.Errorf("%v, expected the function's own error", err)
	}
	if err := s.m.Do(ctx, token.ID(), func(ctx context.Context) error {
		if v, err := n.Get(ctx); v != 1 {
			t.Errorf("%d, %v; expected 1, as a failed job stores nothing", v, err)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if err := s.m.Revoke(ctx, token.ID(), sojourn.ReasonRevoked); err != nil {
		t.Fatal(err)
	}
	if err := s.m.Do(ctx, token.ID(), add); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("%v, expected ErrNotFound", err)
	}
}

func TestErrorAnswers(t *testing.T) {
	s := newSite(t, nil)
	for err, want := range map[error]int{
		sojourn.ErrUnavailable: 503, sojourn.ErrNotFound: 401, sojourn.ErrStaleToken: 401, sojourn.ErrTooLarge: 413, sojourn.ErrCrossSite: 403,
		sojourn.ErrAbsoluteLimit: 403, sojourn.ErrInvalid: 400, sojourn.ErrType: 500, errors.New("x"): 500,
	} {
		w := httptest.NewRecorder()
		s.m.Error(w, httptest.NewRequest("GET", "/", nil), err)
		if w.Code != want || (w.Header().Get("Retry-After") != "") != (want == 503) {
			t.Errorf("%v: %d %v, expected %d", err, w.Code, w.Header(), want)
		}
	}
}

// Whoever logs in last in one request has the session; the one before the
// request ends, whosever it was.
func TestLoginOfTwoUsersInOneRequest(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/both", func(ctx context.Context, _ *http.Request) (any, error) {
		return "", errors.Join(session(ctx).Login(ctx, "ada"), session(ctx).Login(ctx, "bob"))
	})
	for _, first := range []string{"/set/k/v", "/login/ada", "/login/bob", "/login/cleo"} {
		c := s.client()
		c.ok(first)
		c.ok("/set/k/v")
		before := c.token
		c.ok("/both")
		c.want("/owner", 200, "bob")
		c.want("/get/k", 200, "")
		if a := c.send(before, "/get/k"); a.body != "" {
			t.Errorf("%s: the session before still holds %q", first, a.body)
		}
	}
}

// A login that cannot be stored leaves the session as it was, and the handler
// may say so in its own words.
func TestLoginThatFails(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	s.handle("/join", func(ctx context.Context, _ *http.Request) (any, error) {
		runs := 0
		if _, err := keyK.Update(ctx, func(v string) (string, error) {
			if runs++; runs > 1 {
				return "", errors.New("no longer")
			}
			return v + "!", nil
		}); err != nil {
			return nil, err
		}
		c.send(c.token, "/set/other/x")
		if err := session(ctx).Login(ctx, "ada"); err != nil {
			return nil, err
		}
		if err := session(ctx).Save(ctx); err == nil {
			t.Error("saved, though Update failed on the newer data")
		}
		owner, err := session(ctx).Owner(ctx)
		return "sorry" + owner, err
	})
	c.ok("/set/k/v")
	if a := c.want("/join", 200, "sorry"); a.cookie != "" {
		t.Errorf("cookie %q", a.cookie)
	}
	c.want("/get/k", 200, "v")
	c.want("/owner", 200, "")
}

// A user's name has the same bounds wherever his session begins.
func TestCreateOfAnImpossibleOwner(t *testing.T) {
	s := newSite(t, nil)
	for _, owner := range []string{strings.Repeat("x", 256), "a\x00b", "\xff"} {
		if _, _, err := s.m.Create(t.Context(), owner); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("owner %q: %v, expected ErrInvalid", owner, err)
		}
	}
	if _, _, err := s.m.Create(t.Context(), strings.Repeat("x", 255)); err != nil {
		t.Error(err)
	}
}
