package sojourn_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// rotated lets c's secret be replaced and its grace pass.
func rotated(t *testing.T, s *site, c *client) {
	t.Helper()
	before := c.token
	for range 3 {
		s.pass(25 * time.Minute)
		c.ok("/owner")
	}
	c.ok("/owner") // confirms
	s.pass(time.Minute)
	if c.token == before {
		t.Fatal("did not rotate")
	}
}

// Whoever of thief and victim comes second with the replaced secret, both are
// out: they cannot be told apart.
func TestTheftEndsTheSessionForBoth(t *testing.T) {
	for _, order := range []string{"the victim rotates", "the thief rotates"} {
		s := newSite(t, nil)
		victim, thief := s.client(), s.client()
		victim.ok("/login/ada")
		thief.token = victim.token
		first, second := victim, thief
		if order == "the thief rotates" {
			first, second = thief, victim
		}
		rotated(t, s, first)
		other := s.client()
		other.ok("/login/ada")
		if a := second.get("/owner"); a.body != "" || a.cookie != "" {
			t.Errorf("%s: the second comer has %+v", order, a)
		}
		for name, c := range map[string]*client{"first": first, "second": second} {
			c.want("/status", 200, "ended replayed")
			if a := c.get("/owner"); a.body != "" {
				t.Errorf("%s: the %s comer is still %q", order, name, a.body)
			}
		}
		other.want("/owner", 200, "ada")
		if got := s.events.of(sojourn.EventReplayed); len(got) != 1 || got[0].Owner != "ada" {
			t.Errorf("%s: replays %+v", order, got)
		}
		var reasons []sojourn.Reason
		for _, e := range s.events.of(sojourn.EventEnded) {
			reasons = append(reasons, e.Reason)
		}
		if !reflect.DeepEqual(reasons, []sojourn.Reason{sojourn.ReasonReplayed}) {
			t.Errorf("%s: ended %v", order, reasons)
		}
	}
}

// The other policies: all of the owner's sessions, or none.
func TestTheftPolicies(t *testing.T) {
	for policy, want := range map[string]struct{ own, others string }{
		"report":     {"ada", "ada"},
		"revoke":     {"", "ada"},
		"revoke-all": {"", ""},
	} {
		s := newSite(t, &sojourn.Options{OnReplay: policy})
		victim, other := s.client(), s.client()
		victim.ok("/login/ada")
		stolen := victim.token
		rotated(t, s, victim)
		other.ok("/login/ada")
		if a := victim.send(stolen, "/owner"); a.body != "" {
			t.Errorf("%s: the stolen secret works", policy)
		}
		victim.want("/owner", 200, want.own)
		other.want("/owner", 200, want.others)
		if got := s.events.of(sojourn.EventReplayed); len(got) != 1 {
			t.Errorf("%s: %d replays told", policy, len(got))
		}
	}
	if _, err := sojourn.New(newMapStore(), &sojourn.Options{OnReplay: "panic"}); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("an unknown policy: %v", err)
	}
}

// A visitor without login has no other sessions to end.
func TestTheftOfNobodysSession(t *testing.T) {
	s := newSite(t, &sojourn.Options{OnReplay: "revoke-all"})
	c := s.client()
	c.ok("/set/k/v")
	stolen := c.token
	rotated(t, s, c)
	c.send(stolen, "/get/k")
	c.want("/status", 200, "ended replayed")
}

// Two tabs of one jar, a rotation in each round, answers that get lost: nobody
// is logged out, nothing is told.
func TestTheftTwoTabsAreNone(t *testing.T) {
	s := newSite(t, &sojourn.Options{Policy: sojourn.Policy{Rotate: 20 * time.Minute, Absolute: 200 * time.Hour}})
	c := s.client()
	c.ok("/login/ada")
	seen := map[string]bool{}
	for round := range 100 {
		var tabs sync.WaitGroup
		for range 2 {
			tabs.Go(func() {
				ask := c.get
				if rand.N(3) == 0 { // the answer is lost
					ask = func(path string) answer { c.mu.Lock(); token := c.token; c.mu.Unlock(); return c.send(token, path) }
				}
				if a := ask("/owner"); a.body != "ada" {
					t.Errorf("round %d: %+v", round, a)
				}
			})
		}
		tabs.Wait()
		seen[c.token] = true
		s.pass(21 * time.Minute)
	}
	if len(seen) < 20 {
		t.Errorf("%d secrets in 100 rounds: hardly rotated", len(seen))
	}
	if got := s.events.of(sojourn.EventReplayed); len(got) != 0 {
		t.Errorf("%d replays told", len(got))
	}
}

