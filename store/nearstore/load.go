package nearstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/fresh"
)

// A load goes one of these ways:
//
//	Strict, or asked to be fresh ──────────▶ the store
//	kept, and young enough ────────────────▶ memory
//	under way, and begun a moment ago ─────▶ shares that load's answer
//	else ──────────────────────────────────▶ the store, and others may share
//	the store failed, and a copy is at hand ▶ memory, within ServeStale

// Wrapped once, so that meeting them costs no allocation.
var (
	errDead = fmt.Errorf("nearstore: load: %w", sojourn.ErrNotFound)
	errLost = fmt.Errorf("nearstore: load: the store below panicked: %w", sojourn.ErrUnavailable)
)

// A flight is a load under way that others may share.
type flight struct {
	ticket
	done chan struct{}
	rec  sojourn.Record // once done is closed
	err  error
}

// Load returns the record of id, with Cached set if the store was not asked on
// this call's behalf. Its Payload is shared: nobody may change it.
func (s *Store) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if !s.caches() {
		return s.inner.Load(ctx, id)
	}
	if err := ctx.Err(); err != nil {
		return sojourn.Record{}, fmt.Errorf("nearstore: load: %w", err)
	}
	newest := fresh.Wanted(ctx)
	alone := newest || s.within <= 0
	sh, fence := s.locate(id)
	for {
		now := s.clock()
		sh.mu.Lock()
		if alone {
			t := s.ticket(fence, now)
			sh.stats.Loads++
			sh.mu.Unlock()
			rec, err := s.inner.Load(ctx, id)
			return s.landed(sh, id, rec, err, t, newest)
		}
		if e := sh.entries[id]; e != nil && e.flushes == s.flushes.Load() && young(now, e.began, s.within) {
			rec := e.rec
			sh.order.MoveToFront(e.place)
			sh.stats.Hits++
			sh.mu.Unlock()
			return answer(rec)
		}
		f := sh.flights[id]
		if f == nil || !s.valid(f.ticket) || !young(now, f.began, s.within) {
			f = &flight{ticket: s.ticket(fence, now), done: make(chan struct{})}
			sh.flights[id] = f
			sh.stats.Loads++
			sh.mu.Unlock()
			return s.lead(ctx, sh, id, f)
		}
		sh.stats.Shared++
		sh.mu.Unlock()
		select {
		case <-f.done:
		case <-ctx.Done():
			return s.fallback(sh, id, sojourn.Record{}, fmt.Errorf("nearstore: load: %w", ctx.Err()), newest)
		}
		switch {
		case f.err == nil, errors.Is(f.err, sojourn.ErrNotFound) && f.rec.Dead:
			rec := f.rec
			rec.Cached = true
			return rec, f.err
		case isFact(f.err): // absent: a no is not shared
			alone = true
		case isContext(f.err) && ctx.Err() == nil: // the leader ran out of time, we did not
		default:
			return s.fallback(sh, id, sojourn.Record{}, f.err, newest)
		}
	}
}

// answer is what Load says of a kept record.
func answer(rec sojourn.Record) (sojourn.Record, error) {
	rec.Cached = true
	if rec.Dead {
		return rec, errDead
	}
	return rec, nil
}

// lead loads on behalf of all who share the flight.
func (s *Store) lead(ctx context.Context, sh *shard, id sojourn.ID, f *flight) (sojourn.Record, error) {
	f.err = errLost // unless it returns
	defer func() {
		sh.mu.Lock()
		if sh.flights[id] == f {
			delete(sh.flights, id)
		}
		sh.mu.Unlock()
		close(f.done)
	}()
	f.rec, f.err = s.inner.Load(ctx, id)
	return s.landed(sh, id, f.rec, f.err, f.ticket, false)
}

// landed keeps what a load brought, or stands in for it.
func (s *Store) landed(sh *shard, id sojourn.ID, rec sojourn.Record, err error, t ticket, newest bool) (sojourn.Record, error) {
	if !isFact(err) {
		return s.fallback(sh, id, rec, err, newest)
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	switch {
	case !s.valid(t):
	case err == nil || rec.Dead:
		sh.put(rec, t)
	default:
		sh.drop(sh.entries[id])
	}
	return rec, err
}

// fallback answers for a store that failed, if a copy is young enough.
func (s *Store) fallback(sh *shard, id sojourn.ID, rec sojourn.Record, err error, newest bool) (sojourn.Record, error) {
	if s.stale <= 0 || newest || errors.Is(err, context.Canceled) {
		return rec, err
	}
	now := s.clock()
	sh.mu.Lock()
	defer sh.mu.Unlock()
	e := sh.entries[id]
	if e == nil || !young(now, e.began, s.stale) {
		return rec, err
	}
	sh.stats.Stale++
	return answer(e.rec)
}

// isFact tells an answer of the store, which may be an error, from a failure.
func isFact(err error) bool {
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

func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
