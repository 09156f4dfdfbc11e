package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

func TestP1LogoutIsFinal(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	old := c.token
	c.ok("/set/k/v")
	if a := c.ok("/logout"); a.cookie != "-" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("logout did not delete the cookie: %v", a.header)
	}
	if a := c.send(old, "/owner"); a.body != "" {
		t.Errorf("the old token is still %q", a.body)
	}
	if a := c.send(old, "/status"); a.body != "ended logout" || a.cookie != "" {
		t.Errorf("status after logout: %+v", a)
	}
	for _, path := range []string{"/set/k/again", "/add"} {
		if a := c.send(old, path); a.code != 400 || a.cookie != "" || !strings.Contains(a.body, "ended") {
			t.Errorf("%s with an ended token: %+v, expected an error and no cookie", path, a)
		}
	}
	// With a login the visitor goes on, under a new ID.
	if a := c.send(old, "/login/ada"); a.code != 200 || a.cookie == "" || a.cookie[:30] == old[:30] {
		t.Errorf("login with an ended token: %+v", a)
	}
}

// A request that was under way when its session ended stores nothing, says so,
// and leaves the cookie alone.
func TestP1LogoutIsFinalForSlowRequests(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	var tokenAtStart = c.token
	s.mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		if err := sojourn.Key[string]("k").Set(r.Context(), "late"); err != nil {
			t.Error(err)
		}
		if a := c.send(tokenAtStart, "/logout"); a.code != 200 {
			t.Error(a)
		}
		w.Write([]byte("done"))
	})
	if a := c.send(tokenAtStart, "/slow"); a.code != 401 || a.cookie != "" || a.body != "Unauthorized" {
		t.Errorf("slow request over a logout: %+v, expected 401 and no cookie", a)
	}
	if a := c.send(tokenAtStart, "/status"); a.body != "ended logout" {
		t.Errorf("the slow request brought it back: %+v", a)
	}
}

func TestP1LogoutIsFinalForJobsTouchesAndExtends(t *testing.T) {
	s := newSite(t, nil)
	ctx := t.Context()
	job, token, err := s.m.Create(ctx, "ada")
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.m.Open(ctx, token.ID())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.m.Revoke(ctx, token.ID(), sojourn.ReasonRevoked); err != nil {
		t.Fatal(err)
	}
	if err := other.Extend(ctx); err != nil { // a touch of what is gone does nothing
		t.Errorf("extend: %v", err)
	}
	if err := sojourn.Key[int]("k").Set(sojourn.NewContext(ctx, job), 1); err != nil {
		t.Fatal(err)
	}
	if err := job.Save(ctx); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("save after revoke: %v, expected ErrNotFound", err)
	}
	for _, open := range []func() (*sojourn.Session, error){
		func() (*sojourn.Session, error) { return s.m.Open(ctx, token.ID()) },
		func() (*sojourn.Session, error) { return s.m.Authenticate(ctx, token.Reveal()) },
	} {
		if _, err := open(); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("after revoke: %v, expected ErrNotFound", err)
		}
	}
	if st, err := s.m.Inspect(ctx, token.ID()); err != nil || st.State != sojourn.StateEnded || st.Reason != sojourn.ReasonRevoked {
		t.Errorf("inspect: %+v, %v", st, err)
	}
	if err := s.m.Revoke(ctx, token.ID(), sojourn.ReasonLogout); err != nil {
		t.Errorf("second revoke: %v", err)
	}
	if err := s.m.Revoke(ctx, token.ID(), "no\nlines"); err != nil {
		t.Errorf("revoking what is gone: %v", err)
	}
	if got := s.events.of(sojourn.EventEnded); len(got) != 1 || got[0].Reason != sojourn.ReasonRevoked {
		t.Errorf("events: %+v, expected one end", got)
	}
}

// A change that is refused after a logout does not take it back: the client
// still forgets its token.
func TestLogoutThenRefusedChange(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/leave", func(ctx context.Context, _ *http.Request) (any, error) {
		if err := session(ctx).Logout(ctx); err != nil {
			return nil, err
		}
		if err := sojourn.Key[string]("").Set(ctx, "x"); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%v, expected ErrInvalid", err)
		}
		return "", nil
	})
	c := s.client()
	c.ok("/login/ada")
	if a := c.ok("/leave"); a.cookie != "-" {
		t.Errorf("cookie %q, expected its deletion", a.cookie)
	}
}

// After an explicit logout the same request may begin anew.
func TestLogoutThenNewSession(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/swap", func(ctx context.Context, _ *http.Request) (any, error) {
		if err := session(ctx).Logout(ctx); err != nil {
			return nil, err
		}
		return "", sojourn.Key[string]("k").Set(ctx, "fresh")
	})
	c := s.client()
	c.ok("/login/ada")
	c.ok("/set/k/old")
	old := c.token
	if a := c.ok("/swap"); a.cookie == "" || a.cookie == "-" {
		t.Fatalf("no new cookie: %+v", a)
	}
	c.want("/get/k", 200, "fresh")
	c.want("/owner", 200, "")
	if a := c.send(old, "/get/k"); a.body != "" {
		t.Errorf("old session reads %q", a.body)
	}
}