// A request that was under way when the secret was replaced at once is turned
// away; it must not end the session that was just made safer.
func TestTheftSparesRequestsUnderWay(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/renewnow", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).RenewNow(ctx) })
	c := s.client()
	c.ok("/login/ada")
	old := c.token
	c.ok("/renewnow")
	if a := c.send(old, "/owner"); a.body != "" {
		t.Errorf("the old secret works: %+v", a)
	}
	c.want("/owner", 200, "ada")
	if got := s.events.of(sojourn.EventReplayed); len(got) != 1 {
		t.Errorf("%d replays told, expected 1", len(got))
	}
	s.pass(31 * time.Second)
	c.send(old, "/owner")
	c.want("/status", 200, "ended replayed")
}

// An upload that takes longer than the grace is judged by when it began.
func TestTheftSparesSlowUploads(t *testing.T) {
	t.Run("plain", func(t *testing.T) { slowUpload(t, nil) })
	t.Run("a guard changes the session", func(t *testing.T) {
		slowUpload(t, &sojourn.Options{Guards: []func(*http.Request, *sojourn.Session) error{func(r *http.Request, s *sojourn.Session) error {
			if r.Method != "POST" {
				return nil
			}
			return s.Bind(r.Context(), func([]byte) ([]byte, error) { return []byte("seen"), nil })
		}}})
	})
}

func slowUpload(t *testing.T, opt *sojourn.Options) {
	s := newSite(t, opt)
	s.handle("POST /upload", func(ctx context.Context, r *http.Request) (any, error) {
		if _, err := io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		return session(ctx).Owner(ctx)
	})
	c := s.client()
	c.ok("/login/ada")
	s.pass(25 * time.Minute)
	c.ok("/owner")
	s.pass(25 * time.Minute)
	c.ok("/owner")
	s.pass(15 * time.Minute)
	old := c.token
	body, wire := io.Pipe()
	r := httptest.NewRequest("POST", "/upload", body)
	r.Header.Set("Cookie", "__Host-sojourn="+old)
	w := httptest.NewRecorder()
	var upload sync.WaitGroup
	upload.Go(func() { s.h.ServeHTTP(w, r) })
	io.WriteString(wire, "first half") // it has begun
	c.ok("/owner")
	c.ok("/owner")
	if c.token == old {
		t.Fatal("did not rotate")
	}
	s.pass(10 * time.Minute)
	wire.Close()
	upload.Wait()
	if w.Body.String() != "ada" {
		t.Errorf("the upload belongs to %q", w.Body)
	}
	c.want("/owner", 200, "ada")
}

// A failing store must not turn a replay into anything but a refusal.
func TestTheftDuringAnOutage(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	stolen := c.token
	rotated(t, s, c)
	s.store.fault = func(op string) (before, after error) {
		if op == "revoke" {
			return errLost, nil
		}
		return nil, nil
	}
	if a := c.send(stolen, "/owner"); a.code != 200 || a.body != "" {
		t.Errorf("during the outage: %+v", a)
	}
	s.store.fault = nil
	c.want("/owner", 200, "ada")
	c.send(stolen, "/owner")
	c.want("/status", 200, "ended replayed")
}

