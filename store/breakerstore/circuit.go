package breakerstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/sony/gobreaker/v2"

	"github.com/sojournhq/sojourn"
)

// A circuit guards one part of the store.
type circuit struct {
	breaker *gobreaker.CircuitBreaker[struct{}]
	slots   chan struct{} // holds an element for each call in the store
	patient int64
	waiting atomic.Int64
	refused atomic.Uint64
}

// buckets divide the window, so that it slides.
const buckets = 8

func newCircuit(part int, o *Options) *circuit {
	c := &circuit{slots: make(chan struct{}, o.MaxCalls), patient: int64(o.MaxWaiting)}
	failures, calls, rate, log := uint32(o.Failures), uint32(o.Calls), o.Rate, o.Logger
	c.breaker = gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:  1,
		Interval:     o.Window,
		BucketPeriod: o.Window / buckets,
		Timeout:      o.Probe,
		ReadyToTrip: func(n gobreaker.Counts) bool {
			seen := n.TotalSuccesses + n.TotalFailures
			return n.ConsecutiveFailures >= failures || seen >= calls && float64(n.TotalFailures) >= rate*float64(seen)
		},
		IsSuccessful: isAnswer,
		// The caller left; that says nothing about the store.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			level := slog.LevelWarn
			if to == gobreaker.StateClosed {
				level = slog.LevelInfo
			}
			log.LogAttrs(context.Background(), level, "session store circuit is "+to.String(), slog.Int("shard", part), slog.String("from", from.String()))
		},
	})
	return c
}

// isAnswer tells an answer of the store, which may be an error, from a failure.
func isAnswer(err error) bool {
	if err == nil {
		return true
	}
	for _, fact := range []error{sojourn.ErrNotFound, sojourn.ErrConflict, sojourn.ErrExists, sojourn.ErrUnsupported, sojourn.ErrTooLarge, sojourn.ErrInvalid} {
		if errors.Is(err, fact) {
			return true
		}
	}
	return false
}

// call runs f if the circuit lets it.
func (c *circuit) call(ctx context.Context, verb string, f func() error) error {
	if err := c.enter(ctx, verb, false); err != nil {
		return err
	}
	defer c.leave()
	if asked, err := c.try(f); asked {
		return err
	}
	c.refused.Add(1)
	return ErrOpen
}

// insist runs f even if the circuit is open.
func (c *circuit) insist(ctx context.Context, verb string, f func() error) error {
	if err := c.enter(ctx, verb, true); err != nil {
		return err
	}
	defer c.leave()
	if asked, err := c.try(f); asked {
		return err
	}
	return f()
}

// try reports whether the breaker let f run, and what f returned.
func (c *circuit) try(f func() error) (asked bool, err error) {
	_, err = c.breaker.Execute(func() (struct{}, error) {
		asked = true
		return struct{}{}, f()
	})
	return asked, err
}

// enter takes a slot. It waits for one while ctx lasts, but, unless it insists,
// not before an open circuit. One that opens meanwhile frees the slot of the call
// that failed; those who wait pass it on, each refused in turn.
func (c *circuit) enter(ctx context.Context, verb string, insist bool) error {
	select {
	case c.slots <- struct{}{}:
		return nil
	default:
	}
	if !insist && c.breaker.State() == gobreaker.StateOpen {
		c.refused.Add(1)
		return ErrOpen
	}
	defer c.waiting.Add(-1)
	if c.waiting.Add(1) > c.patient {
		c.refused.Add(1)
		return ErrBusy
	}
	select {
	case c.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("breakerstore: %s: waiting for other calls: %w", verb, ctx.Err())
	}
}

func (c *circuit) leave() { <-c.slots }

func (c *circuit) stats() Stats {
	return Stats{Open: c.breaker.State() != gobreaker.StateClosed, Calls: len(c.slots), Waiting: int(c.waiting.Load()), Refused: c.refused.Load()}
}
