// Package linear checks that a [sojourn.Store] is linearizable: that whatever
// several clients at once were told could have been told to one after another,
// each somewhere between its question and its answer.
//
//	func TestLinearizable(t *testing.T) {
//		linear.Run(t, func(t *testing.T) sojourn.Store { return open(t) }, nil)
//	}
//
// Each history is a user with some sessions and some clients who create, load,
// update, touch, rotate, end and list them at random, revoke one or revoke all.
// Some clients hang up before the answer: what they asked for may be done then,
// or later, or never. [Porcupine] looks for an order that explains every answer
// by the contract of [sojourn.Store], which is written down in model.go; if there
// is none, the history is printed and the test fails.
//
// Caveats. It is for tests only. It says nothing of stores that promise less, as
// a near cache does with a bound. What needs no second client, such as precision
// or names, is package storetest's. A history has few operations, since the
// search for an order may take exponential time.
//
// [Porcupine]: https://github.com/anishathalye/porcupine
package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/sojournhq/sojourn"
)

// Options for [Run]. The zero value is good.
type Options struct {
	// Histories is how many are made and checked. Default 1000, a tenth of it
	// with -short; the environment variable SOJOURN_HISTORIES overrides it.
	Histories int
	// Parallel is how many of them run at once. Default 4. More suit an engine
	// that waits for a disk.
	Parallel int

	// What follows lets a store off something, for which its documentation should
	// give the reason. Each errs on the safe side: it ends a session early, and
	// never late.

	// EarlyStamp: Create reads the owner's generation in a step of its own before
	// it inserts, so a record may be of an older generation than its moment's.
	EarlyStamp bool
	// LateGeneration: the OwnerGeneration that comes with a record may be of a
	// later moment of the same call than the record.
	LateGeneration bool
	// KnownEnds: once the answer to a Revoke was lost, its tombstone may be shown,
	// whatever is stored: another one, or nothing yet.
	KnownEnds bool
}

// Run checks the store that open gives, which may hold anything already.
func Run(t *testing.T, open func(t *testing.T) sojourn.Store, opt *Options) {
	t.Helper()
	var o Options
	if opt != nil {
		o = *opt
	}
	if o.Histories <= 0 {
		o.Histories = 1000
	}
	if testing.Short() {
		o.Histories = max(1, o.Histories/10)
	}
	if s := os.Getenv("SOJOURN_HISTORIES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n <= 0 {
			t.Fatalf("SOJOURN_HISTORIES is %q, expected a number such as 10000", s)
		}
		o.Histories = n
	}
	if o.Parallel <= 0 {
		o.Parallel = 4
	}
	began := time.Now()
	sum, err := Check(t.Context(), open(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d histories of %d operations in %v: %v", o.Histories, sum.total(), time.Since(began).Round(time.Millisecond), sum)
	if o.Histories >= 100 {
		if missing := sum.missing(); len(missing) > 0 {
			t.Errorf("no client was ever answered %v: the histories prove less than they should", missing)
		}
	}
}

// Check makes and checks histories until one has no order, which is the error,
// or all have one. It needs Histories and Parallel.
func Check(ctx context.Context, s sojourn.Store, opt Options) (Summary, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	sum := Summary{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	left := make(chan int, opt.Histories)
	for i := range opt.Histories {
		left <- i
	}
	close(left)
	for range opt.Parallel {
		wg.Go(func() {
			for i := range left {
				if ctx.Err() != nil {
					return
				}
				h := newHistory(rand.Uint64(), opt)
				err := h.play(ctx, s)
				if err == nil {
					err = h.check()
				}
				mu.Lock()
				sum.add(h)
				mu.Unlock()
				if err != nil {
					stop(fmt.Errorf("history %d: %w", i, err))
				}
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return sum, err
	}
	if lost, all := sum["lost"], sum.total(); lost*4 > all {
		return sum, fmt.Errorf("%d of %d operations had no answer: nothing is proven of a store that hardly answers", lost, all)
	}
	return sum, nil
}

// checkTimeout bounds the search for an order.
const checkTimeout = 10 * time.Second

// check looks for an order of the history.
func (h *history) check() error {
	if err := h.versions(); err != nil {
		return fmt.Errorf("%w\n%v", err, h)
	}
	switch porcupine.CheckOperationsTimeout(model, h.operations(), checkTimeout) {
	case porcupine.Illegal:
		return fmt.Errorf("no order explains these answers\n%v", h)
	case porcupine.Unknown:
		return fmt.Errorf("no verdict within %v\n%v", checkTimeout, h)
	}
	return nil
}
