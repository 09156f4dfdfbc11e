package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestP5RotationLogsNobodyOut(t *testing.T) {
	s := newSite(t, &sojourn.Options{OnReplay: "report"})
	c := s.client()
	c.ok("/set/k/v")
	first := c.token
	if a := c.ok("/get/k"); a.cookie != "" {
		t.Errorf("rotated at once: %+v", a)
	}
	s.pass(20 * time.Minute)
	c.ok("/get/k")
	s.pass(25 * time.Minute)
	c.ok("/get/k")
	s.pass(20 * time.Minute)

	// The interval has passed. Parallel requests, and those whose answers are
	// lost, are all given the same successor.
	var successors sync.Map
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if a := c.send(first, "/get/k"); a.body != "v" || a.cookie == "" {
				t.Errorf("during rotation: %+v", a)
			} else {
				successors.Store(a.cookie, true)
			}
		})
	}
	wg.Wait()
	var second string
	n := 0
	successors.Range(func(k, _ any) bool { second = k.(string); n++; return true })
	if n != 1 || second == first || second[:28] != first[:28] {
		t.Fatalf("%d successors; the last has another ID or is the same: %t", n, second == first)
	}
	// Until it has been used, the first stays good: the answers may all be lost.
	s.pass(10 * time.Minute)
	if a := c.send(first, "/get/k"); a.body != "v" || a.cookie != second {
		t.Errorf("late, all answers lost: %+v", a)
	}
	// First use confirms. Requests under way with the first one still pass, but
	// never get a cookie that could overwrite the newer one.
	if a := c.send(second, "/get/k"); a.body != "v" || a.cookie != "" {
		t.Errorf("first use: %+v", a)
	}
	s.pass(29 * time.Second)
	if a := c.send(first, "/add"); a.body != "1" || a.cookie != "" {
		t.Errorf("within grace: %+v", a)
	}
	if got := s.events.of(sojourn.EventReplayed); len(got) != 0 {
		t.Errorf("replays reported: %+v", got)
	}
	s.pass(2 * time.Second)
	if a := c.send(first, "/get/k"); a.code != 200 || a.body != "" || a.cookie != "" {
		t.Errorf("after grace: %+v", a)
	}
	if got := s.events.of(sojourn.EventReplayed); len(got) != 1 {
		t.Errorf("%d replays reported, expected 1", len(got))
	}
	if a := c.send(first, "/set/k/stolen"); a.code != 400 || a.cookie != "" {
		t.Errorf("a stale secret begins a session: %+v", a)
	}
	if a := c.send(second, "/get/k"); a.body != "v" {
		t.Errorf("the owner was logged out: %+v", a)
	}
}

// Rotation goes on for ever, with two tabs that share one jar.
func TestP5RotationManyTimes(t *testing.T) {
	s := newSite(t, &sojourn.Options{Policy: sojourn.Policy{Absolute: 300 * time.Hour}})
	c := s.client()
	c.ok("/login/ada")
	seen := map[string]bool{c.token: true}
	for range 400 {
		s.pass(17 * time.Minute)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { c.get("/add") })
		}
		wg.Wait()
		c.want("/owner", 200, "ada")
		seen[c.token] = true
	}
	c.want("/count", 200, "1200")
	if len(seen) < 80 {
		t.Errorf("%d secrets in 113 hours, expected about one in 68 minutes", len(seen))
	}
	if got := s.events.of(sojourn.EventReplayed); len(got) != 0 {
		t.Errorf("%d replays", len(got))
	}
}

func TestP5RenewOnDemand(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/renew", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).Renew(ctx) })
	s.handle("/renewnow", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).RenewNow(ctx) })
	c := s.client()
	c.ok("/login/ada")
	first := c.token
	if a := c.ok("/renew"); a.cookie == "" || a.cookie == first {
		t.Fatalf("renew: %+v", a)
	}
	if a := c.send(first, "/owner"); a.body != "ada" {
		t.Errorf("soft renewal logged out a parallel request: %+v", a)
	}
	c.want("/owner", 200, "ada")
	second := c.token
	if a := c.ok("/renewnow"); a.cookie == "" || a.cookie == second {
		t.Fatalf("hard renewal: %+v", a)
	}
	c.want("/owner", 200, "ada")
	for _, old := range []string{first, second} {
		if a := c.send(old, "/owner"); a.body != "" {
			t.Errorf("an old secret lives after a hard renewal: %+v", a)
		}
	}
	if got := s.events.of(sojourn.EventReplayed); len(got) != 2 {
		t.Errorf("%d replays reported, expected 2", len(got))
	}
}

