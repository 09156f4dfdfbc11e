package sojourn_test

import (
	"context"
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
