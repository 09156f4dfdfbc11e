package nearstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/nearstore"
)

// Two nodes before one source that fails, loses answers and delivers some late,
// while sessions are read, written, touched, revoked, and revoked with their
// owners. Whatever was acknowledged as ended on a node is never alive there
// again, and on the other node not after the bound.
func TestP1Torture(t *testing.T) {
	for name, watch := range map[string]bool{"alone": false, "with reports": true} {
		t.Run(name, func(t *testing.T) { torture(t, watch) })
	}
}

func torture(t *testing.T, watch bool) {
	const limit = 3 * time.Millisecond
	src := &feed{source: newSource(), listeners: map[chan error]func(sojourn.ID, string){}}
	flaky := func(rate float64) *func(context.Context, string) error {
		f := func(context.Context, string) error {
			if rand.N(4) == 0 {
				time.Sleep(rand.N(2 * time.Millisecond))
			}
			if rand.Float64() < rate {
				return errDown
			}
			return nil
		}
		return &f
	}
	src.before.Store(flaky(0.05))
	src.after.Store(flaky(0.05))
	ctx, cancel := context.WithCancel(t.Context())
	var running, working sync.WaitGroup
	all := make([]*nearstore.Store, 2)
	for i := range all {
		all[i] = nearstore.New(src, &nearstore.Options{Guarantee: nearstore.Bounded(limit), MaxBytes: 200 << 10})
		if watch {
			running.Go(func() { all[i].Run(ctx) })
		}
	}
	if watch {
		running.Go(func() {
			for ctx.Err() == nil {
				time.Sleep(20 * time.Millisecond)
				src.cut()
			}
		})
	}
	var rounds, served, hits atomic.Int64
	until := time.Now().Add(2 * time.Second)
	if testing.Short() {
		until = time.Now().Add(300 * time.Millisecond)
	}
	for w := range 4 {
		working.Go(func() {
			for k := 0; time.Now().Before(until) && !t.Failed(); k++ {
				rounds.Add(1)
				tortureOne(t, all, fmt.Sprintf("s-%d-%d", w, k), &served, &hits)
			}
		})
	}
	working.Wait()
	cancel()
	running.Wait()
	if served.Load() == 0 || hits.Load() == 0 {
		t.Errorf("%d loads served, %d of them from memory: nothing was tried", served.Load(), hits.Load())
	}
	t.Logf("%d sessions, %d loads of live ones, %d from memory", rounds.Load(), served.Load(), hits.Load())
}

// tortureOne is the life of one session, all of whose actors run at once.
func tortureOne(t *testing.T, all []*nearstore.Store, id string, served, hits *atomic.Int64) {
	const limit = 3 * time.Millisecond
	r := sojourn.Record{ID: sojourn.ID(id), Owner: "owner of " + id, Expires: time.UnixMilli(9e12), Payload: []byte{0}}
	own := r
	for err := errDown; err != nil; {
		if own = r; errors.Is(err, sojourn.ErrExists) {
			break
		}
		err = all[0].Create(context.Background(), &own)
	}
	var ended [2]atomic.Int64 // when it was acknowledged, by the node
	begin := time.Now()
	var group sync.WaitGroup
	for i, near := range all {
		for range 2 {
			group.Go(func() { // reads
				for time.Since(begin) < 12*time.Millisecond {
					asked := time.Since(begin)
					here, there := time.Duration(ended[i].Load()), time.Duration(ended[1-i].Load())
					got, err := near.Load(context.Background(), r.ID)
					if err != nil || got.Dead || got.Generation < got.OwnerGeneration {
						continue
					}
					served.Add(1)
					if got.Cached {
						hits.Add(1)
					}
					if here != 0 {
						t.Errorf("%s: alive on the node that had ended it %v before (cached %v)", id, asked-here, got.Cached)
					}
					if there != 0 && asked-there >= limit {
						t.Errorf("%s: alive %v after the other node had ended it (cached %v)", id, asked-there, got.Cached)
					}
				}
			})
		}
		group.Go(func() { // writes and touches
			for n := 1; time.Since(begin) < 12*time.Millisecond; n++ {
				got, err := near.Load(context.Background(), r.ID)
				if err != nil {
					continue
				}
				if rand.N(3) == 0 {
					near.Touch(context.Background(), &got, got.Expires.Add(time.Duration(n)*time.Millisecond))
					continue
				}
				got.Payload = []byte{byte(n)}
				got.Expires = time.Time{}
				near.Update(context.Background(), &got)
			}
		})
	}
	group.Go(func() { // ends it
		i := rand.N(2)
		time.Sleep(rand.N(6 * time.Millisecond))
		for err := errDown; err != nil; {
			if rand.N(2) == 0 {
				err = all[i].Revoke(context.Background(), sojourn.RevokedRecord{ID: r.ID, Owner: r.Owner, Reason: sojourn.ReasonLogout, At: time.Now(), Until: time.Now().Add(time.Hour)})
			} else {
				_, err = all[i].RevokeOwner(context.Background(), r.Owner)
			}
		}
		ended[i].Store(int64(time.Since(begin)))
	})
	group.Wait()
}
