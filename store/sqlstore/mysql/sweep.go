package mysql

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

// sweepBatch bounds how many records one transaction of a sweep holds.
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
		var gone []sojourn.Record
		var due int
		err := settle(ctx, func() (err error) {
			gone, due, err = s.sweep(ctx, time.UnixMilli(ms), min(limit-len(removed), sweepBatch))
			return err
		})
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

// sweep locks one batch of the records that are due, removes those that have
// expired and makes the others, which a touch has moved, due when they expire.
func (s *Store) sweep(ctx context.Context, before time.Time, limit int) (gone []sojourn.Record, due int, err error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, 0, err
	}
	defer tx.Rollback() // does nothing after Commit
	records, err := query(ctx, tx, sqlDue, before.UnixMilli(), limit)
	if err != nil {
		return nil, 0, err
	}
	var expired, moved []any
	for _, r := range records {
		if r.Expires.Before(before) {
			gone, expired = append(gone, r), append(expired, []byte(r.ID))
		} else {
			moved = append(moved, []byte(r.ID))
		}
	}
	for statement, ids := range map[string][]any{sqlRemove: expired, sqlDefer: moved} {
		if len(ids) == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, statement+"(?"+strings.Repeat(", ?", len(ids)-1)+")", ids...); err != nil {
			return nil, 0, err
		}
	}
	return gone, len(records), tx.Commit()
}

type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// query runs a statement that selects an ID and recordColumns.
func query(ctx context.Context, q queryer, text string, args ...any) (records []sojourn.Record, err error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		r, err := scanRecord(rows, "", &id)
		if err != nil {
			return nil, err
		}
		r.ID = sojourn.ID(id)
		records = append(records, r)
	}
	return records, rows.Err()
}