// Whichever of thief and victim comes second is noticed.
func TestP5AStaleSecretIsReported(t *testing.T) {
	s := newSite(t, &sojourn.Options{OnReplay: "report"})
	victim := s.client()
	victim.ok("/login/ada")
	stolen := victim.token
	for range 3 { // several rotations later it is still recognised
		s.pass(25 * time.Minute)
		victim.ok("/get/k")
		s.pass(25 * time.Minute)
		victim.ok("/get/k")
		s.pass(15 * time.Minute)
		victim.ok("/get/k")
		victim.ok("/get/k")
		s.pass(time.Minute)
	}
	if victim.token == stolen {
		t.Fatal("did not rotate")
	}
	if a := victim.send(stolen, "/owner"); a.body != "" {
		t.Errorf("the stolen cookie works: %+v", a)
	}
	if got := s.events.of(sojourn.EventReplayed); len(got) != 1 || got[0].Owner != "ada" {
		t.Errorf("replays: %+v", got)
	}
	wrong := victim.token[:40] + "AAAAAAAAAAAAAAAA"
	victim.send(wrong, "/owner")
	if got := s.events.of(sojourn.EventRejected); len(got) != 1 {
		t.Errorf("rejected: %+v", got)
	}
}

// The renewal is housekeeping: when the store cannot write, requests that only
// read go on.
func TestP5RotationWaitsForTheStore(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	c.ok("/set/k/v")
	s.pass(29 * time.Minute)
	c.ok("/get/k")
	s.pass(29 * time.Minute)
	c.ok("/get/k")
	s.pass(10 * time.Minute)
	s.store.fault = func(op string) (before, after error) {
		if op == "update" || op == "touch" {
			return errLost, nil
		}
		return nil, nil
	}
	if a := c.get("/get/k"); a.body != "v" || a.cookie != "" {
		t.Errorf("while the store cannot write: %+v", a)
	}
	s.m.Close()
	s.store.fault = nil
	if a := c.get("/get/k"); a.body != "v" || a.cookie == "" {
		t.Errorf("afterwards: %+v", a)
	}
}

// A new secret is sent if it was stored, and only then.
func TestP5RenewNowSendsWhatIsStored(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/twice", func(ctx context.Context, _ *http.Request) (any, error) {
		return "", errors.Join(session(ctx).RenewNow(ctx), session(ctx).RenewNow(ctx))
	})
	s.handle("/again", func(ctx context.Context, _ *http.Request) (any, error) {
		return "", errors.Join(session(ctx).RenewNow(ctx), session(ctx).Save(ctx), session(ctx).RenewNow(ctx))
	})
	c := s.client()
	s.handle("/failing", func(ctx context.Context, _ *http.Request) (any, error) {
		runs := 0
		if _, err := keyK.Update(ctx, func(string) (string, error) {
			if runs++; runs > 1 {
				return "", errors.New("no longer")
			}
			return "v", nil
		}); err != nil {
			return nil, err
		}
		if err := session(ctx).RenewNow(ctx); err != nil {
			return nil, err
		}
		c.send(c.token, "/set/other/x")
		if err := session(ctx).Save(ctx); err == nil {
			t.Error("saved, though Update failed on the newer data")
		}
		return "", nil
	})
	c.ok("/login/ada")
	for _, path := range []string{"/twice", "/again", "/failing"} {
		before := c.token
		if a := c.ok(path); (a.cookie == "") != (path == "/failing") {
			t.Errorf("%s: cookie %t", path, a.cookie != "")
		}
		c.want("/owner", 200, "ada")
		if a := c.send(before, "/owner"); (a.body == "") != (path != "/failing") {
			t.Errorf("%s: the secret before finds %q", path, a.body)
		}
	}
}

