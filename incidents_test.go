package sojourn_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sojournhq/sojourn"
)

// What went wrong elsewhere, and must not here. internal/proof/guards names the
// incident of each, the guard that keeps it away, and shows that the test fails
// without it.

func randomToken(rng *rand.Rand) string {
	raw := make([]byte, 42)
	for i := range raw {
		raw[i] = byte(rng.Uint32())
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (s *site) records() int {
	m := s.store.Store.(*mapStore)
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.recs)
}

// An ID that a client chose, or that has ended, never becomes a session: neither
// by reading, nor by writing, nor by logging in.
func TestIncidentChosenAndEndedIDs(t *testing.T) {
	s := newSite(t, nil)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 500 {
		token := randomToken(rng)
		if i%2 == 0 {
			c := s.client()
			c.ok("/login/ada")
			if a := c.send(c.token[:30]+token[30:], "/owner"); a.body != "" { // an ID is no secret
				t.Fatalf("another secret opens the session: %+v", a)
			}
			token = c.token
			c.ok("/logout")
		}
		before := s.records()
		for _, path := range []string{"/owner", "/get/k", "/status", "/logout"} {
			if a := s.client().send(token, path); a.cookie != "" && a.cookie != "-" || strings.Contains(a.body, token) {
				t.Fatalf("%s: %+v", path, a)
			}
		}
		if n := s.records(); n != before {
			t.Fatalf("the store gained %d records", n-before)
		}
		if a := s.client().send(token, "/set/k/v"); a.cookie == token || a.cookie != "" && a.cookie[:28] == token[:28] {
			t.Fatalf("a write adopted the ID: %+v", a)
		}
		if a := s.client().send(token, "/login/eve"); a.cookie == "" || a.cookie[:28] == token[:28] {
			t.Fatalf("a login adopted the ID: %+v", a)
		}
		if a := s.client().send(token, "/owner"); a.body != "" {
			t.Fatalf("the ID has become a session: %+v", a)
		}
	}
}

// Every change of who somebody is, or of how sure that is, ends the token from
// before it: at once, without the grace of a rotation. A login changes the ID, too.
func TestIncidentEveryEntranceChangesTheToken(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/elevate", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).Elevate(ctx, 2) })
	s.handle("/again", func(ctx context.Context, _ *http.Request) (any, error) {
		if err := session(ctx).Logout(ctx); err != nil {
			return "", err
		}
		return "", session(ctx).Login(ctx, "ada")
	})
	c := s.client()
	c.ok("/set/k/v")
	for _, path := range []string{"/login/ada", "/elevate", "/login/ada", "/login/bob", "/logout", "/login/ada", "/again"} {
		before := c.token
		c.ok(path)
		if before != "" && (c.token == before || path != "/elevate" && c.token != "" && c.token[:28] == before[:28]) {
			t.Errorf("%s kept the token, or its ID", path)
		}
		if before != "" {
			if a := c.send(before, "/owner"); a.body != "" {
				t.Errorf("after %s the former token is still %q", path, a.body)
			}
		}
	}
}

// Who asks for the end of a session must own it: every call, for one's own,
// another's, an ended and a made-up handle.
func TestIncidentNobodyEndsAnothers(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/end/{id}", func(ctx context.Context, r *http.Request) (any, error) {
		return "", session(ctx).RevokeDevice(ctx, sojourn.ID(r.PathValue("id")))
	})
	s.handle("/devices", func(ctx context.Context, _ *http.Request) (any, error) {
		list, err := session(ctx).Devices(ctx)
		var ids []string
		for _, d := range list {
			ids = append(ids, string(d.ID))
		}
		return strings.Join(ids, " "), err
	})
	s.handle("/others", func(ctx context.Context, _ *http.Request) (any, error) {
		return "", s.m.RevokeOthers(ctx, session(ctx))
	})
	id := func(c *client) string {
		token, err := sojourn.ParseToken(c.token)
		if err != nil {
			t.Fatal(err)
		}
		return string(token.ID())
	}
	victim, mallory, nobody, second := s.client(), s.client(), s.client(), s.client()
	victim.ok("/login/ada")
	mallory.ok("/login/mallory")
	nobody.ok("/set/k/v")
	second.ok("/login/mallory")
	gone := id(second)
	second.ok("/logout")
	made := string(randomToken(rand.New(rand.NewPCG(3, 4)))[:30])
	for _, who := range []*client{mallory, nobody, s.client()} {
		for _, handle := range []string{id(victim), made, gone, "x", "%2e%2e%2f", url.PathEscape(id(victim) + "\x00")} {
			if a := who.get("/end/" + handle); a.code == 200 {
				t.Errorf("%.8s… was ended by a stranger", handle)
			}
		}
		if a := who.get("/devices"); strings.Contains(a.body, id(victim)) {
			t.Error("a stranger's list shows the victim's session")
		}
		who.get("/others")
		victim.want("/owner", 200, "ada")
	}
	mallory.want("/owner", 200, "mallory")
	mallory.ok("/end/" + id(mallory))
	mallory.want("/owner", 200, "")
}

