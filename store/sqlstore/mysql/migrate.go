package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn/store/sqlstore/internal/schema"
)

const schemaCommand = "`sojourn schema mysql` prints how to create them"

// prepare brings the tables to the version of this release or, if that is not
// its business, checks that they have it.
func prepare(ctx context.Context, conn *sql.Conn, noMigrate bool) error {
	latest := schema.MySQL.Latest()
	version, err := version(ctx, conn)
	switch {
	case err != nil:
		return err
	case version > latest:
		return fmt.Errorf("the tables have schema version %d, of a newer release: expected at most %d; nothing was changed", version, latest)
	case version == latest:
		return nil
	case noMigrate && version == 0:
		return errors.New("the tables are missing, and Options.NoMigrate is set: " + schemaCommand)
	case noMigrate:
		return fmt.Errorf("the tables have schema version %d, and Options.NoMigrate is set: expected %d: %s", version, latest, schemaCommand)
	}
	return migrate(ctx, conn)
}

// migrate runs the missing steps. Creating a table is no part of a transaction
// here, so a lock of the server keeps other processes away, and what one that was
// interrupted has left behind is completed.
func migrate(ctx context.Context, conn *sql.Conn) error {
	const name = "CONCAT('sojourn ', MD5(DATABASE()))" // locks are the whole server's
	var locked sql.NullBool
	if err := conn.QueryRowContext(ctx, "SELECT GET_LOCK("+name+", 60)").Scan(&locked); err != nil {
		return err
	}
	if !locked.Bool {
		return errors.New("another process has been changing the tables for a minute")
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK("+name+")")
	from, err := version(ctx, conn)
	if err != nil {
		return err
	}
	for v := from; v < schema.MySQL.Latest(); v++ {
		for _, statement := range schema.MySQL.Step(v) {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("migrate from version %d: %w", v, err)
			}
		}
	}
	return nil
}

// version is what the tables say of themselves, 0 if there are none.
func version(ctx context.Context, conn *sql.Conn) (v int, err error) {
	var marked int
	err = conn.QueryRowContext(ctx, `SELECT COUNT(*) FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_name = 'sojourn_schema'`).Scan(&marked)
	if err != nil || marked == 0 {
		return 0, err
	}
	err = conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM sojourn_schema").Scan(&v)
	return v, err
}
