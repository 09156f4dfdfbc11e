package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

// tortureWrites has sessions that nobody ends: every acknowledged write is there
// at the end, once, whatever was lost, renewed or extended on the way.
func tortureWrites(e *env) {
	r := e.newRig()
	defer r.report()
	const sessions, writers = 5, 4
	targets, visitors := make([]*target, sessions), make([][]*visitor, sessions)
	var all sync.WaitGroup
	for i := range targets {
		owner := ""
		if i%2 == 0 {
			owner = newOwner()
		}
		t := r.begin(owner)
		targets[i], visitors[i] = t, newVisitors(writers)
		all.Go(func() { r.renew(t) })
		for _, v := range visitors[i] {
			all.Go(func() {
				for time.Now().Before(r.until) && !r.Failed() {
					r.visit(t, v)
				}
			})
		}
	}
	all.Wait()
	r.settle()
	for i, t := range targets {
		s, err := r.clean.Open(r.ctx, t.id)
		if err != nil {
			r.Fatalf("opening a live session at the end: %v", err)
		}
		r.verify(t, s, visitors[i])
		if _, err := r.clean.Authenticate(r.ctx, *t.token.Load()); err != nil {
			r.Errorf("the client's token at the end: %v", err)
		}
	}
}

// renew replaces the secret, as the rotation timer does, once per grace.
func (r *rig) renew(t *target) {
	for next := time.Now(); next.Before(r.until) && !r.Failed(); {
		time.Sleep(time.Until(next))
		next = time.Now().Add(grace + grace/4)
		s, err := r.manager().Authenticate(r.ctx, *t.token.Load())
		if err == nil {
			err = s.Renew(r.ctx)
		}
		if err == nil {
			err = s.Save(r.ctx)
		}
		var token sojourn.Token
		if err == nil {
			token, err = s.Token(r.ctx)
		}
		switch {
		case err == nil && token.ID() != "":
			t.hold(token)
		case err != nil && !errors.Is(err, sojourn.ErrUnavailable): // a lost answer must be harmless
			r.Errorf("renewing the secret of a live session: %v", err)
			return
		}
	}
}

// tortureTake hands out things that exist once to parallel takers.
func tortureTake(e *env) {
	r := e.newRig()
	defer r.report()
	const takers, tickets = 5, 4
	for r.more() {
		t := r.begin("")
		s, err := r.clean.Open(r.ctx, t.id)
		if err != nil {
			r.Fatalf("Manager.Open: %v", err)
		}
		for i := range tickets {
			if err := ticket(i).Set(r.carry(s), i+1); err != nil {
				r.Fatalf("Key.Set: %v", err)
			}
		}
		if err := s.Save(r.ctx); err != nil {
			r.Fatalf("Session.Save: %v", err)
		}
		var taken, unsure [tickets]atomic.Int32
		parallel(takers, func(n int) {
			for i := range tickets {
				i = (i + n) % tickets
				s, err := r.manager().Open(r.ctx, t.id)
				if errors.Is(err, sojourn.ErrUnavailable) {
					continue
				}
				var v int
				var ok bool
				if err == nil {
					v, ok, err = ticket(i).Take(r.carry(s))
				}
				switch {
				case errors.Is(err, sojourn.ErrUnavailable):
					unsure[i].Add(1)
					r.unsure.Add(1)
				case err != nil:
					r.Errorf("Key.Take: %v", err)
				case ok && v != i+1:
					r.Errorf("Key.Take returned %d, expected %d", v, i+1)
				case ok:
					taken[i].Add(1)
					r.acknowledged.Add(1)
				}
			}
		})
		r.settle()
		for i := range tickets {
			s, err := r.clean.Open(r.ctx, t.id)
			if err != nil {
				r.Fatalf("Manager.Open: %v", err)
			}
			_, left, err := ticket(i).Lookup(r.carry(s))
			if err != nil {
				r.Fatalf("Key.Lookup: %v", err)
			}
			n, perhaps := taken[i].Load(), unsure[i].Load()
			if n > 1 || n == 1 && left || n == 0 && perhaps == 0 && !left {
				r.Errorf("a member was taken %d times (perhaps %d more) and is left: %v, expected exactly once", n, perhaps, left)
			}
		}
	}
}

func ticket(i int) sojourn.Key[int] { return sojourn.Key[int](fmt.Sprintf("ticket-%d", i)) }
