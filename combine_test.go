package sojourn_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
)

// A stall is a store in which something happens before the next Update takes
// effect, or before it is answered.
type stall struct {
	sojourn.Store
	before, after atomic.Pointer[func()]
}

func (s *stall) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	if f := s.before.Swap(nil); f != nil {
		(*f)()
	}
	current, err := s.Store.Update(ctx, r)
	if f := s.after.Swap(nil); f != nil {
		(*f)()
	}
	return current, err
}

// stalled gives the site such a store. Commits of the session that begin
// meanwhile queue behind the one that waits.
func (s *site) stalled() *stall {
	st := &stall{Store: s.store.Store}
	s.store.Store = st
	return st
}

// A batch may be larger than what a record remembers of commits.
func TestP3ALostAnswerOfManyTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		c := s.client()
		c.ok("/login/ada")
		const writers = 200
		var wg sync.WaitGroup
		during := func() {
			lost := false
			s.store.fault = func(op string) (before, after error) {
				if op == "update" && !lost {
					lost = true
					return nil, errLost
				}
				return nil, nil
			}
			for range writers {
				wg.Go(func() {
					if a := c.send(c.token, "/add"); a.code != 200 {
						t.Errorf("%+v", a)
					}
				})
			}
			synctest.Wait()
		}
		s.stalled().before.Store(&during)
		if a := c.send(c.token, "/add"); a.code != 200 {
			t.Errorf("%+v", a)
		}
		wg.Wait()
		c.want("/count", 200, "201")
	})
}

// Two logins of one visitor at the same time, as by a double click: the first
// takes along what he collected, the second is no error.
func TestTwoLoginsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		c := s.client()
		for range 3 { // the secret's renewal is due, too
			c.ok("/set/k/v")
			s.pass(25 * time.Minute)
		}
		var second answer
		var wg sync.WaitGroup
		during := func() {
			wg.Go(func() { second = c.send(c.token, "/login/ada") })
			synctest.Wait()
		}
		s.stalled().before.Store(&during)
		first := c.send(c.token, "/login/ada")
		wg.Wait()
		for _, a := range []answer{first, second} {
			if b := c.send(a.cookie, "/owner"); a.code != 200 || b.body != "ada" {
				t.Errorf("login: %+v, then owner %q", a, b.body)
			}
		}
		if a := c.send(first.cookie, "/get/k"); a.body != "v" {
			t.Errorf("after the first login k = %q", a.body)
		}
	})
}

// What queues behind a commit meets the record that this one stored, and
// another process may have changed it since. What a function refuses there is no
// refusal yet.
func TestP2NothingIsRefusedForAnOldRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		ctx := t.Context()
		other, err := sojourn.New(s.store.Store, &sojourn.Options{Clock: s.clock.now})
		if err != nil {
			t.Fatal(err)
		}
		c := s.client()
		c.ok("/add")
		id := s.onlyLive()
		for _, late := range []func(ctx context.Context, mine *sojourn.Session) error{
			func(ctx context.Context, mine *sojourn.Session) error {
				_, revision, err := mine.Members(ctx)
				if err != nil {
					return err
				}
				got, err := mine.Patch(ctx, map[string]json.RawMessage{"p": json.RawMessage("1")}, &revision)
				if got != revision+1 {
					t.Errorf("revision %d, expected %d", got, revision+1)
				}
				return err
			},
			func(ctx context.Context, mine *sojourn.Session) error {
				_, err := sojourn.Key[int]("balance").Update(ctx, func(n int) (int, error) {
					if n == 0 {
						return 0, errors.New("nothing left")
					}
					return n - 1, nil
				})
				return errors.Join(err, mine.Save(ctx))
			},
			func(ctx context.Context, mine *sojourn.Session) error {
				_, err := sojourn.Key[int]("balance").Update(ctx, func(n int) (int, error) {
					if n == 0 {
						panic("nothing left")
					}
					return n, nil
				})
				return errors.Join(err, mine.Save(ctx))
			},
		} {
			var wg sync.WaitGroup
			during := func() {
				if err := other.Do(ctx, id, func(ctx context.Context) error { return sojourn.Key[int]("balance").Set(ctx, 2) }); err != nil {
					t.Error(err)
				}
				mine, err := s.m.Open(ctx, id)
				if err != nil {
					t.Error(err)
					return
				}
				wg.Go(func() {
					if err := late(sojourn.NewContext(ctx, mine), mine); err != nil {
						t.Error(err)
					}
				})
				synctest.Wait()
			}
			s.stalled().after.Store(&during)
			c.ok("/add")
			wg.Wait()
			if err := other.Do(ctx, id, func(ctx context.Context) error { return sojourn.Key[int]("balance").Delete(ctx) }); err != nil {
				t.Error(err)
			}
			s.store.Store = s.store.Store.(*stall).Store
		}
		c.want("/count", 200, "4")
	})
}
