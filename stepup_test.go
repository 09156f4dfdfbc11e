package sojourn_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// stepUpSite has paths that ask for a level or a fresh authentication.
func stepUpSite(t *testing.T, opt *sojourn.Options) *site {
	s := newSite(t, opt)
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("in")) })
	for level := range 4 {
		s.mux.Handle("/level/"+strconv.Itoa(level), s.m.Require(level, 0, ok))
	}
	s.mux.Handle("/fresh", s.m.Require(0, 5*time.Minute, ok))
	s.mux.Handle("/both", s.m.Require(2, 5*time.Minute, ok))
	s.handle("/elevate/{level}", func(ctx context.Context, r *http.Request) (any, error) {
		level, _ := strconv.Atoi(r.PathValue("level"))
		return "", session(ctx).Elevate(ctx, level)
	})
	s.handle("/strong/{user}/{level}", func(ctx context.Context, r *http.Request) (any, error) {
		level, _ := strconv.Atoi(r.PathValue("level"))
		return "", errors.Join(session(ctx).Login(ctx, r.PathValue("user")), session(ctx).Elevate(ctx, level))
	})
	return s
}

// The refusal is what a program can act on, and the way out of it works.
func TestStepUpRefusesAndLetsIn(t *testing.T) {
	s := stepUpSite(t, nil)
	c := s.client()
	if a := c.get("/level/1"); a.code != 401 {
		t.Errorf("nobody: %d, expected 401", a.code)
	}
	c.ok("/set/k/v")
	if a := c.get("/fresh"); a.code != 401 {
		t.Errorf("a visitor without login: %d, expected 401", a.code)
	}
	c.ok("/login/ada")
	c.want("/level/0", 200, "in")
	c.want("/level/1", 200, "in")
	c.want("/fresh", 200, "in")

	a := c.get("/both")
	var problem struct {
		Code     string `json:"code"`
		Status   int    `json:"status"`
		Required int    `json:"required_level"`
		Level    int    `json:"level"`
		MaxAge   int64  `json:"max_age_ms"`
		Age      int64  `json:"auth_age_ms"`
	}
	if err := json.Unmarshal([]byte(a.body), &problem); err != nil || a.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("%v: %s %q", err, a.header.Get("Content-Type"), a.body)
	}
	if a.code != 403 || problem.Code != "step_up_required" || problem.Status != 403 || problem.Required != 2 || problem.Level != 1 || problem.MaxAge != 300_000 || problem.Age != 0 {
		t.Errorf("%d %+v", a.code, problem)
	}
	const challenge = `Session error="insufficient_user_authentication", error_description="A fresher or stronger authentication is required", acr_values="aal2", max_age=300`
	if got := a.header.Get("WWW-Authenticate"); got != challenge {
		t.Errorf("WWW-Authenticate: %s", got)
	}

	before := c.token
	c.ok("/elevate/2")
	c.want("/both", 200, "in")
	if a := c.get("/level/3"); a.code != 403 {
		t.Errorf("level 3 with 2: %d", a.code)
	}
	if a := c.send(before, "/owner"); a.body != "" {
		t.Errorf("the secret from before the step up works: %+v", a)
	}
	if got := s.events.of(sojourn.EventElevated); len(got) != 1 || got[0].Level != 2 || got[0].Owner != "ada" {
		t.Errorf("elevated: %+v", got)
	}
	c.want("/owner", 200, "ada")
	c.ok("/login/ada") // with a password only: never more than what was proved last
	if a := c.get("/both"); a.code != 403 {
		t.Errorf("level 2 after a plain login: %d", a.code)
	}
}

// A recent authentication is one of less than d ago, to the millisecond.
func TestStepUpRecentAuthByTheClock(t *testing.T) {
	s := stepUpSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	s.pass(5*time.Minute - time.Millisecond)
	c.want("/fresh", 200, "in")
	s.pass(time.Millisecond)
	if a := c.get("/fresh"); a.code != 403 {
		t.Errorf("5 min after the login: %d, expected 403", a.code)
	}
	c.want("/level/1", 200, "in")
	c.ok("/elevate/1")
	c.want("/fresh", 200, "in")
}