func TestP5TokenOfWhatIsStored(t *testing.T) {
	s := newSite(t, nil)
	ctx := t.Context()
	_, token, err := s.m.Create(ctx, "ada")
	if err != nil {
		t.Fatal(err)
	}
	for name, renew := range map[string]func(*sojourn.Session) error{
		"Renew":    func(ss *sojourn.Session) error { return ss.Renew(ctx) },
		"RenewNow": func(ss *sojourn.Session) error { return ss.RenewNow(ctx) },
	} {
		ss, err := s.m.Authenticate(ctx, token.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		if err := renew(ss); err != nil {
			t.Fatal(err)
		}
		if next, err := ss.Token(ctx); err != nil || next.ID() != "" {
			t.Errorf("%s: a token before it is stored, %v", name, err)
		}
		if err := ss.Save(ctx); err != nil {
			t.Fatal(err)
		}
		if token, err = ss.Token(ctx); err != nil || token.ID() == "" {
			t.Errorf("%s: no token after it is stored, %v", name, err)
		}
	}
	if _, err := s.m.Authenticate(ctx, token.Reveal()); err != nil {
		t.Error(err)
	}
}

// A request may find at its end that its secret has been replaced: it must not
// send it again, although the cookie's lifetime changed.
func TestP5RememberSendsNoStaleSecret(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	s.handle("/renew", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).Renew(ctx) })
	s.handle("/remember", func(ctx context.Context, _ *http.Request) (any, error) {
		if _, err := session(ctx).Owner(ctx); err != nil {
			return nil, err
		}
		c.ok("/renew")
		c.ok("/owner") // the successor is used
		return "", session(ctx).Remember(ctx, true)
	})
	c.ok("/login/ada")
	if a := c.send(c.token, "/remember"); a.code != 200 || a.cookie != "" {
		t.Errorf("%d, cookie %t", a.code, a.cookie != "")
	}
}

// Observers are told of each new secret once, by the request that brought it
// into force.
func TestP5RenewalIsTold(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	s.handle("/renew", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).Renew(ctx) })
	s.handle("/renewnow", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).RenewNow(ctx) })
	s.handle("/slow", func(ctx context.Context, _ *http.Request) (any, error) {
		if err := keyK.Set(ctx, "v"); err != nil {
			return nil, err
		}
		c.ok("/owner")
		return "", nil
	})
	c.ok("/login/ada")
	for i, step := range []struct {
		path string
		told int
	}{{"/owner", 0}, {"/renewnow", 1}, {"/set/k/v", 1}, {"/renew", 1}, {"/owner", 2}} {
		c.ok(step.path)
		if got := s.events.of(sojourn.EventRenewed); len(got) != step.told {
			t.Errorf("%d after step %d, %s, expected %d", len(got), i, step.path, step.told)
		}
	}
	s.pass(time.Minute)
	c.ok("/renew") // then two requests meet with the successor at once
	c.send(c.token, "/slow")
	if got := s.events.of(sojourn.EventRenewed); len(got) != 3 || got[2].Owner != "ada" {
		t.Errorf("%d after parallel requests, expected 3", len(got))
	}
}

// A replaced secret works for the grace period, however often Renew is called.
func TestP5RenewKeepsTheGrace(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/renew", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).Renew(ctx) })
	c := s.client()
	c.ok("/login/ada")
	first := c.token
	for range 3 {
		c.ok("/renew")
		c.ok("/owner")
		s.pass(9 * time.Second)
		if a := c.send(first, "/owner"); a.body != "ada" {
			t.Errorf("within the grace: %+v", a)
		}
	}
	second := c.token
	s.pass(4 * time.Second)
	c.ok("/renew")
	c.want("/owner", 200, "ada")
	if c.token == second {
		t.Error("not renewed after the grace")
	}
}

// A secret replaced by another request in the meantime has a successor that
// RenewNow cannot end: it must not look as if it had.
func TestP5RenewNowWithASecretReplacedMeanwhile(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	s.handle("/renew", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).Renew(ctx) })
	s.handle("/password", func(ctx context.Context, _ *http.Request) (any, error) {
		if err := session(ctx).RenewNow(ctx); err != nil {
			return nil, err
		}
		c.ok("/renew")
		c.ok("/owner") // the successor is used
		return "", nil
	})
	c.ok("/login/ada")
	first := c.token
	if a := c.send(first, "/password"); a.code != 401 || a.cookie != "" {
		t.Errorf("%d, cookie %q, expected 401", a.code, a.cookie)
	}
	for _, token := range []string{first, c.token} {
		if a := c.send(token, "/owner"); a.body != "ada" {
			t.Errorf("%+v", a)
		}
	}
}
