package storetest

import (
	"errors"
	"sync"

	"github.com/sojournhq/sojourn"
)

const devicesRule = "List and revoke a user's sessions on every store that can; revoke-all also kills a login that races it."

var deviceCases = []testCase{
	{"DevicesAreTheirOwners", "P13", devicesRule, devicesAreTheirOwners},
	{"DevicesKeepTheirLimit", "P13", devicesRule, devicesKeepTheirLimit},
}

// devicesAreTheirOwners goes through every call that names a session by its ID,
// with one's own, somebody else's, nobody's, an ended and an unknown one.
func devicesAreTheirOwners(e *env) {
	m := e.manager(nil)
	ada, eve := newOwner(), newOwner()
	e.list(ada) // skips the case where there are no lists
	var mine [3]*sojourn.Session
	var ids [3]sojourn.ID
	for i := range mine {
		mine[i], ids[i] = e.session(m, ada)
	}
	_, hers := e.session(m, eve)
	_, nobodys := e.session(m, "")
	ended := ids[2]
	if err := mine[2].Revoke(e.ctx, sojourn.ReasonLogout); err != nil {
		e.Fatalf("Session.Revoke: %v", err)
	}
	s := mine[0]
	for what, id := range map[string]sojourn.ID{"another user's": hers, "nobody's": nobodys, "an ended": ended, "an unknown": newID(ada), "no": ""} {
		if err := s.LabelDevice(e.ctx, id, "mine"); !errors.Is(err, sojourn.ErrNotFound) {
			e.Errorf("LabelDevice of %s session: %v, expected ErrNotFound", what, err)
		}
		if err := s.RevokeDevice(e.ctx, id); !errors.Is(err, sojourn.ErrNotFound) {
			e.Errorf("RevokeDevice of %s session: %v, expected ErrNotFound", what, err)
		}
		visitor, _ := e.session(m, "")
		if err := visitor.LoginInstead(e.ctx, ada, id); !errors.Is(err, sojourn.ErrNotFound) {
			e.Errorf("LoginInstead of %s session: %v, expected ErrNotFound", what, err)
		}
	}
	if st, err := m.Inspect(e.ctx, hers); err != nil || st.State != sojourn.StateActive || st.Label != "" {
		e.Errorf("another user's session is %s, labelled %q: %v", st.State, st.Label, err)
	}
	if err := s.LabelDevice(e.ctx, ids[1], "the other"); err != nil {
		e.Errorf("LabelDevice: %v", err)
	}
	list, err := s.Devices(e.ctx)
	if err != nil {
		e.Fatalf("Devices: %v", err)
	}
	seen := map[sojourn.ID]sojourn.Status{}
	for _, d := range list {
		seen[d.ID] = d
	}
	if len(list) != 2 || !seen[ids[0]].Current || seen[ids[1]].Current || seen[ids[1]].Label != "the other" || seen[ids[1]].Owner != ada {
		e.Errorf("Devices: %d of them, %+v; expected the current one and one labelled", len(list), list)
	}
	if err := s.RevokeDevice(e.ctx, ids[1]); err != nil {
		e.Errorf("RevokeDevice: %v", err)
	}
	if list, err := s.Devices(e.ctx); err != nil || len(list) != 1 {
		e.Errorf("Devices after RevokeDevice: %d, %v; expected 1", len(list), err)
	}
}

// devicesKeepTheirLimit logs in from two processes at once.
func devicesKeepTheirLimit(e *env) {
	e.list(newOwner())
	const limit, logins = 3, 8
	for _, policy := range []string{"reject", "evict"} {
		owner := newOwner()
		opt := &sojourn.Options{MaxSessions: limit, OnMaxSessions: policy}
		managers := []*sojourn.Manager{e.manager(opt), e.manager(opt)}
		var all sync.WaitGroup
		for i := range logins {
			all.Go(func() {
				_, _, err := managers[i%2].Create(e.ctx, owner)
				if err != nil && !errors.Is(err, sojourn.ErrSessionLimit) {
					e.Errorf("%s: login: %v", policy, err)
				}
			})
		}
		all.Wait()
		for range limit { // one process may have withdrawn for another's that withdrew
			if _, _, err := managers[0].Create(e.ctx, owner); err != nil && !errors.Is(err, sojourn.ErrSessionLimit) {
				e.Errorf("%s: login: %v", policy, err)
			}
		}
		list, err := managers[1].List(e.ctx, owner)
		if err != nil || len(list) != limit {
			e.Errorf("%s: %d sessions live, %v; expected %d", policy, len(list), err, limit)
		}
	}
}

// manager rules over the store.
func (e *env) manager(opt *sojourn.Options) *sojourn.Manager {
	e.Helper()
	var o sojourn.Options
	if opt != nil {
		o = *opt
	}
	o.LoadTimeout, o.CommitTimeout = caseTimeout, caseTimeout
	m, err := sojourn.New(e.store, &o)
	if err != nil {
		e.Fatalf("New: %v", err)
	}
	return m
}

// session is a stored one of owner's, as its client would have it.
func (e *env) session(m *sojourn.Manager, owner string) (*sojourn.Session, sojourn.ID) {
	e.Helper()
	_, token, err := m.Create(e.ctx, owner)
	if err != nil {
		e.Fatalf("Create: %v", err)
	}
	s, err := m.Authenticate(e.ctx, token.Reveal())
	if err != nil {
		e.Fatalf("Authenticate: %v", err)
	}
	return s, token.ID()
}
