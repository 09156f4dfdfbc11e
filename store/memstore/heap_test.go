package memstore

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

const heapSessions = 1_000_000

// heapPerSession fills a store and returns the bytes of heap each session takes.
// IDs, owners and payloads are made for each, as a request makes them.
func heapPerSession(owner func(n int) string) float64 {
	used := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := used()
	s := New(nil)
	for n := range heapSessions {
		r := sojourn.Record{ID: testID(n), Owner: owner(n), Expires: epoch.Add(time.Duration(n) * time.Millisecond), Payload: make([]byte, 300)}
		if err := s.Create(context.Background(), &r); err != nil {
			panic(err)
		}
	}
	after := used()
	runtime.KeepAlive(s)
	return float64(after-before) / heapSessions
}

var heapCases = []struct {
	name   string
	owner  func(n int) string
	budget float64 // 0: reported only
}{
	{"nobody", func(int) string { return "" }, 480},
	{"owners of 5", func(n int) string { return fmt.Sprintf("user-%08d", n/5) }, 512},
	{"owners of 1", func(n int) string { return fmt.Sprintf("user-%08d", n) }, 0},
}

// The budget of 480 bytes is for a session with a payload of 300; a user costs
// more, once for all of their sessions. BenchmarkHeap reports the rest.
func TestHeapBudget(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("measures a million sessions; run without -short and -race")
	}
	for _, c := range heapCases[:2] {
		got := heapPerSession(c.owner)
		t.Logf("%s: %.0f B of heap per session", c.name, got)
		if got > c.budget {
			t.Errorf("%s: %.0f B of heap per session, budget %.0f", c.name, got, c.budget)
		}
	}
}
