package redisstore

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

// Scan walks through all records, live, expired and dead, in the order of the
// bytes of their IDs: it returns the next ones behind after, at most limit, with
// OwnerGeneration filled. Begin with the empty ID and go on with the last one
// that was returned; fewer than limit are the end. Any other process may go on,
// too. A walk may or may not meet records that come or go meanwhile, and meets
// every other one once.
//
// Redis keeps no order, so the first call looks at every key of the database,
// one to two seconds per million, and so does one more per 262,144 sessions. In
// between the store remembers the IDs that come next: 12 MB for each of the two
// walks that were continued last, until their end or ten minutes without a call.
// On a Cluster all primaries have to answer.
//
// The core never needs it. It is for people who look after the data.
func (s *Store) Scan(ctx context.Context, after sojourn.ID, limit int) ([]sojourn.Record, error) {
	if err := ctx.Err(); err != nil || limit <= 0 {
		return nil, wrap("scan", err)
	}
	ctx, cancel := s.whileOpen(ctx)
	defer cancel()
	begun := s.walks.resume(after, time.Now())
	records, end, err := s.scan(ctx, begun, limit)
	if err != nil {
		s.walks.pause(begun, time.Now()) // for one who tries again
		return nil, wrap("scan", s.causeOf(ctx, err))
	}
	if len(records) == limit {
		s.walks.pause(end, time.Now())
	}
	return records, nil
}

// scan goes on with a walk until there are limit records or no more.
func (s *Store) scan(ctx context.Context, w walk, limit int) (records []sojourn.Record, end walk, err error) {
	for len(records) < limit {
		if len(w.ids) == 0 {
			if w.whole {
				break
			}
			if w.ids, w.whole, err = s.gather(ctx, w.after); err != nil {
				return nil, w, err
			}
			continue
		}
		n := min(len(w.ids), limit-len(records), 1<<10)
		part, err := s.readAll(ctx, w.ids[:n])
		if err != nil {
			return nil, w, err
		}
		records = append(records, part...)
		w.after, w.ids = w.ids[n-1], w.ids[n:]
	}
	return records, w, nil
}

// readers is how many records are asked for at the same time; the client library
// sends their commands together.
const readers = 16

// readAll reads records in the order of their IDs, without those that are gone.
func (s *Store) readAll(ctx context.Context, ids []sojourn.ID) ([]sojourn.Record, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	all, found := make([]sojourn.Record, len(ids)), make([]bool, len(ids))
	var next atomic.Int64
	var reading sync.WaitGroup
	for range min(readers, len(ids)) {
		reading.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(ids)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				var err error
				if all[i], found[i], err = s.readAny(ctx, ids[i]); err != nil {
					cancel(err)
				}
			}
		})
	}
	reading.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	n := 0
	for i := range all {
		if found[i] {
			all[n] = all[i]
			n++
		}
	}
	return all[:n], nil
}

// whileOpen returns a context that also ends with the store.
func (s *Store) whileOpen(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.life, func() { cancel(ErrClosed) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// causeOf is why a call was given up, else err.
func (s *Store) causeOf(ctx context.Context, err error) error {
	switch {
	case s.life.Err() != nil:
		return ErrClosed
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return err
}
