package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// steady never rotates, so that only the clocks are seen.
func steady(p sojourn.Policy) *sojourn.Options {
	p.Rotate = -1
	return &sojourn.Options{Policy: p}
}

func TestP7TwoClocks(t *testing.T) {
	t.Run("idle to the millisecond", func(t *testing.T) {
		s := newSite(t, steady(sojourn.Policy{Idle: 10 * time.Minute}))
		c := s.client()
		c.ok("/set/k/v")
		s.pass(10*time.Minute - time.Millisecond)
		c.want("/status", 200, "active")
		s.pass(time.Millisecond)
		c.want("/status", 200, "ended expired")
		c.want("/get/k", 200, "")
	})
	t.Run("absolute to the millisecond, whatever the use", func(t *testing.T) {
		s := newSite(t, steady(sojourn.Policy{Idle: 10 * time.Minute, Absolute: time.Hour}))
		c := s.client()
		c.ok("/set/k/v")
		for range 11 {
			s.pass(5 * time.Minute)
			c.want("/get/k", 200, "v")
			c.ok("/set/j/w")
			s.m.Close()
		}
		s.pass(5*time.Minute - time.Millisecond)
		c.want("/status", 200, "active")
		s.pass(time.Millisecond)
		c.want("/status", 200, "ended expired")
	})
	t.Run("login starts both anew", func(t *testing.T) {
		s := newSite(t, steady(sojourn.Policy{Idle: 10 * time.Minute, Absolute: 20 * time.Minute}))
		c := s.client()
		c.ok("/set/k/v")
		s.pass(9 * time.Minute)
		c.ok("/set/k/v")
		s.pass(9 * time.Minute)
		c.ok("/login/ada")
		s.pass(9 * time.Minute)
		c.want("/get/k", 200, "v")
	})
	t.Run("the cookie's lifetime is a third, and controls nothing", func(t *testing.T) {
		s := newSite(t, &sojourn.Options{Policy: sojourn.Policy{CookieLifetime: 24 * time.Hour}})
		c := s.client()
		a := c.ok("/set/k/v")
		if got := a.header.Get("Set-Cookie"); !strings.Contains(got, "; Max-Age=86400;") {
			t.Errorf("cookie: %s", got)
		}
		s.pass(31 * time.Minute)
		c.want("/get/k", 200, "")
	})
	t.Run("an expired token may begin anew, under another ID", func(t *testing.T) {
		s := newSite(t, nil)
		c := s.client()
		c.ok("/set/k/v")
		old := c.token
		s.pass(time.Hour)
		if a := c.ok("/set/k/w"); a.cookie == "" || a.cookie[:28] == old[:28] {
			t.Errorf("new session: %+v", a)
		}
	})
}

func TestP7PolicyPerSession(t *testing.T) {
	s := newSite(t, steady(sojourn.Policy{Idle: 10 * time.Minute, Absolute: time.Hour}))
	s.handle("/remember/{on}", func(ctx context.Context, r *http.Request) (any, error) {
		return "", session(ctx).Remember(ctx, r.PathValue("on") == "yes")
	})
	s.handle("/short", func(ctx context.Context, _ *http.Request) (any, error) {
		return "", session(ctx).SetPolicy(ctx, sojourn.Policy{Idle: time.Minute})
	})
	s.handle("/loginremember", func(ctx context.Context, _ *http.Request) (any, error) {
		if err := session(ctx).Login(ctx, "ada"); err != nil {
			return nil, err
		}
		return "", session(ctx).Remember(ctx, true)
	})
	c := s.client()
	if a := c.ok("/loginremember"); !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=2592000") {
		t.Errorf("cookie: %s", a.header.Get("Set-Cookie"))
	}
	s.pass(13 * 24 * time.Hour)
	c.want("/owner", 200, "ada")
	s.pass(13 * 24 * time.Hour)
	c.want("/owner", 200, "ada")
	s.pass(5 * 24 * time.Hour) // 31 days
	c.want("/owner", 200, "")

	c = s.client()
	c.ok("/login/bob")
	if a := c.ok("/remember/yes"); !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=2592000") {
		t.Errorf("remember an open session: %v", a.header)
	}
	if a := c.ok("/remember/no"); strings.Contains(a.header.Get("Set-Cookie"), "Max-Age") || a.cookie == "" {
		t.Errorf("forget again: %v", a.header)
	}
	s.pass(11 * time.Minute)
	c.want("/owner", 200, "")

	c = s.client()
	c.ok("/login/cleo")
	c.ok("/short")
	s.pass(61 * time.Second)
	c.want("/status", 200, "ended expired")
}

