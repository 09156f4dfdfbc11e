package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/sojournhq/sojourn/store/sqlstore/internal/schema"
)

// migrationLock is the key of the advisory lock under which tables are created
// and changed: "Sojn".
const migrationLock = 0x536f6a6e

const schemaCommand = "`sojourn schema postgres` prints how to create them"

// prepare brings the tables to the version of this release or, if that is not
// its business, checks that they have it.
func prepare(ctx context.Context, conn *pgx.Conn, st state, noMigrate bool) error {
	latest := schema.Postgres.Latest()
	version, err := version(ctx, conn, st)
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
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", migrationLock); err != nil {
			return err
		}
		return migrate(ctx, tx)
	})
}

// migrate runs the missing steps. It looks again at what is there: another
// process may have been quicker.
func migrate(ctx context.Context, tx pgx.Tx) error {
	st, err := look(ctx, tx.Conn())
	if err != nil {
		return err
	}
	if st.tables && !st.marked {
		return errors.New("there is a table sojourn_session, but none named sojourn_schema: expected both or neither; nothing was changed")
	}
	from, err := version(ctx, tx.Conn(), st)
	if err != nil {
		return err
	}
	for v := from; v < schema.Postgres.Latest(); v++ {
		for _, statement := range schema.Postgres.Step(v) {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return fmt.Errorf("migrate from version %d: %w", v, err)
			}
		}
	}
	return nil
}

// version is what the tables say of themselves, 0 if there are none.
func version(ctx context.Context, conn *pgx.Conn, st state) (v int, err error) {
	if !st.marked {
		return 0, nil
	}
	err = conn.QueryRow(ctx, "SELECT COALESCE(max(version), 0) FROM sojourn_schema").Scan(&v)
	return v, err
}
