package enginetest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Ratio measures an operation and what a bare client of the engine does for the
// same purpose, in turns of 100 ms, so that a change of the machine's load meets
// both. It reports how many times as long ours takes.
func Ratio(b *testing.B, parallel int, ours, bare func(i int) error) {
	b.Helper()
	b.ReportAllocs()
	var spent, done [2]int64
	for i := 0; i < b.N || done[1] == 0; {
		for k, f := range []func(int) error{ours, bare} {
			began := time.Now()
			n := turn(b, parallel, f)
			spent[k] += int64(time.Since(began))
			done[k] += n
			if k == 0 {
				i += int(n)
			}
		}
	}
	each := func(k int) float64 { return float64(spent[k]) / float64(done[k]) }
	b.ReportMetric(each(0), "ns/op")
	b.ReportMetric(each(0)/each(1), "x-bare")
}

func turn(b *testing.B, parallel int, f func(i int) error) int64 {
	var n atomic.Int64
	var wg sync.WaitGroup
	end := time.Now().Add(100 * time.Millisecond)
	for range parallel {
		wg.Go(func() {
			for time.Now().Before(end) {
				if err := f(int(n.Add(1))); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return n.Load()
}
