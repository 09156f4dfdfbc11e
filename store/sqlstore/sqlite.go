package sqlstore

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

const recordColumns = `s.ver, s.state, s.expires, s.owner, s.gen, s.data, COALESCE(o.gen, 0)
	FROM session s LEFT JOIN session_owner o ON o.owner = s.owner`

// The states are written out, not passed: an index or a plan could not count on
// a parameter.
var sqliteDialect = &dialect{
	statements: statements{
		load: `SELECT ` + recordColumns + ` WHERE s.id = ?1`,
		create: `INSERT INTO session (id, ver, state, expires, owner, gen, data)
			VALUES (?1, ?2, ?3, ?4, ?5, COALESCE((SELECT gen FROM session_owner WHERE owner = ?5), 0), ?6)
			ON CONFLICT (id) DO NOTHING RETURNING gen`,
		update: `UPDATE session SET data = ?1, ver = ver + 1, state = ?2, gen = ?3, expires = ?6
			WHERE id = ?4 AND ver = ?5 AND state = 0`,
		updateData: `UPDATE session SET data = ?1, ver = ver + 1, state = ?2, gen = ?3
			WHERE id = ?4 AND ver = ?5 AND state = 0`,
		touch: `UPDATE session SET expires = ?1 WHERE id = ?2 AND state = 0 AND expires < ?1`,
		revoke: `UPDATE session SET state = 1, ver = ver + 1, data = ?1, expires = ?2
			WHERE id = ?3 AND state = 0`,
		// owner <> '' is what lets the partial index serve it.
		list: `SELECT id FROM session WHERE owner = ?1 AND owner <> '' AND state = 0`,
		revokeOwner: `INSERT INTO session_owner (owner, gen) VALUES (?1, 1)
			ON CONFLICT (owner) DO UPDATE SET gen = gen + 1 RETURNING gen`,
		expired: `SELECT id FROM session WHERE expires < ?1 LIMIT ?2`,
		remove:  `DELETE FROM session WHERE id = ?1 AND expires < ?2 RETURNING ver, state, expires, owner, gen, data, 0`,
		scan:    `SELECT s.id, ` + recordColumns + ` WHERE s.id > ?1 ORDER BY s.id LIMIT ?2`,
	},
	explain: explainSQLite,
}

// explainSQLite adds what to do about an error whose own words do not say it.
func explainSQLite(err error) error {
	switch sqliteCode(err) {
	case lib.SQLITE_FULL:
		return fmt.Errorf("the disk is full, or the file has reached its largest size: %w", err)
	case lib.SQLITE_BUSY:
		return fmt.Errorf("another process is writing and did not finish in time: %w", err)
	case lib.SQLITE_READONLY:
		return fmt.Errorf("the database file or its folder has become read-only: %w", err)
	case lib.SQLITE_IOERR:
		return fmt.Errorf("the disk reported an error: %w", err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("the database file is damaged; restore it from a copy: %w", err)
	}
	return err
}

// sqliteCode is the primary result code of an SQLite error, or 0 for others.
func sqliteCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}