// A level counts as long as its sessions may last, then the next lower one.
func TestStepUpLevelsWearOff(t *testing.T) {
	const day = 24 * time.Hour
	s := stepUpSite(t, &sojourn.Options{Policy: sojourn.Policy{Idle: 60 * day, Absolute: 60 * day}})
	c := s.client()
	c.ok("/strong/ada/3")
	since := time.Duration(0)
	for _, step := range []struct {
		after time.Duration
		level int
	}{{0, 3}, {12*time.Hour - time.Millisecond, 3}, {12 * time.Hour, 2}, {day - time.Millisecond, 2}, {day, 1}, {30*day - time.Millisecond, 1}, {30 * day, 0}} {
		s.pass(step.after - since)
		since = step.after
		for level := 1; level <= 3; level++ {
			want := 200
			if level > step.level {
				want = 403
			}
			if a := c.get("/level/" + strconv.Itoa(level)); a.code != want {
				t.Errorf("after %v, level %d: %d, expected %d", step.after, level, a.code, want)
			}
		}
	}
	list, err := s.m.List(t.Context(), "ada")
	if err != nil || len(list) != 1 || list[0].Level != 0 {
		t.Errorf("listed: %v, %v", list, err)
	}
}

// Authenticating again resets both clocks (NIST SP 800-63B-4 §5.2).
func TestStepUpResetsBothClocks(t *testing.T) {
	s := stepUpSite(t, &sojourn.Options{Policy: sojourn.Policy{Idle: time.Hour, Absolute: 2 * time.Hour}})
	c := s.client()
	c.ok("/login/ada")
	s.pass(59 * time.Minute)
	c.ok("/elevate/1")
	s.pass(59 * time.Minute)
	c.want("/owner", 200, "ada")
	s.pass(59 * time.Minute)
	c.want("/owner", 200, "ada") // 2 h 57 min after the login
	s.pass(2 * time.Minute)
	c.want("/status", 200, "ended expired")
}

func TestStepUpInvalid(t *testing.T) {
	s := stepUpSite(t, nil)
	c := s.client()
	for _, path := range []string{"/elevate/1", "/elevate/0", "/elevate/4", "/strong/ada/9"} {
		if a := c.get(path); a.code != 400 {
			t.Errorf("%s: %d %q", path, a.code, a.body)
		}
	}
	c = s.client()
	c.ok("/set/k/v")
	if a := c.get("/elevate/2"); a.code != 400 {
		t.Errorf("elevated nobody: %+v", a)
	}
	ctx := t.Context()
	ss, _, err := s.m.Create(ctx, "bob")
	if err != nil {
		t.Fatal(err)
	}
	if err := ss.RequireLevel(ctx, 4); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("level 4: %v", err)
	}
	if err := ss.RequireRecentAuth(ctx, 0); !errors.Is(err, sojourn.ErrInvalid) { // a setting left out must not mean "any"
		t.Error("no time at all:", err)
	}
	if err := ss.RequireRecentAuth(ctx, -time.Second); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("negative: %v", err)
	}
	if err := ss.RequireLevel(ctx, 2); !errors.Is(err, sojourn.ErrStepUp) {
		t.Errorf("outside a request: %v", err)
	}
	if err := errors.Join(ss.Elevate(ctx, 2), ss.Save(ctx), ss.RequireLevel(ctx, 2)); err != nil {
		t.Error(err)
	}
}

