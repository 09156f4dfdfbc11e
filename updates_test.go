package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// Two processes share a store: their combiners do not know each other.
func TestP2NoLostUpdates(t *testing.T) {
	s := newSite(t, nil)
	second, err := sojourn.New(s.store, &sojourn.Options{Clock: s.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	c := s.client()
	c.ok("/login/ada")
	handlers := []http.Handler{s.h, second.Handler(s.mux)}
	const writers, rounds = 8, 20
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			mine := &client{s: &site{t: t, h: handlers[w%2]}}
			for i := range rounds {
				for _, path := range []string{"/add", fmt.Sprintf("/set/w%d-%d/x", w, i)} {
					if a := mine.send(c.token, path); a.code != 200 {
						t.Errorf("%s: %+v", path, a)
					}
				}
			}
		})
	}
	wg.Wait()
	c.want("/count", 200, fmt.Sprint(writers*rounds))
	for w := range writers {
		for i := range rounds {
			c.want(fmt.Sprintf("/get/w%d-%d", w, i), 200, "x")
		}
	}
}

func TestP2UpdateRunsAgain(t *testing.T) {
	s := newSite(t, nil)
	list := sojourn.Key[[]int]("list")
	s.handle("/push/{n}", func(ctx context.Context, r *http.Request) (any, error) {
		return list.Update(ctx, func(l []int) ([]int, error) { return append(l, len(l)), nil })
	})
	s.handle("/list", func(ctx context.Context, _ *http.Request) (any, error) { return list.Get(ctx) })
	c := s.client()
	c.ok("/add")
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() { c.send(c.token, "/push/1") })
	}
	wg.Wait()
	want := "[0"
	for i := 1; i < 30; i++ {
		want += fmt.Sprintf(" %d", i)
	}
	c.want("/list", 200, want+"]")
}

func TestP2WholeStructAndKeysMerge(t *testing.T) {
	s := newSite(t, nil)
	ctx := t.Context()
	a, token, err := s.m.Create(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.m.Open(ctx, token.ID())
	if err != nil {
		t.Fatal(err)
	}
	type data struct {
		Theme string `json:"theme,omitempty"`
		Cart  []int  `json:"cart"`
	}
	var fields sojourn.Fields[data]
	if _, err := fields.Update(sojourn.NewContext(ctx, a), func(d *data) error { d.Theme = "dark"; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := sojourn.Key[[]int]("cart").Set(sojourn.NewContext(ctx, b), []int{1, 2}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*sojourn.Session{b, a} { // the struct's commit meets a conflict
		if err := s.Save(ctx); err != nil {
			t.Fatal(err)
		}
	}
	last, err := s.m.Open(ctx, token.ID())
	if err != nil {
		t.Fatal(err)
	}
	got, err := fields.Load(sojourn.NewContext(ctx, last))
	if err != nil || got.Theme != "dark" || len(got.Cart) != 2 {
		t.Errorf("merged: %+v, %v", got, err)
	}
}

func TestP2TakeGivesToOne(t *testing.T) {
	s := newSite(t, nil)
	code := sojourn.Key[string]("code")
	ctx := t.Context()
	a, token, err := s.m.Create(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := code.Set(sojourn.NewContext(ctx, a), "secret"); err != nil {
		t.Fatal(err)
	}
	if err := a.Save(ctx); err != nil {
		t.Fatal(err)
	}
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			mine, err := s.m.Open(ctx, token.ID())
			if err != nil {
				t.Error(err)
				return
			}
			v, ok, err := code.Take(sojourn.NewContext(ctx, mine))
			if err != nil {
				t.Error(err)
			}
			if ok && v == "secret" {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d callers took the value, expected 1", won.Load())
	}
}

// What a visitor writes while another request of his logs in is not lost.
func TestP2NoLostUpdatesAtLogin(t *testing.T) {
	s := newSite(t, nil)
	for round := range 50 {
		c := s.client()
		c.ok("/add")
		anonymous := c.token
		var acknowledged atomic.Int64
		acknowledged.Store(1)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if a := c.send(anonymous, "/add"); a.code == 200 {
					acknowledged.Add(1)
				}
			})
		}
		var login answer
		wg.Go(func() { login = c.send(anonymous, "/login/ada") })
		wg.Wait()
		if a := c.send(login.cookie, "/count"); a.body != fmt.Sprint(acknowledged.Load()) {
			t.Fatalf("round %d: %s counted after login, %d acknowledged", round, a.body, acknowledged.Load())
		}
	}
}

var errLost = errors.New("connection lost")

func TestP3ALostAnswerIsHarmless(t *testing.T) {
	for _, tc := range []struct {
		name  string
		after bool
	}{{"before it was stored", false}, {"after it was stored", true}} {
		t.Run(tc.name, func(t *testing.T) {
			s := newSite(t, nil)
			c := s.client()
			lose := "create"
			s.store.fault = func(op string) (before, after error) {
				if op != lose {
					return nil, nil
				}
				lose = ""
				if tc.after {
					return nil, errLost
				}
				return errLost, nil
			}
			c.want("/add", 200, "1")
			for i := 2; i < 10; i++ {
				lose = "update"
				c.want("/add", 200, fmt.Sprint(i))
				c.want("/count", 200, fmt.Sprint(i))
			}
			for _, lose = range []string{"load", "revoke"} {
				c.ok("/count")
			}
			lose = "create"
			c.want("/login/ada", 200, "")
			lose = "update" // the old record's end
			c.want("/login/ada", 200, "")
			c.want("/count", 200, "9")
			c.want("/owner", 200, "ada")
		})
	}
}

func TestP3CommitsOfParallelRequestsSurviveALostAnswer(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	c.ok("/add")
	var n atomic.Int64
	s.store.fault = func(op string) (before, after error) {
		if op == "update" && n.Add(1)%3 == 0 {
			return nil, errLost
		}
		return nil, nil
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if a := c.send(c.token, "/add"); a.code != 200 && a.code != 503 {
					t.Errorf("%+v", a)
				} else if a.code == 503 {
					t.Errorf("one lost answer in a row must not fail the request: %+v", a)
				}
			}
		})
	}
	wg.Wait()
	c.want("/count", 200, "81")
}

