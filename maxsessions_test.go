package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// crowdSite answers errors as most applications do.
func crowdSite(t *testing.T, opt *sojourn.Options) *site {
	s := newSite(t, opt)
	s.mux.HandleFunc("/in/{user}", func(w http.ResponseWriter, r *http.Request) {
		if err := session(r.Context()).Login(r.Context(), r.PathValue("user")); err != nil {
			s.m.Error(w, r, err)
		}
	})
	s.mux.HandleFunc("/instead/{user}/{id}", func(w http.ResponseWriter, r *http.Request) {
		if err := session(r.Context()).LoginInstead(r.Context(), r.PathValue("user"), sojourn.ID(r.PathValue("id"))); err != nil {
			s.m.Error(w, r, err)
		}
	})
	return s
}

func (s *site) count(owner string) int {
	s.t.Helper()
	list, err := s.m.List(s.t.Context(), owner)
	if err != nil {
		s.t.Fatal(err)
	}
	return len(list)
}

// 50 parallel logins with a limit of 5: exactly 5 live, whatever the policy, and
// exactly those that were told so hold one.
func TestMaxSessionsParallelLogins(t *testing.T) {
	for _, policy := range []string{"reject", "ask", "evict"} {
		s := crowdSite(t, &sojourn.Options{MaxSessions: 5, OnMaxSessions: policy})
		s.store.fault = func(op string) (before, after error) {
			if op == "list" { // a store that takes a while
				time.Sleep(time.Millisecond)
			}
			return nil, nil
		}
		bob := s.client()
		bob.ok("/in/bob")
		var clients [50]*client
		var wg sync.WaitGroup
		for i := range clients {
			clients[i] = s.client()
			wg.Go(func() {
				if a := clients[i].get("/in/ada"); a.code != 200 && (a.code != 409 || policy == "evict") {
					t.Errorf("%s: %d %q", policy, a.code, a.body)
				}
			})
		}
		wg.Wait()
		live := 0
		for _, c := range clients {
			if c.token == "" {
				continue
			}
			switch a := c.get("/owner"); {
			case a.body == "ada":
				live++
			case policy != "evict":
				t.Errorf("%s: logged in and out: %+v", policy, c.get("/status"))
			default:
				c.want("/status", 200, "ended evicted")
			}
		}
		if n := s.count("ada"); live != 5 || n != 5 {
			t.Errorf("%s: %d live, %d listed, expected 5", policy, live, n)
		}
		bob.want("/owner", 200, "bob")
	}
}

// Two processes on one store: the limit holds all the same.
func TestMaxSessionsOfTwoProcesses(t *testing.T) {
	for _, policy := range []string{"reject", "evict"} {
		for range 20 {
			a := crowdSite(t, &sojourn.Options{MaxSessions: 3, OnMaxSessions: policy})
			b := crowdSite(t, &sojourn.Options{MaxSessions: 3, OnMaxSessions: policy})
			m, err := sojourn.New(a.store, &sojourn.Options{MaxSessions: 3, OnMaxSessions: policy, Clock: a.clock.now})
			if err != nil {
				t.Fatal(err)
			}
			b.m, b.h = m, m.Handler(b.mux)
			var wg sync.WaitGroup
			for range 6 {
				wg.Go(func() { a.client().get("/in/ada") })
				wg.Go(func() { b.client().get("/in/ada") })
			}
			wg.Wait()
			if n := a.count("ada"); n > 3 {
				t.Fatalf("%s: %d live, expected 3 at most", policy, n)
			}
			a.clock.advance(time.Second)
			for range 4 { // what was withdrawn at once may be asked for again
				b.client().get("/in/ada")
			}
			if n := a.count("ada"); n != 3 {
				t.Fatalf("%s: %d live afterwards, expected 3", policy, n)
			}
		}
	}
}

// The oldest makes way, and a login over one's own session takes no room.
func TestMaxSessionsEvictsTheOldest(t *testing.T) {
	s := crowdSite(t, &sojourn.Options{MaxSessions: 2, OnMaxSessions: "evict"})
	var c [3]*client
	for i := range c {
		c[i] = s.client()
		c[i].ok("/in/ada")
		s.pass(time.Minute)
		c[0].get("/owner") // seen last, and the oldest all the same
		c[i].ok("/in/ada")
		s.pass(time.Minute)
	}
	c[0].want("/status", 200, "ended evicted")
	c[1].want("/owner", 200, "ada")
	c[2].want("/owner", 200, "ada")
}

