// Package postgres keeps sessions in PostgreSQL, for many machines that share
// them.
//
//	store, err := postgres.Open(ctx, "postgres://app:secret@db.internal/app", nil)
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
// A method that returns without an error has its write on the server's disk, and
// on those of the standbys that synchronous_standby_names asks for, even where
// the server's default is less ([Store.Touch] alone waits for neither). Each is
// one round trip; a second one follows when an Update loses a race by a hair.
//
// Open creates three tables, or works with those that an administrator has
// created: see docs/stores-sql.md, also for the privileges that are needed.
//
// Caveats:
//   - Reads and writes go to the primary: sessions on a replica would be late,
//     and a session revoked there lives on here. For several hosts in the URL, say
//     target_session_attrs=read-write.
//   - Each connection prepares the statements it runs. Behind a PgBouncer that
//     pools by transaction, from version 1.21 on that works with its
//     max_prepared_statements; otherwise say default_query_exec_mode=exec.
//   - A transaction that stays open for hours, of whatever application, keeps the
//     server from reclaiming what updates leave behind: the table grows meanwhile.
//   - [Store.Watch] listens, which needs a connection to the server itself: no
//     pooler that pools by transaction lets it.
//   - A server with fsync=off keeps none of its promises.
//   - One row of about 40 bytes stays for every owner who was ever passed to
//     RevokeOwner. A generation may only be forgotten when no record of an older
//     one can come, and a store does not know when that is.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/column"
)

var (
	_ sojourn.Store   = (*Store)(nil)
	_ sojourn.Sweeper = (*Store)(nil)
	_ sojourn.Pinger  = (*Store)(nil)
	_ io.Closer       = (*Store)(nil)
)

// A Store keeps sessions in a PostgreSQL database. It is safe for parallel use.
//
// An operation whose context ends returns the context's error; a write may still
// be stored.
type Store struct {
	pool   *pgxpool.Pool
	notify bool // tell listeners what ends
	closed atomic.Bool

	life context.Context // until Close
	end  context.CancelFunc
}

// Load implements [sojourn.Store].
func (s *Store) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if !column.HoldsID(id) {
		return sojourn.Record{}, fmt.Errorf("postgres: load: %w", sojourn.ErrNotFound)
	}
	r, err := s.load(ctx, id)
	return r, s.wrap("load", err)
}

func (s *Store) load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	var c columns
	if err := s.pool.QueryRow(ctx, sqlLoad, []byte(id)).Scan(c.record()...); err != nil {
		if errors.Is(err, pgx.ErrNoRows) {
			err = sojourn.ErrNotFound
		}
		return sojourn.Record{}, err
	}
	r := c.asRecord(id)
	if r.Dead {
		return r, sojourn.ErrNotFound
	}
	return r, nil
}

