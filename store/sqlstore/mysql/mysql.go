// Package mysql keeps sessions in MySQL (8.0 or later) or MariaDB (10.6 or
// later), for many machines that share them.
//
//	store, err := mysql.Open(ctx, "mysql://app:secret@db.internal/app", nil)
//	if err != nil {
//		return err
//	}
//	defer store.Close()
//
// A method that returns without an error has its write on the server's disk, as
// long as innodb_flush_log_at_trx_commit is 1, its default. Each is one round
// trip; an Update that meets a conflict takes a second one to read the record.
//
// Open creates three tables, or works with those that an administrator has
// created: see docs/stores-sql.md, also for the privileges that are needed.
//
// Caveats:
//   - Reads and writes go to the primary: sessions on a replica would be late,
//     and a session revoked there lives on here. In a Galera cluster, use one node
//     for all, or set wsrep_sync_wait=3 there.
//   - binlog_format must not be STATEMENT, since transactions are READ COMMITTED.
//   - A record must fit into the server's max_allowed_packet (16 MiB or more by
//     default).
//   - One row of about 40 bytes stays for every owner who was ever passed to
//     RevokeOwner. A generation may only be forgotten when no record of an older
//     one can come, and a store does not know when that is.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
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

// A Store keeps sessions in a MySQL or MariaDB database. It is safe for parallel
// use.
//
// An operation whose context ends returns the context's error; a write may still
// be stored.
type Store struct {
	db     *sql.DB
	loads  *sql.Stmt // sqlLoad, nil if the server has no room for it
	closed atomic.Bool
}

// Load implements [sojourn.Store].
func (s *Store) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if !column.HoldsID(id) {
		return sojourn.Record{}, fmt.Errorf("mysql: load: %w", sojourn.ErrNotFound)
	}
	r, err := s.load(ctx, id)
	return r, s.wrap("load", err)
}

func (s *Store) load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	r, err := s.read(ctx, id)
	if errors.Is(err, sql.ErrNoRows) || err == nil && r.Dead {
		err = sojourn.ErrNotFound
	}
	return r, err
}

// read runs what nearly every request does as a prepared statement: three
// quarters of the time of a text that the server parses.
func (s *Store) read(ctx context.Context, id sojourn.ID) (r sojourn.Record, err error) {
	if s.loads != nil {
		r, err = scanRecord(s.loads.QueryRowContext(ctx, []byte(id)), id)
	}
	if s.loads == nil || number(err) == erTooManyStatements {
		r, err = scanRecord(s.db.QueryRowContext(ctx, sqlLoad, []byte(id)), id)
	}
	return r, err
}

// Create implements [sojourn.Store]. Besides ErrExists it returns ErrInvalid for
// an ID of more than 128 bytes and an owner of more than 255, and ErrTooLarge for
// a payload that does not fit into max_allowed_packet.
func (s *Store) Create(ctx context.Context, r *sojourn.Record) error {
	if err := column.CheckRecord(r); err != nil {
		return fmt.Errorf("mysql: create: %w", err)
	}
	in := *r
	// A random first version keeps an update that is based on an earlier record
	// of the same ID, swept since, from fitting this one.
	in.Version = rand.Uint64()>>16 + 1
	expires, owner := in.Expires.UnixMilli(), []byte(in.Owner)
	res, err := s.exec(ctx, sqlCreate, []byte(in.ID), int64(in.Version), column.State(in.Dead),
		expires, expires, owner, owner, column.Payload(in.Payload))
	if number(err) == erDupEntry {
		err = sojourn.ErrExists
	}
	if err != nil {
		return s.wrap("create", err)
	}
	r.Version = in.Version
	r.Generation, r.OwnerGeneration = res.number, res.number
	return nil
}

// Update implements [sojourn.Store]. On success current is the zero Record. A
// payload that does not fit into max_allowed_packet is refused with ErrTooLarge.
func (s *Store) Update(ctx context.Context, r *sojourn.Record) (current sojourn.Record, err error) {
	if !column.HoldsID(r.ID) {
		return sojourn.Record{}, fmt.Errorf("mysql: update: %w", sojourn.ErrNotFound)
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
	data, state, id := column.Payload(in.Payload), column.State(in.Dead), []byte(in.ID)
	query, args := sqlUpdateData, []any{data, state, int64(in.Generation), id, int64(in.Version)}
	if !in.Expires.IsZero() {
		ms := in.Expires.UnixMilli()
		query, args = sqlUpdate, []any{data, state, int64(in.Generation), ms, ms, id, int64(in.Version)}
	}
	res, err := s.exec(ctx, query, args...)
	if err != nil || res.rows == 1 {
		return sojourn.Record{}, err
	}
	// It was dead, absent or of another version, and what is so never becomes
	// live with an earlier version again: reading now tells which.
	current, err := s.load(ctx, in.ID)
	if err == nil {
		err = sojourn.ErrConflict
	}
	return current, err
}

// Touch implements [sojourn.Store].
func (s *Store) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	if !column.HoldsID(r.ID) {
		return nil
	}
	ms := expires.UnixMilli()
	_, err := s.exec(ctx, sqlTouch, ms, []byte(r.ID), ms)
	return s.wrap("touch", err)
}

// Revoke implements [sojourn.Store].
func (s *Store) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	if !column.HoldsID(r.ID) {
		return nil
	}
	dead := r.Tombstone()
	ms := dead.Expires.UnixMilli()
	_, err := s.exec(ctx, sqlRevoke, column.Payload(dead.Payload), ms, ms, []byte(dead.ID))
	return s.wrap("revoke", err)
}

// List implements [sojourn.Store]. It leaves out tombstones, but neither records
// of an older generation nor those whose deadline has passed.
func (s *Store) List(ctx context.Context, owner string) (ids []sojourn.ID, err error) {
	if !column.HoldsOwner(owner) {
		return nil, nil
	}
	rows, err := s.db.QueryContext(ctx, sqlList, []byte(owner))
	if err != nil {
		return nil, s.wrap("list", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, s.wrap("list", err)
		}
		ids = append(ids, sojourn.ID(id))
	}
	return ids, s.wrap("list", rows.Err())
}

// RevokeOwner implements [sojourn.Store]. The empty owner and one of more than
// 255 bytes are refused with ErrInvalid: they own no records.
func (s *Store) RevokeOwner(ctx context.Context, owner string) (generation uint64, err error) {
	if err := column.CheckOwner(owner); err != nil {
		return 0, fmt.Errorf("mysql: revoke owner: %w", err)
	}
	res, err := s.exec(ctx, sqlRevokeOwner, []byte(owner))
	return res.number, s.wrap("revoke owner", err)
}

// Ping implements [sojourn.Pinger]: it asks the server, and does not write.
func (s *Store) Ping(ctx context.Context) error {
	return s.wrap("ping", s.db.PingContext(ctx))
}

// Close closes the connections, each when its operation has ended. Later
// operations return [ErrClosed].
func (s *Store) Close() error {
	s.closed.Store(true)
	s.db.Close() // fails if it cannot say goodbye to a server that has gone
	return nil
}

// A result is what a statement has done: how many rows it changed, and the
// number it passed to LAST_INSERT_ID.
type result struct {
	rows   int64
	number uint64
}

func (s *Store) exec(ctx context.Context, query string, args ...any) (res result, err error) {
	err = settle(ctx, func() error {
		done, err := s.db.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		number, _ := done.LastInsertId() // this driver knows both always
		res.number = uint64(number)
		res.rows, _ = done.RowsAffected()
		return nil
	})
	return res, err
}
