package memstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// benchStore fills a store with sessions, two to an owner, and returns their
// records in random order. With a million, memory's latency is most of the time.
func benchStore(b *testing.B, sessions int) (*Store, []sojourn.Record) {
	s := New(nil)
	records := make([]sojourn.Record, sessions)
	for n := range records {
		records[n] = sojourn.Record{ID: testID(n), Owner: fmt.Sprint("user", n/2), Expires: epoch, Payload: make([]byte, 300)}
		if err := s.Create(b.Context(), &records[n]); err != nil {
			b.Fatal(err)
		}
	}
	rand.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	runtime.GC()
	return s, records
}

func BenchmarkStore(b *testing.B) {
	for _, sessions := range []int{1, 1_000_000} {
		s, records := benchStore(b, sessions)
		ctx := context.Background()
		each := func(name string, f func(r *sojourn.Record) error) {
			b.Run(fmt.Sprintf("%s/%d", name, sessions), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					if err := f(&records[i]); err != nil {
						b.Fatal(err)
					}
					if i++; i == len(records) {
						i = 0
					}
				}
			})
		}
		each("Load", func(r *sojourn.Record) error { _, err := s.Load(ctx, r.ID); return err })
		each("Update", func(r *sojourn.Record) error { _, err := s.Update(ctx, r); return err })
		each("Touch", func(r *sojourn.Record) error { return s.Touch(ctx, r, epoch.Add(time.Hour)) })
		each("List", func(r *sojourn.Record) error { _, err := s.List(ctx, r.Owner); return err })
	}
}

// BenchmarkFloor is a Go map of the same records without lock or hash of its
// own: what a read costs at least.
func BenchmarkFloor(b *testing.B) {
	for _, sessions := range []int{1, 1_000_000} {
		_, records := benchStore(b, sessions)
		m := make(map[sojourn.ID]*sojourn.Record)
		for _, i := range rand.Perm(len(records)) {
			r := records[i]
			m[r.ID] = &r
		}
		b.Run(fmt.Sprintf("Load/%d", sessions), func(b *testing.B) {
			i := 0
			var got sojourn.Record
			for b.Loop() {
				got = *m[records[i].ID]
				if i++; i == len(records) {
					i = 0
				}
			}
			_ = got
		})
	}
}

func BenchmarkLoadParallel(b *testing.B) {
	s, records := benchStore(b, 10_000)
	b.RunParallel(func(pb *testing.PB) {
		ctx := context.Background()
		for i := rand.IntN(len(records)); pb.Next(); i++ {
			if _, err := s.Load(ctx, records[i%len(records)].ID); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkCreate fills a store of 100,000 and goes on in the full one.
func BenchmarkCreate(b *testing.B) {
	for _, c := range []struct {
		name string
		max  int
	}{{"growing", 1 << 30}, {"full", 100_000}} {
		b.Run(c.name, func(b *testing.B) {
			s := New(&Options{MaxSessions: c.max})
			payload := make([]byte, 300)
			add := func(n int) {
				r := sojourn.Record{ID: testID(n), Expires: epoch.Add(time.Duration(n) * time.Millisecond), Payload: payload}
				if err := s.Create(b.Context(), &r); err != nil {
					b.Fatal(err)
				}
			}
			n := 0
			for ; n < 100_000; n++ {
				add(n)
			}
			b.ReportAllocs()
			for b.Loop() {
				add(n)
				n++
			}
		})
	}
}

// BenchmarkHeap reports the heap of a million sessions.
func BenchmarkHeap(b *testing.B) {
	for _, c := range heapCases {
		b.Run(c.name, func(b *testing.B) {
			var perSession float64
			for range b.N {
				perSession = heapPerSession(c.owner)
			}
			b.ReportMetric(perSession, "heapB/session")
		})
	}
}