func TestP8IdleMeansIdle(t *testing.T) {
	s := newSite(t, steady(sojourn.Policy{Idle: 10 * time.Minute}))
	c := s.client()
	c.ok("/login/ada")
	for range 9 {
		s.pass(time.Minute)
		c.want("/status", 200, "active") // a poll
		c.ok("/plain")                   // does not use its session
		if _, err := s.m.List(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		job, err := s.m.Authenticate(t.Context(), c.token) // a socket, a job
		if err != nil {
			t.Fatal(err)
		}
		if err := sojourn.Key[int]("seen").Set(sojourn.NewContext(t.Context(), job), 1); err != nil {
			t.Fatal(err)
		}
		if err := job.Save(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.m.Close()
	}
	s.pass(time.Minute)
	c.want("/status", 200, "ended expired")
}

func TestP8RealUseExtends(t *testing.T) {
	s := newSite(t, steady(sojourn.Policy{Idle: 10 * time.Minute}))
	c := s.client()
	c.ok("/set/k/v")
	before := s.store.calls.Load()
	s.pass(59 * time.Second) // within the touch step, a tenth
	c.want("/get/k", 200, "v")
	s.m.Close()
	if n := s.store.calls.Load() - before; n != 1 {
		t.Errorf("%d store calls for a read within the touch step, expected 1", n)
	}
	for range 10 {
		s.pass(9 * time.Minute)
		c.want("/get/k", 200, "v")
		s.m.Close()
	}
	// A job that loaded before a touch does not move the deadline back.
	job, err := s.m.Authenticate(t.Context(), c.token)
	if err != nil {
		t.Fatal(err)
	}
	s.pass(9 * time.Minute)
	c.want("/get/k", 200, "v")
	s.m.Close()
	if err := sojourn.Key[string]("k").Set(sojourn.NewContext(t.Context(), job), "job"); err != nil {
		t.Fatal(err)
	}
	if err := job.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.pass(9 * time.Minute)
	c.want("/get/k", 200, "job")
}

func TestP8TouchEveryRequest(t *testing.T) {
	opt := steady(sojourn.Policy{Idle: 10 * time.Minute})
	opt.TouchEveryRequest = true
	s := newSite(t, opt)
	c := s.client()
	c.ok("/set/k/v")
	for range 3 {
		s.pass(9 * time.Minute)
		c.ok("/plain")
		s.m.Close()
	}
	c.want("/get/k", 200, "v")
}

func TestExtend(t *testing.T) {
	s := newSite(t, steady(sojourn.Policy{Idle: 10 * time.Minute, Absolute: 15 * time.Minute}))
	s.handle("/extend", func(ctx context.Context, _ *http.Request) (any, error) {
		return "", session(ctx).Extend(ctx)
	})
	var last sojourn.Status
	s.handle("/full", func(ctx context.Context, _ *http.Request) (any, error) {
		session(ctx).Passive()
		var err error
		last, err = session(ctx).Status(ctx)
		return "", err
	})
	c := s.client()
	if a := c.get("/extend"); a.code != 400 {
		t.Errorf("extend without a session: %+v", a)
	}
	c.ok("/login/ada")
	s.pass(4 * time.Minute)
	c.ok("/extend")
	c.ok("/full")
	if last.IdleRemaining != 10*time.Minute || last.AbsoluteRemaining != 11*time.Minute || !last.Extendable() {
		t.Errorf("after extend: %+v", last)
	}
	s.pass(3 * time.Minute)
	c.ok("/extend")
	c.ok("/full")
	if last.IdleRemaining != 8*time.Minute || last.AbsoluteRemaining != 8*time.Minute || last.Extendable() {
		t.Errorf("capped by the absolute deadline: %+v", last)
	}
	if a := c.get("/extend"); a.code != 400 || !strings.Contains(a.body, "absolute") {
		t.Errorf("extend beyond the absolute deadline: %+v", a)
	}
	if got := s.events.of(sojourn.EventExtended); len(got) != 2 {
		t.Errorf("%d extended events, expected 2", len(got))
	}
	if _, err := s.m.Open(t.Context(), "unknown"); !errors.Is(err, sojourn.ErrNotFound) {
		t.Error(err)
	}
}

// What is asked in the request that changes a session describes what it will be.
func TestStatusOfWhatIsPending(t *testing.T) {
	s := newSite(t, nil)
	ask := func(ctx context.Context) sojourn.Status {
		st, err := session(ctx).Status(ctx)
		if err != nil {
			t.Error(err)
		}
		return st
	}
	s.handle("/again", func(ctx context.Context, _ *http.Request) (any, error) {
		if st := ask(ctx); st.State != sojourn.StateEnded || st.Reason != sojourn.ReasonExpired || st.EndedAt.IsZero() {
			t.Errorf("expired: %+v", st)
		}
		err := keyK.Set(ctx, "v")
		if st := ask(ctx); st.State != sojourn.StateActive || st.Reason != "" || !st.EndedAt.IsZero() {
			t.Errorf("begun anew: %+v", st)
		}
		return "", err
	})
	s.handle("/short", func(ctx context.Context, _ *http.Request) (any, error) {
		err := session(ctx).SetPolicy(ctx, sojourn.Policy{Idle: time.Minute, Absolute: time.Minute})
		if st := ask(ctx); st.AbsoluteRemaining != time.Minute || st.IdleRemaining > time.Minute || st.Extendable() {
			t.Errorf("shortened: %+v", st)
		}
		return "", err
	})
	c := s.client()
	c.ok("/set/k/v")
	s.pass(time.Hour)
	c.ok("/again")
	c.ok("/short")
}
