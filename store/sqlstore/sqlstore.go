// Package sqlstore keeps sessions in an SQL database: here in SQLite, one file on
// one machine and nothing else to run; in a PostgreSQL or MySQL server in the
// packages postgres and mysql beside it, so that a program holds the drivers it
// uses and no others.
//
//	store, err := sqlstore.OpenSQLite(ctx, "/var/lib/app/sessions.db", nil)
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
// A method that returns without an error has its write on the disk: the
// write-ahead log is synced before the answer, and one sync serves all writes
// that wait for it, up to 256 ([Store.Touch] alone does not wait for a sync).
// So neither the end of the process nor a power failure takes an acknowledged
// write back, as long as the disk keeps its own word about syncing.
//
// Several processes of one machine may open the same file at once. They take
// turns at writing; one that gets no turn for [Options.BusyTimeout] returns an
// error and has stored nothing.
//
// Caveats:
//   - The file must be on a local disk: the log needs shared memory and file
//     locks, which network file systems do not have or only pretend to have.
//   - Two more files, of the same name with -wal and -shm behind it, belong to
//     the database. Copy it with SQLite's own means (VACUUM INTO, the backup
//     command), never file by file. A process that has a Store open must not
//     itself open and close the database file: on POSIX systems that would
//     drop the locks SQLite holds on it.
//   - The file grows to its largest content and is reused, never shrunk.
//   - One row of about 40 bytes stays for every owner who was ever passed to
//     RevokeOwner. A generation may only be forgotten when no record of an
//     older one can come, and a store does not know when that is.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/column"
)

var (
	_ sojourn.Store   = (*Store)(nil)
	_ sojourn.Sweeper = (*Store)(nil)
	_ sojourn.Pinger  = (*Store)(nil)
	_ io.Closer       = (*Store)(nil)
)

// A Store keeps sessions in an SQLite database. It is safe for parallel use.
//
// Reads run beside each other and beside the writes. A write whose context ends
// while it waits returns the context's error; it may still be stored, unless it
// had not begun by then.
type Store struct {
	dialect *dialect
	readers *sql.DB
	reads   chan struct{} // a place for each read under way
	load    *sql.Stmt
	list    *sql.Stmt
	expired *sql.Stmt
	scan    *sql.Stmt
	writes  *writer
	close   func() error // the engine's end, after the last write
	closing sync.Once
	closed  error
}

// Load implements [sojourn.Store].
func (s *Store) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if !column.HoldsID(id) {
		return sojourn.Record{}, fmt.Errorf("sqlstore: load: %w", sojourn.ErrNotFound)
	}
	r, err := s.read(ctx, id)
	if err != nil {
		return r, s.wrap("load", err)
	}
	return r, nil
}

// Create implements [sojourn.Store]. Besides ErrExists it returns ErrInvalid
// for an ID of more than 128 bytes and an owner of more than 255.
func (s *Store) Create(ctx context.Context, r *sojourn.Record) error {
	if err := column.CheckRecord(r); err != nil {
		return fmt.Errorf("sqlstore: create: %w", err)
	}
	in := *r
	// A random first version keeps an update that is based on an earlier record
	// of the same ID, swept since, from fitting this one.
	in.Version = rand.Uint64()>>16 + 1
	type outcome struct {
		generation int64
		exists     bool
	}
	out, err := write(ctx, s, durable, func(t *tx) (o outcome, err error) {
		err = t.row(s.dialect.create, string(in.ID), int64(in.Version), column.State(in.Dead),
			in.Expires.UnixMilli(), in.Owner, column.Payload(in.Payload)).Scan(&o.generation)
		if errors.Is(err, sql.ErrNoRows) {
			return outcome{exists: true}, nil
		}
		return o, err
	})
	if err == nil && out.exists {
		err = sojourn.ErrExists
	}
	if err != nil {
		return s.wrap("create", err)
	}
	r.Version = in.Version
	r.Generation, r.OwnerGeneration = uint64(out.generation), uint64(out.generation)
	return nil
}