// Each answer of Options.Signals, and that a change is told once.
func TestSignals(t *testing.T) {
	for reaction, want := range map[string]struct {
		owner, level string
		events       int
	}{
		"":           {"ada", "1", 0},
		"report":     {"ada", "1", 1},
		"nonsense":   {"ada", "1", 1},
		"step-up":    {"ada", "0", 1},
		"revoke":     {"", "0", 1},
		"revoke-all": {"", "0", 1},
	} {
		asked := 0
		s := newSite(t, &sojourn.Options{Signals: func(r *http.Request, ip string, was sojourn.Status) (string, []string) {
			if asked++; ip != "203.0.113.9" || was.IP != "192.0.2.1" || was.Owner != "ada" || was.ID == "" || r.Header.Get("User-Agent") != "" {
				t.Errorf("asked about %s, was %+v", ip, was)
			}
			return reaction, []string{"network"}
		}})
		s.handle("/level", func(ctx context.Context, _ *http.Request) (any, error) {
			st, err := session(ctx).Status(ctx)
			return st.Level, err
		})
		c := s.client()
		c.ok("/login/ada")
		c.want("/owner", 200, "ada")
		if asked != 0 {
			t.Fatalf("%q: asked about the same place", reaction)
		}
		from := func(path string) string {
			r := httptest.NewRequest("GET", path, nil)
			r.RemoteAddr = "203.0.113.9:4711"
			r.Header.Set("Cookie", "__Host-sojourn="+c.token)
			w := httptest.NewRecorder()
			s.h.ServeHTTP(w, r)
			return w.Body.String()
		}
		for range 3 {
			if got := from("/owner"); got != want.owner {
				t.Errorf("%q: owner %q", reaction, got)
			}
		}
		if got := from("/level"); got != want.level {
			t.Errorf("%q: level %s, expected %s", reaction, got, want.level)
		}
		if got := s.events.of(sojourn.EventSignal); len(got) != want.events || asked != 1 {
			t.Errorf("%q: asked %d times, told %+v", reaction, asked, got)
		} else if want.events > 0 && (got[0].IP != "203.0.113.9" || !reflect.DeepEqual(got[0].Signals, []string{"network"})) {
			t.Errorf("%q: %+v", reaction, got[0])
		}
		if want.owner == "" {
			c.want("/status", 200, map[string]string{"revoke": "ended suspect", "revoke-all": "ended revoked"}[reaction])
		}
	}
}

// After a step-up demanded by a signal, only authenticating again helps.
func TestSignalsStepUpNeedsElevate(t *testing.T) {
	calls := 0
	s := stepUpSite(t, &sojourn.Options{Signals: func(*http.Request, string, sojourn.Status) (string, []string) {
		calls++
		return "step-up", nil
	}})
	c := s.client()
	c.ok("/strong/ada/2")
	r := httptest.NewRequest("GET", "/owner", nil)
	r.RemoteAddr = "203.0.113.9:4711"
	r.Header.Set("Cookie", "__Host-sojourn="+c.token)
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	if w.Body.String() != "ada" || calls != 1 {
		t.Fatalf("%q, asked %d times", w.Body, calls)
	}
	r.URL.Path = "/fresh"
	w = httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	if w.Code != 403 {
		t.Errorf("fresh enough by the clock, in doubt by the signal: %d", w.Code)
	}
	r.URL.Path = "/elevate/2"
	w = httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	if len(w.Result().Cookies()) != 1 {
		t.Fatalf("elevate: %d %q", w.Code, w.Body)
	}
	r.Header.Set("Cookie", "__Host-sojourn="+w.Result().Cookies()[0].Value)
	r.URL.Path = "/both"
	w = httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Errorf("after elevate: %d %q", w.Code, w.Body)
	}
}

// A hook that uses the session it is asked about gets an error, not a deadlock.
func TestSignalsMustNotUseTheSession(t *testing.T) {
	var got error
	s := newSite(t, &sojourn.Options{Signals: func(r *http.Request, _ string, _ sojourn.Status) (string, []string) {
		_, got = session(r.Context()).Owner(r.Context())
		return "", nil
	}})
	c := s.client()
	c.ok("/login/ada")
	r := httptest.NewRequest("GET", "/owner", nil)
	r.RemoteAddr = "203.0.113.9:4711"
	r.Header.Set("Cookie", "__Host-sojourn="+c.token)
	s.h.ServeHTTP(httptest.NewRecorder(), r)
	if !errors.Is(got, sojourn.ErrInvalid) {
		t.Errorf("%v, expected ErrInvalid", got)
	}
}
