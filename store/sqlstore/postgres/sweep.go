package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sojournhq/sojourn"
)

// sweepBatch bounds how many records one statement of a sweep holds.
const sweepBatch = 500

// Sweep implements [sojourn.Sweeper]. It passes over records that somebody just
// holds, another sweeper above all: so several machines may sweep at a time and
// share the work. On an error it returns the records it has removed beside it.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) (removed []sojourn.Record, err error) {
	ms := before.UnixMilli()
	if time.UnixMilli(ms).Before(before) {
		ms++ // a deadline of that very millisecond is before it, too
	}
	for len(removed) < limit {
		gone, due, err := s.sweep(ctx, ms, min(limit-len(removed), sweepBatch))
		if err != nil {
			return removed, s.wrap("sweep", err)
		}
		removed = append(removed, gone...)
		if due == 0 {
			break
		}
	}
	return removed, nil
}

// sweep removes one batch. due counts it and those that have been touched since.
func (s *Store) sweep(ctx context.Context, before int64, limit int) (gone []sojourn.Record, due int64, err error) {
	err = s.settle(ctx, func() error {
		rows, err := s.pool.Query(ctx, sqlSweep, before, limit)
		if err != nil {
			return err
		}
		gone, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (sojourn.Record, error) {
			var c columns
			err := row.Scan(c.record(&due, &c.id)...)
			return c.asRecord(sojourn.ID(c.id)), err
		})
		return err
	})
	if len(gone) == 1 && gone[0].ID == "" { // only the count
		gone = nil
	}
	return gone, due, err
}