// Asked, the page is told which sessions there are, and may choose.
func TestMaxSessionsAsks(t *testing.T) {
	s := crowdSite(t, &sojourn.Options{MaxSessions: 2, OnMaxSessions: "ask"})
	var refused error
	s.handle("/ask", func(ctx context.Context, _ *http.Request) (any, error) {
		refused = session(ctx).Login(ctx, "ada")
		return "", nil
	})
	one, two, bob, third := s.client(), s.client(), s.client(), s.client()
	one.ok("/in/ada")
	s.pass(time.Minute)
	two.ok("/in/ada")
	bob.ok("/in/bob")
	if a := third.ok("/ask"); a.cookie != "" {
		t.Errorf("a cookie for a login that failed: %+v", a)
	}
	var choice interface{ Devices() []sojourn.Status }
	if !errors.Is(refused, sojourn.ErrSessionLimit) || !errors.As(refused, &choice) {
		t.Fatal(refused)
	}
	list := choice.Devices()
	if len(list) != 2 || list[0].ID == list[1].ID || !list[0].Created.Before(list[1].Created) || list[0].Owner != "ada" {
		t.Fatalf("to choose from: %+v", list)
	}
	for _, stranger := range []string{"unknown", strings.Repeat("A", 30)} {
		if a := third.get("/instead/ada/" + stranger); a.code != 401 || a.cookie != "" {
			t.Errorf("instead of %s: %d", stranger, a.code)
		}
	}
	bobs, err := sojourn.ParseToken(bob.token)
	if err != nil {
		t.Fatal(err)
	}
	if a := third.get("/instead/ada/" + string(bobs.ID())); a.code != 401 || a.cookie != "" {
		t.Errorf("instead of bob's: %d", a.code)
	}
	bob.want("/owner", 200, "bob")
	third.ok("/instead/ada/" + string(list[0].ID))
	third.want("/owner", 200, "ada")
	one.want("/status", 200, "ended evicted")
	two.want("/owner", 200, "ada")
	if a := s.client().get("/in/ada"); a.code != 409 || !strings.Contains(a.body, `"code":"session_limit"`) || !strings.Contains(a.body, `"limit":2`) {
		t.Errorf("the answer: %d %s", a.code, a.body)
	}
}

// "reject" tells nothing about the other sessions.
func TestMaxSessionsRejectsWithoutList(t *testing.T) {
	s := crowdSite(t, &sojourn.Options{MaxSessions: 1})
	ctx := t.Context()
	if _, _, err := s.m.Create(ctx, "ada"); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.m.Create(ctx, "ada")
	var choice interface{ Devices() []sojourn.Status }
	if !errors.Is(err, sojourn.ErrSessionLimit) || errors.As(err, &choice) && len(choice.Devices()) != 0 {
		t.Errorf("%v %v", err, choice)
	}
	if n := s.count("ada"); n != 1 {
		t.Errorf("%d live", n)
	}
	s.clock.advance(31 * time.Minute) // expired ones take no room
	if _, _, err := s.m.Create(ctx, "ada"); err != nil {
		t.Error(err)
	}
}

// A limit that cannot be checked is an outage, and a store without lists says so.
func TestMaxSessionsWithoutAnswer(t *testing.T) {
	for _, policy := range []string{"reject", "evict"} {
		s := crowdSite(t, &sojourn.Options{MaxSessions: 1, OnMaxSessions: policy})
		s.store.fault = func(op string) (before, after error) {
			if op == "list" {
				return errLost, nil
			}
			return nil, nil
		}
		c := s.client()
		if a := c.get("/in/ada"); a.code != 503 || a.cookie != "" {
			t.Errorf("%s: %d, cookie %q", policy, a.code, a.cookie)
		}
		s.store.fault = nil
		if n := s.count("ada"); n != 0 {
			t.Errorf("%s: %d sessions that nobody has", policy, n)
		}
		s.store.fault = func(op string) (before, after error) {
			if op == "list" {
				return sojourn.ErrUnsupported, nil
			}
			return nil, nil
		}
		if a := c.get("/in/ada"); a.code != 500 || a.cookie != "" {
			t.Errorf("%s, no lists: %d", policy, a.code)
		}
	}
	for _, o := range []sojourn.Options{{MaxSessions: -1}, {MaxSessions: 20_000}, {MaxSessions: 1, OnMaxSessions: "panic"}} {
		if _, err := sojourn.New(newMapStore(), &o); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// A user names their own devices, from any of them, and nobody else's.
func TestLabelDevice(t *testing.T) {
	s := newSite(t, nil)
	s.handle("/label/{id}/{label}", func(ctx context.Context, r *http.Request) (any, error) {
		return "", session(ctx).LabelDevice(ctx, sojourn.ID(r.PathValue("id")), r.PathValue("label"))
	})
	id := func(c *client) string {
		token, err := sojourn.ParseToken(c.token)
		if err != nil {
			t.Fatal(err)
		}
		return string(token.ID())
	}
	one, two, bob, nobody := s.client(), s.client(), s.client(), s.client()
	one.ok("/login/ada")
	two.ok("/login/ada")
	bob.ok("/login/bob")
	nobody.ok("/set/k/v")
	one.ok("/label/" + id(one) + "/here")
	one.ok("/label/" + id(two) + "/there")
	for _, c := range []struct {
		by *client
		id string
	}{{one, id(bob)}, {one, id(nobody)}, {one, "unknown"}, {bob, id(one)}, {nobody, id(one)}, {s.client(), id(one)}} {
		if a := c.by.get("/label/" + c.id + "/mine"); a.code != 400 {
			t.Errorf("labelled %s: %d", c.id, a.code)
		}
	}
	if a := one.get("/label/" + id(two) + "/" + strings.Repeat("x", 65)); a.code != 400 {
		t.Errorf("65 bytes: %d", a.code)
	}
	if a := one.get("/label/" + id(two) + "/a%0Ab"); a.code != 400 {
		t.Errorf("a line break: %d", a.code)
	}
	want := map[string]string{id(one): "here", id(two): "there"}
	list, err := s.m.List(t.Context(), "ada")
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	for _, d := range list {
		if d.Label != want[string(d.ID)] {
			t.Errorf("%s is %q", d.ID, d.Label)
		}
	}
	if list, _ := s.m.List(t.Context(), "bob"); list[0].Label != "" {
		t.Errorf("bob's is %q", list[0].Label)
	}
}