// Create implements [sojourn.Store]. Besides ErrExists it returns ErrInvalid for
// an ID of more than 128 bytes and an owner of more than 255, and ErrTooLarge for
// a payload of more than 256 MiB.
func (s *Store) Create(ctx context.Context, r *sojourn.Record) error {
	err := column.CheckRecord(r)
	if err == nil {
		err = checkPayload(r.Payload)
	}
	if err != nil {
		return fmt.Errorf("postgres: create: %w", err)
	}
	in := *r
	// A random first version keeps an update that is based on an earlier record
	// of the same ID, swept since, from fitting this one.
	in.Version = rand.Uint64()>>16 + 1
	var generation int64
	err = s.settle(ctx, func() error {
		return s.pool.QueryRow(ctx, sqlCreate, []byte(in.ID), int64(in.Version), column.State(in.Dead),
			in.Expires.UnixMilli(), []byte(in.Owner), column.Payload(in.Payload)).Scan(&generation)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = sojourn.ErrExists
	}
	if err != nil {
		return s.wrap("create", err)
	}
	r.Version = in.Version
	r.Generation, r.OwnerGeneration = uint64(generation), uint64(generation)
	return nil
}

// Update implements [sojourn.Store]. On success current is the zero Record. A
// payload of more than 256 MiB is refused with ErrTooLarge.
func (s *Store) Update(ctx context.Context, r *sojourn.Record) (current sojourn.Record, err error) {
	if !column.HoldsID(r.ID) {
		return sojourn.Record{}, fmt.Errorf("postgres: update: %w", sojourn.ErrNotFound)
	}
	if err := checkPayload(r.Payload); err != nil {
		return sojourn.Record{}, fmt.Errorf("postgres: update: %w", err)
	}
	in := *r
	current, err = s.update(ctx, &in)
	if err != nil {
		return current, s.wrap("update", err)
	}
	r.Version = in.Version + 1
	return sojourn.Record{}, nil
}

func (s *Store) update(ctx context.Context, in *sojourn.Record) (sojourn.Record, error) {
	query := sqlUpdateData
	args := []any{column.Payload(in.Payload), column.State(in.Dead), int64(in.Generation), []byte(in.ID), int64(in.Version)}
	if !in.Expires.IsZero() {
		query, args = sqlUpdate, append(args, in.Expires.UnixMilli())
	}
	if s.notify && in.Dead {
		if query == sqlUpdate {
			query = sqlUpdateNotify
		} else {
			query = sqlUpdateDataNotify
		}
		args = append(args, message(ofSession, string(in.ID)))
	}
	var changed int64
	var c columns
	err := s.settle(ctx, func() error {
		return s.pool.QueryRow(ctx, query, args...).Scan(c.record(&changed, &c.id)...)
	})
	if err != nil || changed == 1 {
		return sojourn.Record{}, err
	}
	if c.id == nil {
		return sojourn.Record{}, sojourn.ErrNotFound
	}
	current := c.asRecord(in.ID)
	switch {
	case current.Dead:
		return current, sojourn.ErrNotFound
	case current.Version != in.Version:
		return current, sojourn.ErrConflict
	}
	// The row changed after the statement's snapshot was taken: it updated
	// nothing, but still reads what was there before.
	if current, err = s.load(ctx, in.ID); err == nil {
		err = sojourn.ErrConflict
	}
	return current, err
}

// Touch implements [sojourn.Store]. Its write is visible to everybody when it
// returns, but does not wait for the disk: a crash of the server may take back
// the touches of the half second before it, which shortens those sessions and
// does nothing else.
func (s *Store) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	if !column.HoldsID(r.ID) {
		return nil
	}
	return s.wrap("touch", s.exec(ctx, sqlTouch, expires.UnixMilli(), []byte(r.ID)))
}

// Revoke implements [sojourn.Store].
func (s *Store) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	if !column.HoldsID(r.ID) {
		return nil
	}
	dead := r.Tombstone()
	query, args := sqlRevoke, []any{column.Payload(dead.Payload), dead.Expires.UnixMilli(), []byte(dead.ID)}
	if s.notify {
		query, args = sqlRevokeNotify, append(args, message(ofSession, string(dead.ID)))
	}
	return s.wrap("revoke", s.exec(ctx, query, args...))
}

// List implements [sojourn.Store]. It leaves out tombstones, but neither records
// of an older generation nor those whose deadline has passed.
func (s *Store) List(ctx context.Context, owner string) ([]sojourn.ID, error) {
	if !column.HoldsOwner(owner) {
		return nil, nil
	}
	rows, err := s.pool.Query(ctx, sqlList, []byte(owner))
	if err != nil {
		return nil, s.wrap("list", err)
	}
	ids, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (sojourn.ID, error) {
		var id []byte
		err := row.Scan(&id)
		return sojourn.ID(id), err
	})
	return ids, s.wrap("list", err)
}

// RevokeOwner implements [sojourn.Store]. The empty owner and one of more than
// 255 bytes are refused with ErrInvalid: they own no records.
func (s *Store) RevokeOwner(ctx context.Context, owner string) (generation uint64, err error) {
	if err := column.CheckOwner(owner); err != nil {
		return 0, fmt.Errorf("postgres: revoke owner: %w", err)
	}
	var gen int64
	query, args, answer := sqlRevokeOwner, []any{[]byte(owner)}, []any{&gen}
	if s.notify {
		query, args, answer = sqlRevokeOwnerNotify, append(args, message(ofOwner, owner)), append(answer, nil)
	}
	err = s.settle(ctx, func() error {
		return s.pool.QueryRow(ctx, query, args...).Scan(answer...)
	})
	return uint64(gen), s.wrap("revoke owner", err)
}

// Ping implements [sojourn.Pinger]: it asks the server, and does not write.
func (s *Store) Ping(ctx context.Context) error {
	return s.wrap("ping", s.pool.Ping(ctx))
}

// Close ends every Watch, waits for the operations under way and closes the
// connections. Later
// operations return [ErrClosed].
func (s *Store) Close() error {
	s.closed.Store(true)
	s.end()
	s.pool.Close()
	return nil
}

func (s *Store) exec(ctx context.Context, query string, args ...any) error {
	return s.settle(ctx, func() error {
		_, err := s.pool.Exec(ctx, query, args...)
		return err
	})
}
