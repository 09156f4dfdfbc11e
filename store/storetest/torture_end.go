package storetest

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

// assail writes to t from several sides until it has gone, and calls end once
// the writers are at it. It returns the writers.
func (r *rig) assail(t *target, writers int, end func()) []*visitor {
	t.mayEnd = true
	visitors := newVisitors(writers)
	var visits atomic.Int32
	var ending atomic.Bool
	var all sync.WaitGroup
	for _, v := range visitors {
		all.Go(func() {
			for after := 0; after < 3 && !r.Failed(); {
				ended, began := t.ended.Load(), time.Now()
				r.visit(t, v)
				visits.Add(1)
				if ended { // come back some times more
					after++
				} else if ending.Load() { // a login must find a gap between the commits
					time.Sleep(rand.N(2*time.Since(began) + time.Millisecond))
				}
			}
		})
	}
	for visits.Load() < int32(writers) && !r.Failed() {
		time.Sleep(50 * time.Microsecond)
	}
	slow, err := r.clean.Open(r.ctx, t.id)
	if err != nil {
		r.Errorf("opening a live session: %v", err)
	}
	time.Sleep(rand.N(2 * time.Millisecond))
	ending.Store(true)
	end()
	t.ended.Store(true)
	all.Wait()
	if err == nil && !r.Failed() {
		r.tooLate(slow)
	}
	return visitors
}

// tooLate is a request that began while the session lived and reaches the store
// after its end.
func (r *rig) tooLate(s *sojourn.Session) {
	r.Helper()
	ctx := r.carry(s)
	if err := s.Extend(ctx); err != nil && !isGone(err) {
		r.Errorf("Session.Extend of a slow request: %v", err)
	}
	if _, err := hits.Add(ctx, 1000); err != nil && !isGone(err) {
		r.Errorf("Counter.Add of a slow request: %v", err)
	}
	if err := s.Save(ctx); !isGone(err) {
		r.Errorf("Session.Save of a slow request, after the session ended: error %v, expected ErrNotFound", err)
	}
}

// stayedDead looks at an ended session when everything has come to rest.
func (r *rig) stayedDead(t *target, reasons ...sojourn.Reason) {
	r.Helper()
	st, err := r.clean.Inspect(r.ctx, t.id)
	if err != nil {
		r.Fatalf("Manager.Inspect: %v", err)
	}
	known := len(reasons) == 0
	for _, reason := range reasons {
		known = known || st.Reason == reason
	}
	if st.State != sojourn.StateEnded || !known {
		r.Errorf("an ended session is %q with reason %q, expected %q with %q", st.State, st.Reason, sojourn.StateEnded, reasons)
	}
	if _, err := r.clean.Authenticate(r.ctx, *t.token.Load()); !isGone(err) {
		r.Errorf("the token of an ended session: error %v, expected ErrNotFound", err)
	}
}

// tortureEnds ends sessions under the hands of their writers.
func tortureEnds(e *env) {
	r := e.newRig()
	defer r.report()
	for r.more() {
		t := r.begin([]string{"", newOwner()}[rand.N(2)])
		reason := []sojourn.Reason{sojourn.ReasonLogout, sojourn.ReasonRevoked, "left-the-company"}[rand.N(3)]
		r.assail(t, 4, func() {
			err := r.insist("ending a session", func(m *sojourn.Manager) error {
				if reason == sojourn.ReasonRevoked {
					return m.Revoke(r.ctx, t.id, reason)
				}
				s, err := m.Open(r.ctx, t.id)
				switch {
				case errors.Is(err, sojourn.ErrNotFound): // by the attempt before
					return nil
				case err != nil:
					return err
				case reason == sojourn.ReasonLogout:
					return s.Logout(r.ctx)
				}
				return s.Revoke(r.ctx, reason)
			})
			if err != nil {
				r.Errorf("ending a session: %v", err)
			}
		})
		r.settle()
		r.stayedDead(t, reason)
	}
}

// tortureLogins moves sessions to a new ID under the hands of their writers:
// nothing acknowledged stays behind, and the old ID is dead.
func tortureLogins(e *env) {
	r := e.newRig()
	defer r.report()
	for r.more() {
		t, owner := r.begin(""), newOwner()
		var moved sojourn.Token
		attempts := 0
		visitors := r.assail(t, 4, func() {
			err := r.insist("login", func(m *sojourn.Manager) error {
				attempts++
				s, err := m.Authenticate(r.ctx, *t.token.Load())
				if err == nil {
					err = s.Login(r.ctx, owner)
				}
				if err == nil {
					err = s.Save(r.ctx)
				}
				if err == nil {
					moved, err = s.Token(r.ctx)
				}
				if errors.Is(err, sojourn.ErrConflict) { // the writers left no gap
					r.unsure.Add(1)
					return sojourn.ErrUnavailable
				}
				return err
			})
			if err != nil && (attempts == 1 || !isGone(err)) {
				r.Errorf("Session.Login: %v", err)
			}
		})
		r.settle()
		r.stayedDead(t, sojourn.ReasonMoved)
		if moved.ID() == "" { // the answer to the login was lost: the user logs in again
			r.unsure.Add(1)
			continue
		}
		s, err := r.clean.Authenticate(r.ctx, moved.Reveal())
		if err != nil {
			r.Fatalf("the token that a login returned: %v", err)
		}
		if got, err := s.Owner(r.ctx); got != owner || err != nil {
			r.Errorf("after login, the owner is %q (error %v), expected %q", got, err, owner)
		}
		r.verify(t, s, visitors)
	}
}
