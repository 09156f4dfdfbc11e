//go:build !race

package sojourn_test

import (
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"testing"
	"time"
)

// A budget is what the middleware may add to a bare handler. Allocations are
// gated exactly. Times are those of the machine they were set on; on a slower or
// busier one they grow in proportion to the yardstick below, measured in the
// same run, and have a margin for noise.
var budgets = map[string]struct {
	ns     float64
	allocs float64
}{
	"anonymous": {100, 0},
	"ro":        {600, 5},
	"rw":        {1500, 8},
	"new":       {2000, 18},
}

// What the yardstick would take where the budgets were set: there scs 2.9 read
// one value in 11.9 µs; where it takes 14.6 µs the yardstick takes 150 ns.
const quietYardstick = 122 * time.Nanosecond

const margin = 1.3 // against growing worse, on machines that others use; the log tells the share

var yardstickSink *[768]byte

// yardstick does what sessions are made of: memory, hashing, a map.
func yardstick(m map[string]*[768]byte) {
	b := new([768]byte)
	sum := sha256.Sum256(b[:20])
	b[0] = sum[0]
	m["k"] = b
	yardstickSink = m["k"]
}

func TestBudgetOfARequest(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for a second")
	}
	type probe struct {
		name string
		run  func()
		best time.Duration
	}
	serve := func(h http.Handler, r *http.Request) func() {
		w := &sink{h: http.Header{}}
		return func() {
			clear(w.h)
			h.ServeHTTP(w, r)
		}
	}
	held := map[string]*[768]byte{}
	bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(benchBody) })
	probes := []*probe{
		{name: "yardstick", run: func() { yardstick(held) }},
		{name: "bare", run: serve(bare, httptest.NewRequest("GET", "/", nil))},
	}
	for _, c := range benchCases {
		m := benchManager(t)
		probes = append(probes, &probe{name: c.name, run: serve(m.Handler(c.serve), benchRequest(t, m, c))})
	}
	best := func(name string) float64 {
		return float64(probes[slices.IndexFunc(probes, func(p *probe) bool { return p.name == name })].best)
	}
	slow := func() float64 { return max(1, best("yardstick")/float64(quietYardstick)) }
	within := func(p *probe, margin float64) bool {
		return float64(p.best)-best("bare") <= budgets[p.name].ns*slow()*margin
	}
	// Many short rounds, interleaved, and the best of each: what disturbs a
	// round disturbs a neighbour's program, not this one's cost. A machine that
	// is busy all the time gets more of them.
	const rounds, calls = 100, 400
	for pass := 0; pass == 0 || pass < 6 && slices.ContainsFunc(probes[2:], func(p *probe) bool { return !within(p, 1) }); pass++ {
		for range rounds {
			for _, p := range probes {
				begin := time.Now()
				for range calls {
					p.run()
				}
				if took := time.Since(begin) / calls; p.best == 0 || took < p.best {
					p.best = took
				}
			}
		}
	}
	t.Logf("yardstick %.0f ns, this machine counts as %.2f times slower; bare %.0f ns", best("yardstick"), slow(), best("bare"))
	for _, p := range probes[2:] {
		b := budgets[p.name]
		over := float64(p.best) - best("bare")
		allocs := testing.AllocsPerRun(2000, p.run)
		t.Logf("%-10s %6.0f ns over bare, %.2f of its budget here; %.0f allocations (budget %.0f)", p.name, over, over/(b.ns*slow()), allocs, b.allocs)
		if !within(p, margin) {
			t.Errorf("%s: %.0f ns over a bare handler, budget %.0f × %.2f × %.1f", p.name, over, b.ns, slow(), margin)
		}
		if allocs > b.allocs {
			t.Errorf("%s: %.0f allocations over a bare handler, budget %.0f", p.name, allocs, b.allocs)
		}
	}
	runtime.KeepAlive(held)
}
