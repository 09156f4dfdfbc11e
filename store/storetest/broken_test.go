package storetest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// broken is a mapStore of which single methods are replaced by wrong ones.
type broken struct {
	*mapStore
	load        func(context.Context, sojourn.ID) (sojourn.Record, error)
	create      func(context.Context, *sojourn.Record) error
	update      func(context.Context, *sojourn.Record) (sojourn.Record, error)
	touch       func(context.Context, *sojourn.Record, time.Time) error
	revoke      func(context.Context, sojourn.RevokedRecord) error
	list        func(context.Context, string) ([]sojourn.ID, error)
	revokeOwner func(context.Context, string) (uint64, error)
	sweep       func(context.Context, time.Time, int) ([]sojourn.Record, error)
	ping        func(context.Context) error
}

func newBroken(breakIt func(b *broken)) *broken {
	s := newMapStore()
	b := &broken{s, s.Load, s.Create, s.Update, s.Touch, s.Revoke, s.List, s.RevokeOwner, s.Sweep, s.Ping}
	breakIt(b)
	return b
}

func (b *broken) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	return b.load(ctx, id)
}
func (b *broken) Create(ctx context.Context, r *sojourn.Record) error { return b.create(ctx, r) }
func (b *broken) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	return b.update(ctx, r)
}
func (b *broken) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	return b.touch(ctx, r, expires)
}
func (b *broken) Revoke(ctx context.Context, rr sojourn.RevokedRecord) error {
	return b.revoke(ctx, rr)
}
func (b *broken) List(ctx context.Context, owner string) ([]sojourn.ID, error) {
	return b.list(ctx, owner)
}
func (b *broken) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	return b.revokeOwner(ctx, owner)
}
func (b *broken) Sweep(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
	return b.sweep(ctx, before, limit)
}
func (b *broken) Ping(ctx context.Context) error { return b.ping(ctx) }

// locked runs f under the store's mutex.
func (b *broken) locked(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f()
}

// A mistake is one way to get a store wrong.
type mistake struct {
	name    string
	caught  string // the cases that must fail, by name
	breakIt func(b *broken)
}

func mistakes() []mistake {
	return slices.Concat(createMistakes, updateMistakes, touchMistakes, revokeMistakes, ownerMistakes,
		listMistakes, shapeMistakes, contextMistakes, sweepMistakes)
}

func brokenStore(t *testing.T, name string) func() sojourn.Store {
	t.Helper()
	for _, m := range mistakes() {
		if m.name == name {
			return func() sojourn.Store { return newBroken(m.breakIt) }
		}
	}
	t.Fatalf("no store is broken like this: %s", name)
	return nil
}

// TestBrokenStoresAreCaught is the suite's own proof: each mistake fails the
// cases that are about it.
func TestBrokenStoresAreCaught(t *testing.T) {
	for _, m := range mistakes() {
		t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			for _, name := range strings.Fields(m.caught) {
				if testing.Short() && name == "NothingVanishesEarly" {
					continue
				}
				r := record(t, name, func() sojourn.Store { return newBroken(m.breakIt) })
				if !r.Failed() {
					t.Errorf("case %s passes a store whose %s (skipped: %v)\n%s", name, m.name, r.skipped, r.log.String())
				}
			}
		})
	}
}

// TestEveryCaseCanFail demands a mistake for every case: one that cannot fail
// checks nothing.
func TestEveryCaseCanFail(t *testing.T) {
	proven := map[string]bool{"ReopenKeepsEverything": true, "ReopenUnderLoad": true} // by TestForgetfulStoreIsCaught
	for _, m := range mistakes() {
		for _, name := range strings.Fields(m.caught) {
			proven[name] = true
		}
	}
	for _, c := range cases() {
		if !proven[c.name] {
			t.Errorf("no broken store fails case %s", c.name)
		}
	}
}

// TestForgetfulStoreIsCaught reopens stores that lost something.
func TestForgetfulStoreIsCaught(t *testing.T) {
	healthy := func(s sojourn.Store) sojourn.Store { return s }
	everything := func(sojourn.Store) sojourn.Store { return newMapStore() }
	generations := func(s sojourn.Store) sojourn.Store {
		m := s.(*mapStore)
		m.mu.Lock()
		defer m.mu.Unlock()
		return &mapStore{records: m.records, generations: map[string]uint64{}}
	}
	lastWrites := func(s sojourn.Store) sojourn.Store {
		m, late := s.(*mapStore), newMapStore()
		m.mu.Lock()
		defer m.mu.Unlock()
		for id, r := range m.records {
			r.Version--
			r.Payload = []byte("of an earlier version")
			late.records[id] = r
		}
		m.records = map[sojourn.ID]sojourn.Record{} // the writers under way meet a closed store
		return late
	}
	for _, c := range []struct {
		name   string
		reopen func(sojourn.Store) sojourn.Store
		fails  bool
	}{
		{"ReopenKeepsEverything", healthy, false},
		{"ReopenKeepsEverything", everything, true},
		{"ReopenKeepsEverything", generations, true},
		{"ReopenKeepsEverything", lastWrites, true},
		{"ReopenUnderLoad", healthy, false},
		{"ReopenUnderLoad", everything, true},
		{"ReopenUnderLoad", lastWrites, true},
	} {
		r := recordReopening(t, c.name, func() sojourn.Store { return newMapStore() }, c.reopen)
		if r.Failed() != c.fails {
			t.Errorf("%s: failed is %v, expected %v\n%s", c.name, r.Failed(), c.fails, r.log.String())
		}
	}
}
