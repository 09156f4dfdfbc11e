package sqlstore

import (
	"fmt"
	"strings"

	"github.com/sojournhq/sojourn"
)

// Schema is the script that creates the tables in an empty database, for those
// who do not let the program do it, or want to see it. The dialect is sqlite.
func Schema(dialect string) (string, error) {
	if dialect != "sqlite" {
		return "", fmt.Errorf("sqlstore: schema: %w: dialect %q: expected sqlite", sojourn.ErrInvalid, dialect)
	}
	marks := fmt.Sprintf("PRAGMA application_id=%d;\nPRAGMA user_version=%d;\n", applicationID, len(migrations))
	return "BEGIN;" + strings.Join(migrations, "") + marks + "COMMIT;\n", nil
}
