package memstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// P1, P2: writers add to counters by compare-and-set while others touch, list,
// revoke, revoke owners, sweep, and flood the store. No addition is lost, and
// nothing that was revoked is ever met alive again.
func TestEverythingAtOnce(t *testing.T) {
	const counters, writers = 8, 4
	additions := 20_000
	if testing.Short() || raceEnabled {
		additions = 4000
	}
	s, ctx := New(&Options{Clock: fixed(epoch)}), context.Background()
	far := epoch.Add(24 * time.Hour)
	for n := range counters {
		r := sojourn.Record{ID: testID(n), Owner: fmt.Sprint("user", n%2), Expires: far, Payload: make([]byte, 8)}
		if err := s.Create(ctx, &r); err != nil {
			t.Fatal(err)
		}
	}
	var stop atomic.Bool
	var working, noise sync.WaitGroup
	for w := range writers {
		working.Go(func() {
			for k := range additions {
				if err := add(s, testID((k+w)%counters)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var drawn atomic.Int64
	for range 2 {
		noise.Go(func() { // short lives
			for !stop.Load() {
				n := counters + int(drawn.Add(1))
				r := sojourn.Record{ID: testID(n), Owner: fmt.Sprint("user", n%5), Expires: epoch.Add(time.Duration(rand.IntN(40)-20) * time.Second)}
				if err := s.Create(ctx, &r); err != nil {
					t.Error(err)
				}
				s.Touch(ctx, &r, r.Expires.Add(5*time.Second))
				if n%2 == 0 {
					s.Revoke(ctx, sojourn.RevokedRecord{ID: r.ID, Owner: r.Owner, Until: epoch.Add(-time.Second)})
					if _, err := s.Load(ctx, r.ID); !errors.Is(err, sojourn.ErrNotFound) {
						t.Errorf("alive after Revoke: %v", err)
					}
					if _, err := s.Update(ctx, &r); !errors.Is(err, sojourn.ErrNotFound) {
						t.Errorf("updated after Revoke: %v", err)
					}
				}
			}
		})
	}
	noise.Go(func() {
		for !stop.Load() {
			got, err := s.Sweep(ctx, epoch, 50)
			if err != nil {
				t.Error(err)
			}
			for _, r := range got {
				if !r.Expires.Before(epoch) {
					t.Errorf("swept what expires %v", r.Expires)
				}
			}
		}
	})
	noise.Go(func() {
		for !stop.Load() {
			owner := fmt.Sprint("user", rand.IntN(5))
			ids, err := s.List(ctx, owner)
			if err != nil {
				t.Error(err)
			}
			for _, id := range ids {
				if r, err := s.Load(ctx, id); err == nil && r.Owner != owner {
					t.Errorf("%s listed for %s, belongs to %s", id, owner, r.Owner)
				}
			}
			s.RevokeOwner(ctx, owner)
			s.Stats()
		}
	})
	working.Wait()
	for drawn.Load() < 1000 { // enough sessions came and went
		runtime.Gosched()
	}
	stop.Store(true)
	noise.Wait()

	var sum uint64
	for n := range counters {
		r, err := s.Load(ctx, testID(n))
		if err != nil {
			t.Fatal(err)
		}
		sum += binary.BigEndian.Uint64(r.Payload)
	}
	if sum != uint64(writers*additions) {
		t.Errorf("%d additions kept, want %d", sum, writers*additions)
	}
	checkTotals(t, s)
	for {
		got, err := s.Sweep(ctx, far.Add(time.Second), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) < 1000 {
			break
		}
	}
	checkTotals(t, s)
	if got := s.Stats().Records; got != 0 {
		t.Errorf("%d records left after sweeping all", got)
	}
}

// add adds one to the counter that is the payload of a record.
func add(s *Store, id sojourn.ID) error {
	ctx := context.Background()
	r, err := s.Load(ctx, id)
	for err == nil {
		next := binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(r.Payload)+1)
		r.Payload = next
		var current sojourn.Record
		if current, err = s.Update(ctx, &r); err == nil {
			return nil
		}
		if errors.Is(err, sojourn.ErrConflict) {
			r, err = current, nil
		}
	}
	return err
}

// Two sweeps at once return each record once and leave none.
func TestParallelSweeps(t *testing.T) {
	s, ctx := New(nil), context.Background()
	const records = 20_000
	for n := range records {
		create(t, s, n, "", epoch.Add(time.Duration(n)*time.Millisecond))
	}
	var mu sync.Mutex
	seen := make(map[sojourn.ID]bool, records)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				got, err := s.Sweep(ctx, epoch.Add(time.Hour), 100)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, r := range got {
					if seen[r.ID] {
						t.Errorf("%s swept twice", r.ID)
					}
					seen[r.ID] = true
				}
				mu.Unlock()
				if len(got) < 100 {
					return
				}
			}
		})
	}
	wg.Wait()
	if len(seen) != records || s.Stats().Records != 0 {
		t.Errorf("%d of %d swept", len(seen), records)
	}
}
