package storetest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

// tortureRevokeOwner revokes all sessions of a user while others of the same
// user begin and are written to.
func tortureRevokeOwner(e *env) {
	r := e.newRig()
	defer r.report()
	for r.more() {
		owner := newOwner()
		const before, during, after = 0, 1, 2
		var phase atomic.Int32 // of RevokeOwner: not begun, begun, answered
		type login struct {
			*target
			begun, end int32
		}
		logins := make([][]login, 3)
		old := r.begin(owner)
		old.mayEnd, old.byOwner = true, true
		parallel(len(logins)+3, func(i int) {
			if i == len(logins) { // the one who revokes
				time.Sleep(rand.N(2 * time.Millisecond))
				phase.Store(during)
				err := r.insist("RevokeOwner", func(m *sojourn.Manager) error { return m.RevokeOwner(r.ctx, owner) })
				if err != nil {
					r.Errorf("Manager.RevokeOwner: %v", err)
				}
				old.ended.Store(true)
				phase.Store(after)
				return
			}
			if i > len(logins) { // writers of a session that began long before
				v := newVisitors(1)[0]
				for rest := 3; rest > 0 && !r.Failed(); {
					if old.ended.Load() {
						rest--
					}
					r.visit(old, v)
				}
				return
			}
			for rest := 2; rest > 0 && !r.Failed(); { // those who log in
				l := login{begun: phase.Load()}
				s, token, err := r.loginAs(owner)
				if l.begun == after {
					rest--
				}
				if errors.Is(err, sojourn.ErrUnavailable) {
					continue
				}
				if err != nil {
					r.Errorf("a login that races RevokeOwner: %v", err)
					return
				}
				l.end = phase.Load()
				id, err := s.ID(r.ctx)
				if err != nil {
					r.Errorf("Session.ID: %v", err)
					return
				}
				l.target = newTarget(id, token)
				logins[i] = append(logins[i], l)
			}
		})
		r.settle()
		r.stayedDead(old)
		for _, l := range slices.Concat(logins...) {
			switch {
			case l.end == before:
				r.stayedDead(l.target)
			case l.begun == after && r.realFaults() == 0: // else another RevokeOwner of ours may have landed late
				if _, err := r.clean.Authenticate(r.ctx, *l.token.Load()); err != nil {
					r.Errorf("a session that began after RevokeOwner had answered: %v", err)
				}
			}
		}
	}
}

// loginAs begins a session of owner, directly or out of an anonymous one.
func (r *rig) loginAs(owner string) (*sojourn.Session, sojourn.Token, error) {
	m := r.manager()
	if rand.N(2) == 0 {
		return m.Create(r.ctx, owner)
	}
	s, token, err := m.Create(r.ctx, "")
	if err == nil {
		err = s.Login(r.ctx, owner)
	}
	if err == nil {
		err = s.Save(r.ctx)
	}
	if err == nil {
		token, err = s.Token(r.ctx)
	}
	return s, token, err
}

// tortureRevokeOthers revokes all sessions of a user but one that others write
// to: it stays, with everything that was acknowledged.
func tortureRevokeOthers(e *env) {
	r := e.newRig("RevokeOwner") // nobody can tell whether one that failed raised the generation
	defer r.report()
	for r.more() {
		owner := newOwner()
		keep := r.begin(owner)
		keep.mayEnd = true // for the moment between the two steps
		others := []*target{r.begin(owner), r.begin(owner), r.begin(owner)}
		visitors := newVisitors(3)
		var done atomic.Bool
		var err error
		parallel(len(visitors)+1, func(i int) {
			if i < len(visitors) {
				for !done.Load() && !r.Failed() {
					r.visit(keep, visitors[i])
				}
				return
			}
			defer done.Store(true)
			time.Sleep(rand.N(2 * time.Millisecond))
			err = r.insist("opening the session to keep", func(m *sojourn.Manager) error {
				s, err := m.Open(r.ctx, keep.id)
				if err != nil {
					return err
				}
				if err = m.RevokeOthers(r.ctx, s); errors.Is(err, sojourn.ErrUnavailable) {
					return errLost // the session to keep may have ended, too: not to be repeated
				}
				return err
			})
		})
		r.settle()
		for _, t := range others {
			if err == nil {
				r.stayedDead(t)
			}
		}
		switch {
		case errors.Is(err, errLost), err != nil && r.realFaults() > 0:
			r.unsure.Add(1)
			continue
		case err != nil:
			r.Errorf("Manager.RevokeOthers: %v", err)
			continue
		}
		s, err := r.clean.Open(r.ctx, keep.id)
		if err != nil {
			r.Errorf("the session that RevokeOthers kept: %v", err)
			continue
		}
		r.verify(keep, s, visitors)
		for range 2 { // it goes on
			if keep.mayEnd = false; r.visit(keep, visitors[0]) {
				r.Errorf("the session that RevokeOthers kept has gone")
			}
		}
	}
}
