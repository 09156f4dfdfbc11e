package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

// The torture drives the promises of package sojourn end to end, on the store
// under test: many sessions, several writers each, two managers as if they were
// two processes, and a faulty store in front of each.

const (
	noLostUpdates = "Parallel requests of one session that write different keys all keep their writes, on every store. Counters add up exactly."
	harmless      = "A commit whose answer was lost (timeout) can be repeated without doubling a counter."
	everyone      = "List and revoke a user's sessions on every store that can; revoke-all also kills a login that races it."
)

var tortureCases = []testCase{
	{"TortureWrites", "P2, P3", noLostUpdates + " " + harmless, tortureWrites},
	{"TortureTake", "P2, P3", noLostUpdates + " " + harmless, tortureTake},
	{"TortureEnds", "P1", final, tortureEnds},
	{"TortureLogins", "P1, P2", final, tortureLogins},
	{"TortureRevokeOwner", "P13", everyone, tortureRevokeOwner},
	{"TortureRevokeOthers", "P13", everyone, tortureRevokeOthers},
}

// tortures is how many cases share Options.Torture.
const tortures = 6

// grace is how long a replaced secret works under torture.
const grace = 200 * time.Millisecond

// rig is one torture's machinery.
type rig struct {
	*env
	clean    *sojourn.Manager    // sees the store as it is
	managers [2]*sojourn.Manager // lose answers
	faults   [2]*faulty
	until    time.Time
	rounds   int

	acknowledged, unsure, gone atomic.Int64
}

// newRig starts a torture that gets its share of the time. The methods in spare
// never fail.
func (e *env) newRig(spare ...string) *rig {
	e.Helper()
	manager := func(s sojourn.Store) *sojourn.Manager {
		m, err := sojourn.New(s, &sojourn.Options{Policy: sojourn.Policy{Idle: time.Hour, Rotate: -1, Grace: grace}})
		if err != nil {
			e.Fatalf("sojourn.New: %v", err)
		}
		return m
	}
	r := &rig{env: e, clean: manager(e.store), until: time.Now().Add(e.opt.Torture / tortures)}
	for i := range r.managers {
		r.faults[i] = newFaulty(e.store, 0.1, spare...)
		r.managers[i] = manager(r.faults[i])
	}
	return r
}

// more reports whether there is time for another round; there always is for the first.
func (r *rig) more() bool {
	r.rounds++
	return !r.Failed() && r.ctx.Err() == nil && (r.rounds == 1 || time.Now().Before(r.until))
}

func (r *rig) manager() *sojourn.Manager { return r.managers[rand.N(len(r.managers))] }

// settle waits for what is still under way, so that the store can be looked at.
func (r *rig) settle() {
	for i, m := range r.managers {
		m.Close()
		r.faults[i].late.Wait()
	}
}

func (r *rig) report() {
	r.Helper()
	r.settle()
	r.Logf("%d rounds: %d commits acknowledged, %d unresolved, %d met an ended session; %d faults injected, %d of the store's own",
		max(1, r.rounds-1), r.acknowledged.Load(), r.unsure.Load(), r.gone.Load(),
		r.faults[0].injected.Load()+r.faults[1].injected.Load(), r.realFaults())
}

// realFaults counts failures that nobody injected: a store that is overloaded.
func (r *rig) realFaults() int64 { return r.faults[0].real.Load() + r.faults[1].real.Load() }

// insist repeats f, which must be harmless to repeat, while the store is unavailable.
func (r *rig) insist(what string, f func(m *sojourn.Manager) error) error {
	r.Helper()
	for range 100 {
		err := f(r.manager())
		if !errors.Is(err, sojourn.ErrUnavailable) || r.ctx.Err() != nil {
			return err
		}
	}
	r.Errorf("%s: the store is unavailable 100 times in a row", what)
	return sojourn.ErrUnavailable
}

// target is one session under torture.
type target struct {
	id    sojourn.ID
	token atomic.Pointer[string] // as the client holds it

	ended   atomic.Bool // it has been acknowledged that the session ended
	mayEnd  bool        // somebody is about to end it
	byOwner bool        // by its owner's generation: a late write may be stored, but not be seen

	acked, unsure atomic.Int64 // what was added to the counter, and perhaps was
}

func newTarget(id sojourn.ID, token sojourn.Token) *target {
	t := &target{id: id}
	t.hold(token)
	return t
}

func (t *target) hold(token sojourn.Token) {
	text := token.Reveal()
	t.token.Store(&text)
}

// begin creates a session on the clean manager.
func (r *rig) begin(owner string) *target {
	r.Helper()
	s, token, err := r.clean.Create(r.ctx, owner)
	if err != nil {
		r.Fatalf("Manager.Create: %v", err)
	}
	id, err := s.ID(r.ctx)
	if err != nil {
		r.Fatalf("Session.ID: %v", err)
	}
	return newTarget(id, token)
}

// open reaches the session by its token or, as jobs do, by its ID.
func (r *rig) open(t *target, m *sojourn.Manager) (*sojourn.Session, error) {
	if rand.N(2) == 0 {
		return m.Open(r.ctx, t.id)
	}
	return m.Authenticate(r.ctx, *t.token.Load())
}

// isGone tells an answer that the session has ended from a failure.
func isGone(err error) bool {
	return errors.Is(err, sojourn.ErrNotFound) || errors.Is(err, sojourn.ErrReplayed)
}

// carry is the context in which keys reach s.
func (r *rig) carry(s *sojourn.Session) context.Context { return sojourn.NewContext(r.ctx, s) }
