package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/sojournhq/sojourn"
)

// Scan walks through all records, live, expired and dead, in the order of the
// bytes of their IDs: it returns the next ones behind after, at most limit, with
// OwnerGeneration filled. Begin with the empty ID and go on with the last one
// that was returned; fewer than limit are the end. Each call reads its own moment,
// so a walk may or may not meet records that come or go meanwhile, and meets
// every other one once.
//
// The core never needs it. It is for people who look after the data.
func (s *Store) Scan(ctx context.Context, after sojourn.ID, limit int) ([]sojourn.Record, error) {
	rows, err := s.pool.Query(ctx, sqlScan, []byte(after), max(limit, 0))
	if err != nil {
		return nil, s.wrap("scan", err)
	}
	records, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (sojourn.Record, error) {
		var c columns
		err := row.Scan(c.record(&c.id)...)
		return c.asRecord(sojourn.ID(c.id)), err
	})
	return records, s.wrap("scan", err)
}
