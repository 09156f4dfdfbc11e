package memcachestore_test

import (
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// BenchmarkRatio compares the store with the client library doing the same round
// trip: a read of two keys, and one more compare-and-swap.
func BenchmarkRatio(b *testing.B) {
	server := testenv.StartMemcached(b)
	raw := memcache.New(server.Addr)
	raw.MaxIdleConns = 64
	b.Cleanup(func() { raw.Close() })
	store := open(b, "memcached://"+server.Addr, nil)
	ctx := b.Context()
	r := sojourn.Record{ID: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Expires: time.Now().Add(time.Hour), Payload: make([]byte, 400)}
	if err := store.Create(ctx, &r); err != nil {
		b.Fatal(err)
	}
	if err := raw.Set(&memcache.Item{Key: "raw", Value: make([]byte, 430)}); err != nil {
		b.Fatal(err)
	}
	run := func(n int, f func() error) time.Duration {
		began := time.Now()
		for range n {
			if err := f(); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(began)
	}
	var got *memcache.Item
	rawLoad := func() error {
		items, err := raw.GetMulti([]string{"raw", "generation"})
		got = items["raw"]
		return err
	}
	rawWrite := func() error {
		if err := rawLoad(); err != nil {
			return err
		}
		return raw.CompareAndSwap(got)
	}
	load := func() (err error) { r, err = store.Load(ctx, r.ID); return err }
	write := func() error {
		if err := load(); err != nil {
			return err
		}
		_, err := store.Update(ctx, &r)
		return err
	}
	for name, pair := range map[string][2]func() error{"Load": {rawLoad, load}, "LoadUpdate": {rawWrite, write}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var floor, ours time.Duration
			for range b.N {
				floor += run(20, pair[0])
				ours += run(20, pair[1])
			}
			b.ReportMetric(float64(ours)/float64(floor), "ratio")
			b.ReportMetric(float64(ours.Microseconds())/float64(20*b.N), "µs/op")
		})
	}
}
