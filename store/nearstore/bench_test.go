package nearstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/nearstore"
)

// BenchmarkLoad sets a hit beside what it saves: memstore is the floor that no
// network reaches, the other lines are this wrapper's own cost.
func BenchmarkLoad(b *testing.B) {
	inner := memstore.New(nil)
	ids := make([]sojourn.ID, 1000)
	for i := range ids {
		r := sojourn.Record{ID: sojourn.ID(fmt.Sprintf("%030d", i)), Owner: fmt.Sprint("user", i/2), Expires: time.UnixMilli(9e12), Payload: make([]byte, 500)}
		if err := inner.Create(b.Context(), &r); err != nil {
			b.Fatal(err)
		}
		ids[i] = r.ID
	}
	now := time.Now()
	still := func() time.Time { return now }
	for _, c := range []struct {
		name  string
		store sojourn.Store
		ctx   context.Context
	}{
		{"memstore", inner, b.Context()},
		{"hit", nearstore.New(inner, &nearstore.Options{Guarantee: nearstore.Bounded(time.Second), Clock: still}), b.Context()},
		{"hitRealClock", nearstore.New(inner, &nearstore.Options{Guarantee: nearstore.Bounded(nearstore.MaxBound)}), b.Context()},
		{"missOverMemstore", nearstore.New(inner, &nearstore.Options{Guarantee: nearstore.Bounded(time.Nanosecond)}), b.Context()},
		{"freshOverMemstore", nearstore.New(inner, &nearstore.Options{Guarantee: nearstore.Bounded(time.Second)}), nearstore.Fresh(b.Context())},
		{"strictOverMemstore", nearstore.New(inner, nil), b.Context()},
	} {
		b.Run(c.name, func(b *testing.B) {
			for _, id := range ids {
				c.store.Load(c.ctx, id)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := c.store.Load(c.ctx, ids[i%len(ids)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	hit := nearstore.New(inner, &nearstore.Options{Guarantee: nearstore.Bounded(time.Second)})
	b.Run("hitParallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for i := rand.N(len(ids)); pb.Next(); i++ {
				hit.Load(b.Context(), ids[i%len(ids)])
			}
		})
	})
}

// BenchmarkHitRate plays visits of ten pages, 20 s apart on average, each of
// which sends six requests within 300 ms, to servers behind a balancer that
// picks one at random, and reports the share of loads answered from memory.
// With affinity every number of servers is as good as one.
func BenchmarkHitRate(b *testing.B) {
	for _, servers := range []int{1, 2, 4, 16, 64, 256} {
		for _, bound := range []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second} {
			b.Run(fmt.Sprintf("servers=%d/bound=%v", servers, bound), func(b *testing.B) {
				var rate float64
				for b.Loop() {
					rate = hitRate(servers, bound)
				}
				b.ReportMetric(100*rate, "%hits")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func hitRate(servers int, bound time.Duration) float64 {
	type request struct {
		at      time.Duration
		visitor int
	}
	var day []request
	random := rand.New(rand.NewPCG(1, 2))
	const visitors = 400
	for v := range visitors {
		at := time.Duration(random.Int64N(int64(10 * time.Minute)))
		for range 10 {
			for range 6 {
				day = append(day, request{at + time.Duration(random.Int64N(int64(300*time.Millisecond))), v})
			}
			at += time.Duration(random.ExpFloat64() * float64(20*time.Second))
		}
	}
	slices.SortFunc(day, func(a, b request) int { return int(a.at - b.at) })
	inner, c := memstore.New(nil), newClock()
	begin := c.now()
	for v := range visitors {
		r := sojourn.Record{ID: sojourn.ID(fmt.Sprint("visitor-", v)), Expires: time.UnixMilli(9e12)}
		if err := inner.Create(context.Background(), &r); err != nil {
			panic(err)
		}
	}
	near := make([]*nearstore.Store, servers)
	for i := range near {
		near[i] = nearstore.New(inner, &nearstore.Options{Guarantee: nearstore.Bounded(bound), Clock: c.now})
	}
	for _, r := range day {
		c.ns.Store(begin.Add(r.at).UnixNano())
		near[random.IntN(servers)].Load(context.Background(), sojourn.ID(fmt.Sprint("visitor-", r.visitor)))
	}
	var hits uint64
	for _, n := range near {
		hits += n.Stats().Hits
	}
	return float64(hits) / float64(len(day))
}
