package enginetest

import (
	"sync"
	"testing"

	"github.com/sojournhq/sojourn"
)

// CreatesRaceRevokeOwner lets logins of one user race "sign out everywhere", many
// times: a login that was called after RevokeOwner had answered is alive, one that
// had answered before RevokeOwner was called is dead, and none has a generation
// that its stamp does not match (P13).
func CreatesRaceRevokeOwner(t *testing.T, s sojourn.Store, rounds int) {
	const logins = 4
	died := 0
	for range rounds {
		owner := unique("owner")
		before := create(t, s, owner)
		var records [logins]sojourn.Record
		var generation uint64
		var err error
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i := range records {
			wg.Go(func() {
				r := newRecord(owner)
				<-start
				if err := s.Create(t.Context(), &r); err != nil {
					t.Error(err)
				}
				records[i] = r
			})
		}
		wg.Go(func() {
			<-start
			generation, err = s.RevokeOwner(t.Context(), owner)
		})
		close(start)
		wg.Wait()
		if err != nil || generation != 1 {
			t.Fatalf("RevokeOwner gives %d, %v: expected 1", generation, err)
		}
		after := create(t, s, owner)
		if after.Generation != generation || before.Generation >= generation {
			t.Errorf("generations are %d before, %d after: expected 0 and %d", before.Generation, after.Generation, generation)
		}
		for _, r := range records {
			got, err := s.Load(t.Context(), r.ID)
			if err != nil || got.Generation != r.Generation || got.OwnerGeneration != generation || r.Generation > generation {
				t.Errorf("a racing login was stamped %d and is %v, %v", r.Generation, got, err)
			}
			if got.Generation < generation {
				died++
			}
		}
	}
	t.Logf("%d of %d racing logins died", died, rounds*logins)
}

// Names that a database would take for the same if it compared them as text.
var lookalikes = []string{"ada", "Ada", "ADA", "ada ", " ada", "ada  ", "ada\t", "áda", "a\u0301da", "ada\x01", "ada%", "ad_", "ada'", `ada\`, "ädä", "ss", "ß", "ﬁ", "fi", "\xff\xfe"}

// NamesAreBytes keeps users and sessions apart whose names look alike.
func NamesAreBytes(t *testing.T, s sojourn.Store) {
	prefix := unique("")
	for i, name := range lookalikes {
		r := sojourn.Record{ID: sojourn.ID(prefix + name), Owner: prefix + name, Expires: in(0), Payload: []byte(name)}
		if err := s.Create(t.Context(), &r); err != nil {
			t.Errorf("create %q: %v", name, err)
		}
		for range i {
			if _, err := s.RevokeOwner(t.Context(), prefix+name); err != nil {
				t.Errorf("revoke %q: %v", name, err)
			}
		}
	}
	for i, name := range lookalikes {
		r, err := s.Load(t.Context(), sojourn.ID(prefix+name))
		if err != nil || r.Owner != prefix+name || string(r.Payload) != name || r.OwnerGeneration != uint64(i) {
			t.Errorf("load %q gives %v, %v: expected generation %d", name, r, err, i)
		}
		if ids, err := s.List(t.Context(), prefix+name); err != nil || len(ids) != 1 || string(ids[0]) != prefix+name {
			t.Errorf("list %q gives %q, %v", name, ids, err)
		}
	}
}
