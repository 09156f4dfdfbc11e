package memstore

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// What has ended goes first, then what belongs to nobody, then what expires
// soonest; what was just created stays.
func TestEvictionOrder(t *testing.T) {
	ctx := t.Context()
	s := New(&Options{MaxSessions: 9, Clock: fixed(epoch)})
	create(t, s, 0, "ada", epoch.Add(9*time.Hour))
	for n, owner := range []string{1: "ada", 2: "bob", 3: "eve"} { // eve's is of an older generation
		if n > 0 {
			create(t, s, n, owner, epoch.Add(time.Duration(n)*time.Hour))
		}
	}
	create(t, s, 4, "", epoch.Add(2*time.Hour))
	create(t, s, 5, "", epoch.Add(time.Hour))
	create(t, s, 6, "ada", epoch.Add(-time.Second)) // past its deadline, not yet left to tidy
	create(t, s, 7, "ada", epoch.Add(time.Hour))    // a tombstone
	create(t, s, 8, "bob", epoch.Add(30*time.Minute))
	if err := s.Revoke(ctx, sojourn.RevokedRecord{ID: testID(7), Owner: "ada", Until: epoch.Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.RevokeOwner(ctx, "eve"); err != nil {
		t.Fatal(err)
	}
	for k, n := range []int{6, 7, 3, 5, 4, 8, 1, 2, 0} {
		newest := create(t, s, 100+k, "new", epoch.Add(10*time.Hour))
		if r, err := s.Load(ctx, testID(n)); err == nil || r.Dead {
			t.Errorf("eviction %d left record %d", k, n)
		}
		if _, err := s.Load(ctx, newest.ID); err != nil {
			t.Errorf("eviction %d took the record just created", k)
		}
		if got := s.Stats(); got.Records != 9 || got.Evicted != uint64(k+1) {
			t.Errorf("after eviction %d: %+v", k, got)
		}
	}
}

// The newcomer stays even if it is the first candidate by rank.
func TestEvictionSparesTheNewcomer(t *testing.T) {
	s := New(&Options{MaxSessions: 1, Clock: fixed(epoch)})
	create(t, s, 1, "ada", epoch.Add(time.Hour))
	create(t, s, 2, "", epoch.Add(time.Second))
	if holds(t, s, 1) || !holds(t, s, 2) {
		t.Error("the newcomer was evicted")
	}
}

// A flood of visitors displaces visitors, and the bound holds under parallel
// calls.
func TestFlood(t *testing.T) {
	const users, bound, flood, workers = 1000, 4000, 20_000, 4
	s := New(&Options{MaxSessions: bound, Clock: fixed(epoch)})
	for n := range users {
		create(t, s, n, "ada", epoch.Add(time.Hour))
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := w; n < flood; n += workers {
				r := sojourn.Record{ID: testID(users + n), Expires: epoch.Add(24 * time.Hour)}
				if err := s.Create(context.Background(), &r); err != nil {
					t.Error(err)
					return
				}
				if got := s.Stats().Records; got > bound+workers {
					t.Errorf("%d records, bound %d", got, bound)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := s.Stats(); got.Records != bound || got.Evicted != users+flood-bound {
		t.Errorf("%+v, want %d records", got, bound)
	}
	left := 0
	for n := range users {
		if holds(t, s, n) {
			left++
		}
	}
	if left < users*99/100 {
		t.Errorf("%d of %d users were displaced", users-left, users)
	}
	checkTotals(t, s)
}

// checkTotals compares what the parts of a quiet store count.
func checkTotals(t *testing.T, s *Store) {
	t.Helper()
	var nodes, hung, owned, joined, listed, live int
	for i := range s.shards {
		sh := &s.shards[i]
		nodes += int(sh.live)
		for head := range append(sh.wheel.slots[:], sh.wheel.pending) {
			at := sh.wheel.pending
			if head < wheelSlots {
				at = sh.wheel.slots[head]
			}
			for ; at != 0; at = sh.node(at).next {
				hung++
				if n := sh.node(at); n.owner != nil {
					owned++
					if !n.dead {
						live++
					}
				}
			}
		}
	}
	for i := range s.owners {
		for name, o := range s.owners[i].owners {
			joined += int(o.records)
			listed += len(o.live)
			for k, n := range o.live {
				if n.owner != o || int(n.place) != k || o.name != name {
					t.Errorf("owner %q lists at %d a node of place %d", name, k, n.place)
				}
			}
		}
	}
	if nodes != hung || owned != joined || live != listed || nodes != s.Stats().Records {
		t.Errorf("%d nodes, %d on the wheel, %d counted; %d owned, %d joined; %d live, %d listed",
			nodes, hung, s.Stats().Records, owned, joined, live, listed)
	}
}
