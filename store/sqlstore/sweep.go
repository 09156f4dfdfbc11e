package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/sojournhq/sojourn"
)

// sweepBatch bounds how many records one operation of a sweep deletes. It is a
// fraction of what a transaction may hold, since others wait behind it.
const sweepBatch = 100

// Sweep implements [sojourn.Sweeper]. It looks for expired records on a reader's
// connection and deletes them, looked at again, between the other writes. On an
// error it returns the records it has removed beside it.
func (s *Store) Sweep(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
	ms := before.UnixMilli()
	if time.UnixMilli(ms).Before(before) {
		ms++ // a deadline of that very millisecond is before it, too
	}
	var removed []sojourn.Record
	for len(removed) < limit {
		want := limit - len(removed)
		ids, err := s.readIDs(ctx, s.expired, ms, want)
		if err != nil {
			return removed, s.wrap("sweep", err)
		}
		for part := range slices.Chunk(ids, sweepBatch) {
			gone, err := write(ctx, s, relaxed, func(t *tx) ([]sojourn.Record, error) {
				return s.remove(t, part, ms)
			})
			if err != nil {
				return removed, s.wrap("sweep", err)
			}
			removed = append(removed, gone...)
		}
		if len(ids) < want {
			break
		}
	}
	return removed, nil
}

// remove deletes those of the records that nobody has extended since.
func (s *Store) remove(t *tx, ids []sojourn.ID, before int64) ([]sojourn.Record, error) {
	removed := make([]sojourn.Record, 0, len(ids))
	for _, id := range ids {
		r, err := scanRecord(t.row(s.dialect.remove, string(id), before), id)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		removed = append(removed, r)
	}
	return removed, nil
}
