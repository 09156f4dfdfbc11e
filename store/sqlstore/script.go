package sqlstore

import (
	"fmt"
	"strings"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/schema"
)

// Schema is the script that creates the tables in an empty database, for those
// who do not let the program do it: of the dialect sqlite, postgres or mysql. With
// the last two, open the store with NoMigrate then.
func Schema(dialect string) (string, error) {
	switch dialect {
	case "sqlite":
		return "BEGIN;" + strings.Join(migrations, "") + marks(len(migrations)) + ";\nCOMMIT;\n", nil
	case "postgres":
		return schema.Postgres.Script(), nil
	case "mysql":
		return schema.MySQL.Script(), nil
	}
	return "", fmt.Errorf("sqlstore: schema: %w: dialect %q: expected sqlite, postgres or mysql", sojourn.ErrInvalid, dialect)
}
