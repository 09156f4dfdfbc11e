package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/sojournhq/sojourn"
)

// read loads one record. Its context ends the wait for a connection but not the
// statement: a row of a local file is there in microseconds, half of which
// watching a context would cost, and a disk that hangs cannot be interrupted.
func (s *Store) read(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if err := s.enter(ctx); err != nil {
		return sojourn.Record{}, err
	}
	defer s.leave()
	r, err := loadRecord(s.load.QueryRowContext(context.WithoutCancel(ctx), string(id)), id)
	return r, s.reading(err)
}

// readIDs runs a statement that selects IDs.
func (s *Store) readIDs(ctx context.Context, stmt *sql.Stmt, args ...any) (ids []sojourn.ID, err error) {
	if err := s.enter(ctx); err != nil {
		return nil, err
	}
	defer s.leave()
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return nil, s.reading(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, sojourn.ID(id))
	}
	return ids, s.reading(rows.Err())
}

// enter waits for a place among the reads.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.reads <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) leave() { <-s.reads }

// reading is the error of a read, which of a closed store is ErrClosed whatever
// the driver says.
func (s *Store) reading(err error) error {
	if err != nil && !errors.Is(err, sojourn.ErrNotFound) && s.writes.stopped() {
		return ErrClosed
	}
	return err
}
