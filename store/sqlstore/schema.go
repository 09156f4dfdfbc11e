package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
)

// applicationID marks an SQLite file as ours (PRAGMA application_id): "Sojn".
const applicationID = 0x536f6a6e

// migrations lead from each schema version (PRAGMA user_version) to the next:
// the first from an empty database to version 1. A released one never changes.
//
//   - state: 0 live, 1 dead. expires: milliseconds since 1970. ver, gen: see
//     sojourn.Record.
//   - Text is compared byte by byte and may hold any bytes.
//   - The table has row numbers: sessions of one time lie side by side and change
//     together. Without them a payload of more than 1000 bytes would get a page of
//     its own besides (measured at 1500 bytes: a fourth of the rate).
//   - The index on expires is exact, so that a sweep never reads a live record:
//     by day, as suits engines that update in place, one that finds nothing reads
//     every record of today (1.2 s for a million). An update that keeps the
//     deadline does not name the column, since SQLite would write a page of the
//     index all the same (measured: two thirds of the rate).
//   - A record's owner never changes, so the index on it costs updates nothing.
var migrations = []string{`
CREATE TABLE session (
	id      TEXT    NOT NULL PRIMARY KEY,
	ver     INTEGER NOT NULL,
	state   INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	owner   TEXT    NOT NULL,
	gen     INTEGER NOT NULL,
	data    BLOB    NOT NULL
);
CREATE INDEX session_by_expires ON session (expires);
CREATE INDEX session_by_owner ON session (owner) WHERE owner <> '';
CREATE TABLE session_owner (
	owner TEXT    NOT NULL PRIMARY KEY,
	gen   INTEGER NOT NULL
) WITHOUT ROWID;
`}

// An identity is what tells whose database a file is.
type identity struct {
	application int64
	version     int
	tables      int
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func identify(ctx context.Context, q queryer) (id identity, err error) {
	err = q.QueryRowContext(ctx, `SELECT
		(SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_master)`).Scan(&id.application, &id.version, &id.tables)
	return id, err
}

// check refuses a database that is not ours, or of a later version than latest.
// An empty one is to become ours.
func (id identity) check(latest int) error {
	switch {
	case id.application == applicationID && id.version > latest:
		return fmt.Errorf("schema version %d is of a newer release: expected at most %d; nothing was changed", id.version, latest)
	case id.application == applicationID:
		return nil
	case id.application != 0:
		return fmt.Errorf("the database belongs to another application (application_id %#x): expected %#x or a new file; nothing was changed", uint32(id.application), applicationID)
	case id.tables != 0 || id.version != 0:
		return fmt.Errorf("the database has another schema (%d tables and indexes, user_version %d, no application_id): expected a session database or a new file; nothing was changed", id.tables, id.version)
	}
	return nil
}

// migrate brings the database to the last version, in one transaction that
// looks again at what is there: another process may have been quicker.
func migrate(ctx context.Context, conn *sql.Conn, steps []string) (err error) {
	id, err := identify(ctx, conn)
	if err != nil {
		return err
	}
	if id.application == applicationID && id.version == len(steps) {
		return nil
	}
	t, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer t.Rollback() // does nothing after Commit
	if id, err = identify(ctx, t); err != nil {
		return err
	}
	if err := id.check(len(steps)); err != nil {
		return err
	}
	for v := id.version; v < len(steps); v++ {
		if _, err := t.ExecContext(ctx, steps[v]); err != nil {
			return fmt.Errorf("migrate from version %d: %w", v, err)
		}
	}
	if _, err := t.ExecContext(ctx, marks(len(steps))); err != nil {
		return err
	}
	return t.Commit()
}

// marks are the statements that make a database ours, of that version.
func marks(version int) string {
	return fmt.Sprintf("PRAGMA application_id=%d; PRAGMA user_version=%d", applicationID, version)
}
