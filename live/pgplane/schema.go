package pgplane

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

const schemaVersion = 1

// schemaLock is the key of the advisory lock under which tables are created:
// "SojL".
const schemaLock = 0x536f6a4c

// tables: used, at and until are milliseconds since 1970 by the server's clock.
// The one with the version is logged, so that a crash does not empty it.
var tables = []string{`
CREATE UNLOGGED TABLE sojourn_live (
	top    bigint NOT NULL,
	used   bigint NOT NULL,
	until  bigint NOT NULL DEFAULT 0,
	epoch  text   NOT NULL,
	reason text,
	id     bytea  NOT NULL PRIMARY KEY
) WITH (fillfactor = 50)`, `
CREATE UNLOGGED TABLE sojourn_live_event (
	top   bigint NOT NULL,
	at    bigint NOT NULL,
	epoch text   NOT NULL,
	id    bytea  NOT NULL,
	data  bytea  NOT NULL,
	PRIMARY KEY (id, epoch, top)
)`, `
CREATE UNLOGGED TABLE sojourn_live_tag (
	id  bytea NOT NULL,
	tag bytea NOT NULL,
	PRIMARY KEY (id, tag)
)`, `
CREATE INDEX sojourn_live_tag_by_tag ON sojourn_live_tag (tag)`, `
CREATE UNLOGGED TABLE sojourn_live_watch (
	number bigint NOT NULL,
	node   text   NOT NULL,
	id     bytea  NOT NULL,
	tag    bytea  NOT NULL,
	PRIMARY KEY (node, number, tag)
)`, `
CREATE INDEX sojourn_live_watch_by_tag ON sojourn_live_watch (tag)`, `
CREATE UNLOGGED TABLE sojourn_live_node (
	until bigint NOT NULL,
	node  text   NOT NULL PRIMARY KEY
)`, `
CREATE TABLE sojourn_live_schema (
	version int NOT NULL PRIMARY KEY
)`, `
INSERT INTO sojourn_live_schema (version) VALUES (1)`}

// Schema is a script that creates the tables.
func Schema() string {
	var b strings.Builder
	b.WriteString("BEGIN;\n\n")
	for _, statement := range tables {
		b.WriteString(strings.TrimSpace(statement) + ";\n\n")
	}
	b.WriteString("COMMIT;\n")
	return b.String()
}

// prepare creates the tables where there are none.
func prepare(ctx context.Context, conn *pgx.Conn, noMigrate bool) error {
	version, err := versionOf(ctx, conn)
	if err != nil || version == schemaVersion {
		return err
	}
	if noMigrate && version == 0 {
		return errors.New("the tables are missing, and Options.NoMigrate is set: `sojourn schema postgres-live` prints how to create them")
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = on"); err != nil { // tables are to survive a crash, if empty
			return err
		}
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", schemaLock); err != nil {
			return err
		}
		if version, err := versionOf(ctx, tx.Conn()); err != nil || version == schemaVersion {
			return err // another process was quicker
		}
		for _, statement := range tables {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
}

// versionOf is 0 without tables.
func versionOf(ctx context.Context, conn *pgx.Conn) (version int, err error) {
	var exists bool
	// Not to_regclass, which may answer out of a cache.
	err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_class WHERE relname = 'sojourn_live_schema' AND pg_table_is_visible(oid))").Scan(&exists)
	if err != nil || !exists {
		return 0, err
	}
	if err := conn.QueryRow(ctx, "SELECT COALESCE(max(version), 0) FROM sojourn_live_schema").Scan(&version); err != nil {
		return 0, err
	}
	if version != schemaVersion {
		return 0, fmt.Errorf("the tables have schema version %d, of another release: expected %d; nothing was changed", version, schemaVersion)
	}
	return version, nil
}
