package nearstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

// A Watcher is a store that can tell what is changed in it, by whomever. A
// Store finds it below itself with sojourn.As; it names no type of this
// package, so that a store has it without knowing of caches.
//
// What it reports only makes changes visible sooner: the bound of a Guarantee
// holds whether reports arrive or not.
type Watcher interface {
	// Watch listens until ctx ends or its channel is lost, and returns why. It
	// calls changed
	//
	//	(id, "")     after a record was written,
	//	("", owner)  after an owner's generation was raised,
	//	("", "")     once it listens, and whenever it may have missed something.
	//
	// Reports may come doubled, late, and of changes made through this very
	// store. changed is quick and may be called in parallel.
	Watch(ctx context.Context, changed func(id sojourn.ID, owner string)) error
}

// How long Run waits before it listens again.
const (
	minRetry = 100 * time.Millisecond
	maxRetry = 5 * time.Second
)

// Run listens to the store below until ctx ends; then it returns nil. When the
// channel is lost, everything kept is asked for again, and Run tries anew.
// ErrUnsupported, at once, if the store is no Watcher, or one that says so.
func (s *Store) Run(ctx context.Context) error {
	w, ok := sojourn.As[Watcher](s.inner)
	if !ok {
		return fmt.Errorf("nearstore: run: the store below cannot tell what changes: %w", sojourn.ErrUnsupported)
	}
	for wait := minRetry; ; wait = min(2*wait, maxRetry) {
		var heard atomic.Bool
		err := w.Watch(ctx, func(id sojourn.ID, owner string) {
			heard.Store(true)
			s.changed(id, owner)
		})
		s.flush()
		if heard.Load() {
			wait = minRetry
		}
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, sojourn.ErrUnsupported) {
			return fmt.Errorf("nearstore: run: %w", err)
		}
		s.log.LogAttrs(ctx, slog.LevelWarn, "session changes are not reported; cached sessions may be as old as their bound", slog.Any("error", err))
		pause := time.NewTimer(wait/2 + rand.N(wait/2)) // many processes should not return in step
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

// changed is what a Watcher calls.
func (s *Store) changed(id sojourn.ID, owner string) {
	switch {
	case !s.caches():
	case id != "":
		s.happened(id)
	case owner != "":
		s.ownerHappened(owner)
	default:
		s.flush()
	}
}
