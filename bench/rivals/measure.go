package rivals

import (
	"fmt"
	"net/http"
	"runtime"
	"time"
)

// A Row is what a library costs in a scenario. What is "over" has the bare
// handler's cost taken off.
type Row struct {
	Scenario, Library string
	Over              time.Duration
	Bytes, Allocs     float64 // over
	Bare              float64 // the whole request in times of the bare handler's
	First             float64 // Over in times of the first library's
}

// Run measures all libraries in all scenarios, and the bare handler, taking
// turns: each rounds times for the given time. The fastest round counts, since
// whatever else the machine does only ever adds.
func Run(rounds int, limit time.Duration) (rows []Row, bare time.Duration, err error) {
	costs := make([][]cost, len(Scenarios)) // by library; the last is bare
	for round := range rounds {
		for s, sc := range Scenarios {
			if round == 0 {
				costs[s] = make([]cost, len(Libraries)+1)
			}
			for l := range costs[s] {
				c, err := measure(sc, l, limit)
				if err != nil {
					return nil, 0, err
				}
				if round == 0 || c.ns < costs[s][l].ns {
					costs[s][l] = c
				}
			}
		}
	}
	for s, sc := range Scenarios {
		floor, first := costs[s][len(Libraries)], costs[s][0]
		for l, c := range costs[s][:len(Libraries)] {
			c.ns = max(c.ns, floor.ns) // less is noise
			rows = append(rows, Row{
				Scenario: sc.Name,
				Library:  Libraries[l].Name,
				Over:     time.Duration(c.ns - floor.ns),
				Bytes:    c.bytes - floor.bytes,
				Allocs:   c.allocs - floor.allocs,
				Bare:     c.ns / floor.ns,
				First:    (c.ns - floor.ns) / (first.ns - floor.ns),
			})
		}
		bare = time.Duration(floor.ns)
	}
	return rows, bare, nil
}

// A cost is that of one request.
type cost struct{ ns, allocs, bytes float64 }

// measure serves requests with library i, or bare, for the given time.
func measure(sc Scenario, i int, limit time.Duration) (cost, error) {
	handler, request, name := http.Handler(http.HandlerFunc(Bare)), newRequest(), "bare"
	if i < len(Libraries) {
		site, err := Libraries[i].Open()
		if err != nil {
			return cost{}, err
		}
		if request, err = sc.Request(site); err != nil {
			return cost{}, err
		}
		handler, name = site.Wrap(sc.Handler(site)), Libraries[i].Name
	}
	w := &sink{h: http.Header{}}
	var r http.Request
	serve := func(n int) {
		for range n {
			clear(w.h)
			r = *request // gorilla remembers its session in the request
			handler.ServeHTTP(w, &r)
		}
	}
	serve(100) // pools and caches are filled
	runtime.GC()

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	begin, served := time.Now(), 0
	for batch := 100; time.Since(begin) < limit; served += batch {
		serve(batch)
	}
	took := float64(time.Since(begin))
	runtime.ReadMemStats(&after)
	if w.failed != 0 {
		return cost{}, fmt.Errorf("rivals: %s, %s: status %d: %s", sc.Name, name, w.failed, w.last)
	}
	n := float64(served)
	return cost{took / n, float64(after.Mallocs-before.Mallocs) / n, float64(after.TotalAlloc-before.TotalAlloc) / n}, nil
}

// A sink is a client that reads nothing but failures.
type sink struct {
	h      http.Header
	failed int
	last   string
}

func (s *sink) Header() http.Header { return s.h }

func (s *sink) WriteHeader(status int) {
	if status != http.StatusOK {
		s.failed = status
	}
}

func (s *sink) Write(b []byte) (int, error) {
	if s.failed != 0 {
		s.last = string(b)
	}
	return len(b), nil
}
