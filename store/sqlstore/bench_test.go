package sqlstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

const benchPayload = 400 // bytes, a usual session

// BenchmarkUpdate commits from many goroutines and reports the commits beside
// what the disk does: how often per second it takes one page and syncs it. A
// group commit that works has many commits per sync. Each writer has sessions of
// its own: one, which stays in memory, or its part of 200,000, which do not.
func BenchmarkUpdate(b *testing.B) {
	for _, sessions := range []int{0, 200_000} {
		for _, writers := range []int{1, 8, 64, 256} {
			if sessions == 0 {
				b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) { benchmarkUpdate(b, writers, writers) })
			} else {
				b.Run(fmt.Sprintf("writers=%d/sessions=%d", writers, sessions), func(b *testing.B) { benchmarkUpdate(b, writers, sessions) })
			}
		}
	}
}

func benchmarkUpdate(b *testing.B, writers, sessions int) {
	dir := b.TempDir()
	syncs := syncRate(b, dir)
	s := open(b, filepath.Join(dir, "sessions.db"))
	fill(b, s, sessions, in(time.Hour))
	versions := make([]uint64, sessions)
	for i := range versions {
		versions[i] = 1
	}
	body := make([]byte, benchPayload)
	b.ReportAllocs()
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	each(writers, func(w int) {
		for left.Add(-1) >= 0 {
			i := rand.IntN(sessions/writers)*writers + w
			r := sojourn.Record{ID: sojourn.ID(numbered(i)), Version: versions[i], Payload: body}
			if _, err := s.Update(context.Background(), &r); err != nil {
				b.Error(err)
				return
			}
			versions[i] = r.Version
		}
	})
	commits := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(commits, "commits/s")
	b.ReportMetric(syncs, "fsyncs/s")
	b.ReportMetric(commits/syncs, "commits/fsync")
}

// BenchmarkTouch is like BenchmarkUpdate without waiting for the disk.
func BenchmarkTouch(b *testing.B) {
	s := open(b)
	records := make([]sojourn.Record, 64)
	for i := range records {
		records[i] = create(b, s, numbered(i), "")
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	start := time.Now()
	b.ResetTimer()
	each(len(records), func(i int) {
		for n := left.Add(-1); n >= 0; n = left.Add(-1) {
			if err := s.Touch(context.Background(), &records[i], start.Add(2*time.Hour+time.Duration(int64(b.N)-n)*time.Millisecond)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "touches/s")
}

// BenchmarkLoad reads, alone and while 16 goroutines write.
func BenchmarkLoad(b *testing.B) {
	for _, mode := range []string{"alone", "deadline", "while writing"} {
		b.Run(mode, func(b *testing.B) {
			s := open(b)
			const sessions = 1000
			for i := range sessions {
				create(b, s, numbered(i), "owner")
			}
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			var writes atomic.Int64
			done := make(chan struct{})
			go func() {
				defer close(done)
				if mode != "while writing" {
					return
				}
				each(16, func(i int) {
					r, _ := s.Load(ctx, sojourn.ID(numbered(i)))
					for ctx.Err() == nil {
						s.Update(ctx, &r)
						writes.Add(1)
					}
				})
			}()
			reading := context.Background()
			if mode == "deadline" {
				reading = ctx
			}
			b.ReportAllocs()
			b.ResetTimer()
			var next atomic.Int64
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := s.Load(reading, sojourn.ID(numbered(int(next.Add(1)%sessions)))); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "loads/s")
			b.ReportMetric(float64(writes.Load())/b.Elapsed().Seconds(), "commits/s")
			stop()
			<-done
		})
	}
}

// syncRate is how often per second this disk takes one page and syncs it.
func syncRate(t testing.TB, dir string) float64 {
	f, err := os.CreateTemp(dir, "sync")
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	page := make([]byte, 4096)
	n, start := 0, time.Now()
	for ; time.Since(start) < 300*time.Millisecond; n++ {
		if _, err := f.Write(page); err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	return float64(n) / time.Since(start).Seconds()
}

// each runs f(0) … f(n-1) beside each other and waits for them.
func each(n int, f func(i int)) {
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { f(i) })
	}
	group.Wait()
}