// Clocks of processes differ: what one has noted a second ahead, another must
// not take for something long past.
func TestP3ALostAnswerAndClocksThatDiffer(t *testing.T) {
	s := newSite(t, nil)
	behind := newClock()
	behind.advance(-time.Second)
	other, err := sojourn.New(s.store.Store, &sojourn.Options{Clock: behind.now})
	if err != nil {
		t.Fatal(err)
	}
	c := s.client()
	c.ok("/login/ada")
	id := s.onlyLive()
	add := func(ctx context.Context) error { _, err := sojourn.Counter("n").Add(ctx, 1); return err }
	stored := false
	s.store.fault = func(op string) (before, after error) {
		switch {
		case op == "update" && !stored:
			stored = true
			return nil, errLost
		case op == "load" && stored: // before the answer is asked for again
			s.store.fault = nil
			if err := other.Do(t.Context(), id, add); err != nil {
				t.Error(err)
			}
		}
		return nil, nil
	}
	c.ok("/add")
	c.want("/count", 200, "2")
}

// A function given to Update may fail as a session does: that ends none.
func TestAFunctionsErrorIsItsOwn(t *testing.T) {
	for _, login := range []bool{false, true} {
		s := newSite(t, nil)
		c := s.client()
		s.handle("/page", func(ctx context.Context, _ *http.Request) (any, error) {
			runs := 0
			if _, err := keyK.Update(ctx, func(v string) (string, error) {
				if runs++; runs > 1 {
					return "", fmt.Errorf("looking for another session: %w", sojourn.ErrNotFound)
				}
				return v + "!", nil
			}); err != nil {
				return nil, err
			}
			c.send(c.token, "/set/other/x")
			if login {
				if err := session(ctx).Login(ctx, "ada"); err != nil {
					return nil, err
				}
			}
			if err := session(ctx).Save(ctx); !errors.Is(err, sojourn.ErrNotFound) {
				t.Errorf("%v, expected the function's error", err)
			}
			return keyK.Get(ctx)
		})
		c.ok("/set/k/v")
		c.want("/page", 200, "v")
		c.want("/set/k/w", 200, "")
	}
}
