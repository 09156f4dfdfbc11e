// Package sqlkeeper keeps another system's session records where it keeps them in
// PostgreSQL: the table of connect-pg-simple.
//
//	db, err := sql.Open("pgx", "postgres://…")
//	...
//	keeper, err := sqlkeeper.New(db, nil)
//
// The table's column expire is a timestamp without time zone, which the server reads
// in the time zone of the connection. So this connection's must be the other
// system's: neither says anything, or both the same (?TimeZone=UTC).
package sqlkeeper

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
)

// Options shape a Keeper. The zero value is ready for use.
type Options struct {
	// Schema and Table, as in connect-pg-simple's options schemaName and tableName.
	// Default: the connection's search path, "session".
	Schema, Table string
}

// A Keeper is safe for parallel use. The database stays the caller's to close.
type Keeper struct {
	db *sql.DB

	read, insert, update, remove, touch, delete string
}

var (
	_ format.Keeper = (*Keeper)(nil)
	_ format.Pinger = (*Keeper)(nil)
)

// New does no I/O: the other system makes the table.
func New(db *sql.DB, opt *Options) (*Keeper, error) {
	if db == nil {
		return nil, fmt.Errorf("sqlkeeper: new: %w: the database is nil", sojourn.ErrInvalid)
	}
	var o Options
	if opt != nil {
		o = *opt
	}
	if o.Table == "" {
		o.Table = "session"
	}
	if strings.ContainsRune(o.Schema+o.Table, 0) {
		return nil, fmt.Errorf("sqlkeeper: new: %w: a NUL in Options.Schema or Table", sojourn.ErrInvalid)
	}
	table := quote(o.Table)
	if o.Schema != "" {
		table = quote(o.Schema) + "." + table
	}
	k := &Keeper{db: db}
	sub := strings.NewReplacer("TABLE", table, "LIVE", "sid = $1 AND expire >= to_timestamp($2)").Replace
	k.read = sub(`SELECT sess::text, extract(epoch FROM expire AT TIME ZONE current_setting('TimeZone'))::float8 FROM TABLE WHERE LIVE`)
	k.insert = sub(`INSERT INTO TABLE AS t (sid, sess, expire) VALUES ($1, $3::json, to_timestamp($4)) ` +
		`ON CONFLICT (sid) DO UPDATE SET sess = excluded.sess, expire = excluded.expire WHERE t.expire < to_timestamp($2)`)
	changed := ` RETURNING 1) SELECT (SELECT count(*) FROM changed), (SELECT count(*) FROM TABLE WHERE LIVE)`
	k.update = sub(`WITH changed AS (UPDATE TABLE SET sess = $4::json, expire = coalesce(to_timestamp($5::float8)::timestamp, expire) WHERE LIVE AND sess::text = $3` + changed)
	k.remove = sub(`WITH changed AS (DELETE FROM TABLE WHERE LIVE AND sess::text = $3` + changed)
	k.touch = sub(`UPDATE TABLE SET expire = to_timestamp($3) WHERE LIVE`)
	k.delete = sub(`DELETE FROM TABLE WHERE sid = $1`)
	return k, nil
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func now() float64 { return float64(time.Now().UnixMilli()) / 1000 }

// seconds are whole, as the other system writes them.
func seconds(t time.Time) float64 { return math.Ceil(float64(t.UnixMilli()) / 1000) }

// Read returns the text of the column sess, and expire.
func (k *Keeper) Read(ctx context.Context, key string) ([]byte, time.Time, error) {
	var record []byte
	var expire float64
	err := k.db.QueryRowContext(ctx, k.read, key, now()).Scan(&record, &expire)
	if errors.Is(err, sql.ErrNoRows) {
		err = sojourn.ErrNotFound
	}
	if err != nil {
		return nil, time.Time{}, wrap("read", err)
	}
	return record, time.UnixMilli(int64(expire * 1000)), nil
}

// Swap is one statement.
func (k *Keeper) Swap(ctx context.Context, key string, old, record []byte, expires time.Time) error {
	return wrap("swap", k.swap(ctx, key, old, record, expires))
}

func (k *Keeper) swap(ctx context.Context, key string, old, record []byte, expires time.Time) error {
	if old == nil {
		if expires.IsZero() {
			return fmt.Errorf("%w: a row without a deadline", sojourn.ErrUnsupported)
		}
		done, err := k.db.ExecContext(ctx, k.insert, key, now(), string(record), seconds(expires))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, sojourn.ErrConflict)
		}
		return nil
	}
	var row *sql.Row
	if record == nil {
		row = k.db.QueryRowContext(ctx, k.remove, key, now(), string(old))
	} else {
		var until any
		if !expires.IsZero() {
			until = seconds(expires)
		}
		row = k.db.QueryRowContext(ctx, k.update, key, now(), string(old), string(record), until)
	}
	var changed, there int
	switch err := row.Scan(&changed, &there); {
	case err != nil:
		return err
	case changed > 0:
		return nil
	case there > 0:
		return sojourn.ErrConflict
	}
	return sojourn.ErrNotFound
}

// Touch sets expire of a row that has not expired.
func (k *Keeper) Touch(ctx context.Context, key string, expires time.Time) error {
	_, err := k.db.ExecContext(ctx, k.touch, key, now(), seconds(expires))
	return wrap("touch", err)
}

// Delete removes the row.
func (k *Keeper) Delete(ctx context.Context, key string) error {
	_, err := k.db.ExecContext(ctx, k.delete, key)
	return wrap("delete", err)
}

// Ping asks the server.
func (k *Keeper) Ping(ctx context.Context) error { return wrap("ping", k.db.PingContext(ctx)) }

func wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sqlkeeper: %s: %w", verb, err)
}