// What is to be used once is used once, however many try at the same moment.
func TestIncidentSingleUse(t *testing.T) {
	s := newSite(t, nil)
	const all = 1000
	var seen sync.WaitGroup // everybody has read the code before anybody takes it
	seen.Add(all)
	s.handle("/take", func(ctx context.Context, _ *http.Request) (any, error) {
		_, there, err := sojourn.Key[string]("code").Lookup(ctx)
		seen.Done()
		if seen.Wait(); err != nil || !there {
			return there, err
		}
		v, ok, err := sojourn.Key[string]("code").Take(ctx)
		return fmt.Sprint(v, ok), err
	})
	c := s.client()
	c.ok("/set/code/once")
	token := c.token
	var won, lost atomic.Int32
	var wg sync.WaitGroup
	for range all {
		wg.Go(func() {
			switch a := c.send(token, "/take"); {
			case a.code == 200 && a.body == "oncetrue":
				won.Add(1)
			case a.code == 200 && a.body == "false":
				lost.Add(1)
			default:
				t.Errorf("%+v", a)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != all-1 {
		t.Errorf("%d of %d had the code, %d had none", won.Load(), all, lost.Load())
	}
}

// Requests of many users, interleaved on few goroutines, see their own sessions
// only. SOJOURN_INTERLEAVED=1000000 makes as many requests.
func TestIncidentNobodySeesAnother(t *testing.T) {
	s := newSite(t, nil)
	const users = 64
	var clients [users]*client
	for i := range clients {
		clients[i] = s.client()
		clients[i].ok(fmt.Sprintf("/login/user%d", i))
		clients[i].ok(fmt.Sprintf("/set/k/of%d", i))
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		rng := rand.New(rand.NewPCG(5, uint64(worker)))
		wg.Go(func() {
			for range interleaved(t, 10_000) / 8 {
				i := rng.IntN(users)
				path, want := "/owner", fmt.Sprintf("user%d", i)
				switch rng.IntN(8) {
				case 0, 1, 2:
					path, want = "/get/k", fmt.Sprintf("of%d", i)
				case 3:
					if a := s.client().send("", "/owner"); a.body != "" {
						t.Errorf("nobody is %q", a.body)
						return
					}
				case 4: // leaves its goroutine behind, as one that gives up does
					path, want = "/plain", "plain"
				}
				if a := clients[i].send(clients[i].token, path); a.body != want {
					t.Errorf("user%d sees %q at %s", i, a.body, path)
					return
				}
			}
		})
	}
	wg.Wait()
}

func interleaved(t *testing.T, n int) int {
	if v := os.Getenv("SOJOURN_INTERLEAVED"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil || n < 1 {
			t.Errorf("SOJOURN_INTERLEAVED is %q, expected a number such as 1000000", v)
		}
	}
	return n
}

// A cookie's name is compared as it stands: nothing that decodes to it will do.
func TestIncidentNamesAreNotDecoded(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	for _, name := range []string{"%5F%5FHost-sojourn", "__Host%2Dsojourn", "__host-sojourn", "__HOST-SOJOURN", "\"__Host-sojourn\"", "__Host-sojourn ", "__Host-sojourn\x00", "+__Host-sojourn"} {
		if a := s.exchange("GET", "/owner", cookies(name+"="+c.token)); a.body != "" {
			t.Errorf("%q is taken for the session's cookie: %+v", name, a)
		}
	}
	if a := s.exchange("GET", "/owner", cookies("__Host-sojourn="+c.token)); a.body != "ada" {
		t.Fatalf("the name itself: %+v", a)
	}
}

// What a client sends costs memory by its size, never by what it claims.
func TestIncidentClaimsAllocateNothing(t *testing.T) {
	s := newSite(t, nil)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const requests = 2000
	for i := range requests {
		s.exchange("GET", "/get/k", cookies(strings.Repeat("a=;", i%5000)))
		s.exchange("GET", "/get/k", cookies("__Host-sojourn="+strings.Repeat("_", i%4000)))
	}
	runtime.ReadMemStats(&after)
	if per := (after.TotalAlloc - before.TotalAlloc) / requests / 2; per > 64<<10 {
		t.Errorf("%d bytes for a request", per)
	}
}

// Every way to read a session makes the answer depend on the cookie.
func TestIncidentEveryReadVaries(t *testing.T) {
	type reads = func(ctx context.Context) error
	for name, read := range map[string]reads{
		"Exists":  func(ctx context.Context) error { _, err := session(ctx).Exists(ctx); return err },
		"ID":      func(ctx context.Context) error { _, err := session(ctx).ID(ctx); return err },
		"Owner":   func(ctx context.Context) error { _, err := session(ctx).Owner(ctx); return err },
		"Status":  func(ctx context.Context) error { _, err := session(ctx).Status(ctx); return err },
		"Devices": func(ctx context.Context) error { _, err := session(ctx).Devices(ctx); return err },
		"Token":   func(ctx context.Context) error { _, err := session(ctx).Token(ctx); return err },
		"Get":     func(ctx context.Context) error { _, err := sojourn.Key[string]("k").Get(ctx); return err },
		"Lookup":  func(ctx context.Context) error { _, _, err := sojourn.Key[string]("k").Lookup(ctx); return err },
		"Members": func(ctx context.Context) error { _, _, err := session(ctx).Members(ctx); return err },
		"Count":   func(ctx context.Context) error { _, err := sojourn.Counter("n").Get(ctx); return err },
		"Fields": func(ctx context.Context) error {
			_, err := sojourn.Fields[struct{ K string }]{}.Load(ctx)
			return err
		},
		"Require": func(ctx context.Context) error {
			if err := session(ctx).RequireLevel(ctx, 3); !errors.Is(err, sojourn.ErrStepUp) && !errors.Is(err, sojourn.ErrNotFound) {
				return fmt.Errorf("level 3: %w", err)
			}
			return nil
		},
	} {
		s := newSite(t, nil)
		s.handle("/read", func(ctx context.Context, _ *http.Request) (any, error) { return "", read(ctx) })
		c := s.client()
		for _, login := range []bool{false, true} {
			if login {
				c.ok("/login/ada")
			}
			a := c.get("/read")
			if !strings.Contains(strings.Join(a.header["Vary"], ","), "Cookie") {
				t.Errorf("%s: Vary is %q, expected Cookie (logged in: %v, answer %d)", name, a.header["Vary"], login, a.code)
			}
		}
	}
}

// IDs and secrets repeat nothing and lean to no side, bit by bit.
// SOJOURN_TOKENS=10000000 draws as many.
func TestIncidentTokensAreRandom(t *testing.T) {
	n := 100_000
	if v := os.Getenv("SOJOURN_TOKENS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil || n < 1000 {
			t.Fatalf("SOJOURN_TOKENS is %q, expected a number of at least 1000", v)
		}
	}
	s := newSite(t, nil)
	seen := make(map[[16]byte]struct{}, n)
	var ones [42 * 8]int
	for range n {
		token := sojourn.NewToken(s.m)
		raw, err := base64.RawURLEncoding.DecodeString(token.Reveal())
		if err != nil || len(raw) != 42 {
			t.Fatal(err, len(raw))
		}
		key := [16]byte(raw[26:])
		if _, again := seen[key]; again {
			t.Fatal("a secret came twice")
		}
		seen[key] = struct{}{}
		for i := range ones {
			ones[i] += int(raw[i/8] >> (i % 8) & 1)
		}
	}
	for i, n1 := range ones { // χ² of one degree of freedom: 36 is six standard deviations
		if d := float64(2*n1 - n); d*d/float64(n) > 36 {
			t.Errorf("bit %d is set in %d of %d", i, n1, n)
		}
	}
}
