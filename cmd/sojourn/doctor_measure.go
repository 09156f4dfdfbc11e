package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A timing is how long one kind of call took, as --json prints it.
type timing struct {
	Call   string  `json:"call"`
	Probes int     `json:"probes"`
	P50    float64 `json:"p50_ms"`
	P99    float64 `json:"p99_ms"`
	Max    float64 `json:"max_ms"`
}

const (
	slowTrip = 50 * time.Millisecond
	// The library gives up a load after 250 ms, and a write after 500 ms.
	wrongTrip = 250 * time.Millisecond
)

// measure times the calls of everyday use on a session of its own.
func (d *doctor) measure(store *openedStore) {
	p, err := newProbe(d.ctx, store.Store)
	if err != nil {
		d.report("round trips", "", err)
		return
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), probeTimeout)
		defer cancel()
		if err := errors.Join(p.revoke(ctx), p.remove(ctx)); err != nil {
			d.report("round trips", "cannot clean up", err)
		}
	}()
	var worst time.Duration
	for _, call := range []struct {
		name string
		do   func(context.Context) error
	}{{"load", p.load}, {"update", p.update}, {"touch", p.touch}} {
		taken, err := d.repeat(call.do)
		if err != nil {
			d.report("round trips", call.name, err)
			return
		}
		slices.Sort(taken)
		p99 := percentile(taken, 99)
		worst = max(worst, p99)
		d.times = append(d.times, timing{call.name, len(taken), ms(percentile(taken, 50)), ms(p99), ms(taken[len(taken)-1])})
	}
	detail := fmt.Sprintf("99 of 100 within %.1f ms", ms(worst))
	switch {
	case worst > wrongTrip:
		d.report("round trips", detail, errors.New("requests will fail with 503, since a server waits 250 ms for a load: bring server and store closer together, or find out what keeps the store busy"))
	case worst > slowTrip:
		d.report("round trips", detail, warn("every request waits that long: bring server and store closer together, or find out what keeps the store busy"))
	default:
		d.report("round trips", detail, nil)
	}
}

// repeat does something as often as there are probes, but not for too long.
func (d *doctor) repeat(do func(context.Context) error) (taken []time.Duration, err error) {
	if err := do(d.ctx); err != nil { // the first is not counted: connections and caches
		return nil, err
	}
	for begun := time.Now(); len(taken) < d.probes && (len(taken) == 0 || time.Since(begun) < probeBudget); {
		ctx, cancel := context.WithTimeout(d.ctx, probeTimeout)
		before := time.Now()
		err := do(ctx)
		taken = append(taken, time.Since(before))
		cancel()
		if err != nil {
			return nil, err
		}
	}
	return taken, nil
}

// percentile of a sorted list, by nearest rank.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}

func ms(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}
