package sqlstore

import (
	"context"

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
	records, err := s.readAll(ctx, after, limit)
	if err != nil {
		return nil, s.wrap("scan", err)
	}
	return records, nil
}

func (s *Store) readAll(ctx context.Context, after sojourn.ID, limit int) (records []sojourn.Record, err error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	rows, err := s.scan.QueryContext(ctx, string(after), limit)
	if err != nil {
		return nil, s.reading(err)
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
	return records, s.reading(rows.Err())
}