// Update implements [sojourn.Store]. On success current is the zero Record.
func (s *Store) Update(ctx context.Context, r *sojourn.Record) (current sojourn.Record, err error) {
	if !column.HoldsID(r.ID) {
		return sojourn.Record{}, fmt.Errorf("sqlstore: update: %w", sojourn.ErrNotFound)
	}
	in := *r
	query := s.dialect.updateData
	args := []any{column.Payload(in.Payload), column.State(in.Dead), int64(in.Generation), string(in.ID), int64(in.Version)}
	if !in.Expires.IsZero() {
		query, args = s.dialect.update, append(args, in.Expires.UnixMilli())
	}
	type outcome struct {
		current sojourn.Record
		err     error // ErrConflict or ErrNotFound
	}
	out, err := write(ctx, s, durable, func(t *tx) (outcome, error) {
		n, err := t.exec(query, args...)
		if err != nil || n == 1 {
			return outcome{}, err
		}
		current, err := loadRecord(t.row(s.dialect.load, string(in.ID)), in.ID)
		switch {
		case err == nil:
			return outcome{current, sojourn.ErrConflict}, nil
		case errors.Is(err, sojourn.ErrNotFound):
			return outcome{current, err}, nil
		}
		return outcome{}, err
	})
	if err == nil {
		err = out.err
	}
	if err != nil {
		return out.current, s.wrap("update", err)
	}
	r.Version = in.Version + 1
	return sojourn.Record{}, nil
}

// Touch implements [sojourn.Store]. Its write is visible to every process when
// it returns and survives the end of this one, but it does not wait for the
// disk: a power failure may take back the touches of the moments before it,
// which shortens those sessions and does nothing else.
func (s *Store) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	if !column.HoldsID(r.ID) {
		return nil
	}
	id, ms := string(r.ID), expires.UnixMilli()
	_, err := write(ctx, s, relaxed, func(t *tx) (int64, error) {
		return t.exec(s.dialect.touch, ms, id)
	})
	return s.wrap("touch", err)
}

// Revoke implements [sojourn.Store].
func (s *Store) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	if !column.HoldsID(r.ID) {
		return nil
	}
	dead := r.Tombstone()
	_, err := write(ctx, s, durable, func(t *tx) (int64, error) {
		return t.exec(s.dialect.revoke, column.Payload(dead.Payload), dead.Expires.UnixMilli(), string(dead.ID))
	})
	return s.wrap("revoke", err)
}

// List implements [sojourn.Store]. It leaves out tombstones, but neither records
// of an older generation nor those whose deadline has passed.
func (s *Store) List(ctx context.Context, owner string) (ids []sojourn.ID, err error) {
	if !column.HoldsOwner(owner) {
		return nil, nil
	}
	ids, err = s.readIDs(ctx, s.list, owner)
	return ids, s.wrap("list", err)
}

// RevokeOwner implements [sojourn.Store]. The empty owner and one of more than
// 255 bytes are refused with ErrInvalid: they own no records.
func (s *Store) RevokeOwner(ctx context.Context, owner string) (generation uint64, err error) {
	if err := column.CheckOwner(owner); err != nil {
		return 0, fmt.Errorf("sqlstore: revoke owner: %w", err)
	}
	gen, err := write(ctx, s, durable, func(t *tx) (gen int64, err error) {
		err = t.row(s.dialect.revokeOwner, owner).Scan(&gen)
		return gen, err
	})
	return uint64(gen), s.wrap("revoke owner", err)
}

// Ping implements [sojourn.Pinger]: it reads from the database. It does not
// write, so it answers while the disk is full.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := s.read(ctx, ""); !errors.Is(err, sojourn.ErrNotFound) {
		return s.wrap("ping", err)
	}
	return nil
}

// Close finishes the writes that wait, moves the log into the database file
// and closes it. Later operations return [ErrClosed]. Closing again returns
// what the first Close returned.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.writes.stop()
		if err := s.close(); err != nil {
			s.closed = fmt.Errorf("sqlstore: close: %w", err)
		}
	})
	return s.closed
}