// The presets say what NIST SP 800-63B-4 says, and hold against everything
// that would lengthen a session.
func TestPresetsOfAAL(t *testing.T) {
	const day = 24 * time.Hour
	for level, want := range map[int]sojourn.Policy{
		1: {AAL: 1, Idle: 30 * day, Absolute: 30 * day},
		2: {AAL: 2, Idle: time.Hour, Absolute: day},
		3: {AAL: 3, Idle: 15 * time.Minute, Absolute: 12 * time.Hour},
	} {
		if got := sojourn.AAL(level); got != want {
			t.Errorf("AAL(%d) = %+v", level, got)
		}
		for _, p := range []sojourn.Policy{sojourn.AAL(level), {AAL: level}} {
			m, err := sojourn.New(newMapStore(), &sojourn.Options{Policy: p})
			if err != nil {
				t.Fatal(level, err)
			}
			r := m.Options().Remember
			if r.Idle > want.Idle || r.Absolute > want.Absolute || level > 1 && r.CookieLifetime != 0 {
				t.Errorf("remembered at level %d: %+v", level, r)
			}
			s, _, err := m.Create(t.Context(), "ada")
			if err != nil {
				t.Fatal(err)
			}
			for _, longer := range []sojourn.Policy{{Idle: want.Idle + time.Second, Absolute: 90 * day}, {Absolute: want.Absolute + time.Second}} {
				if err := s.SetPolicy(t.Context(), longer); !errors.Is(err, sojourn.ErrInvalid) {
					t.Errorf("level %d, SetPolicy(%+v): %v", level, longer, err)
				}
			}
		}
		bad := []sojourn.Options{
			{Policy: sojourn.Policy{AAL: level, Idle: want.Idle + time.Second, Absolute: 90 * day}},
			{Policy: sojourn.Policy{AAL: level, Absolute: want.Absolute + time.Second}},
			{Policy: sojourn.Policy{AAL: level}, Remember: sojourn.Policy{Absolute: want.Absolute + time.Second}},
		}
		if level > 1 {
			bad = append(bad, sojourn.Options{Policy: sojourn.Policy{AAL: level, CookieLifetime: time.Hour}})
		}
		for i, o := range bad {
			if _, err := sojourn.New(newMapStore(), &o); !errors.Is(err, sojourn.ErrInvalid) {
				t.Errorf("level %d, case %d: %v", level, i, err)
			}
		}
	}
	for _, aal := range []int{-1, 4} {
		if _, err := sojourn.New(newMapStore(), &sojourn.Options{Policy: sojourn.Policy{AAL: aal}}); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("AAL %d: %v", aal, err)
		}
	}
}

// A level is for the secret that the step-up issues, never for one that another
// request has put in its place meanwhile: that may be the thief's.
func TestStepUpRaisesNobodyElse(t *testing.T) {
	s := stepUpSite(t, nil)
	s.handle("/renew", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).RenewNow(ctx) })
	c := s.client()
	c.ok("/login/ada")
	var thief answer
	during := func() { // at another process
		other, err := sojourn.New(s.store, &sojourn.Options{Clock: s.clock.now})
		if err != nil {
			t.Fatal(err)
		}
		mine := s.h
		s.h = other.Handler(s.mux)
		thief = c.send(c.token, "/renew")
		s.h = mine
	}
	s.stalled().before.Store(&during)
	if a := c.send(c.token, "/elevate/2"); a.code != 401 || a.cookie != "" {
		t.Errorf("the step-up that came second: %+v", a)
	}
	if thief.code != 200 || thief.cookie == "" {
		t.Fatalf("the renewal that came first: %+v", thief)
	}
	if a := c.send(thief.cookie, "/level/2"); a.code != 403 {
		t.Errorf("level 2 with the secret of the other request: %d, expected 403", a.code)
	}
}

// Two step-ups at once, as by a double click, are one.
func TestStepUpTwiceAtOnce(t *testing.T) {
	s := stepUpSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	var first answer
	during := func() {
		other, err := sojourn.New(s.store, &sojourn.Options{Clock: s.clock.now})
		if err != nil {
			t.Fatal(err)
		}
		mine := s.h
		s.h = other.Handler(s.mux)
		first = c.send(c.token, "/elevate/2")
		s.h = mine
	}
	s.stalled().before.Store(&during)
	second := c.send(c.token, "/elevate/2")
	if first.code != 200 || second.code != 200 || second.cookie != "" {
		t.Errorf("%+v, then %+v", first, second)
	}
	if a := c.send(first.cookie, "/level/2"); a.code != 200 {
		t.Errorf("afterwards: %d", a.code)
	}
}
