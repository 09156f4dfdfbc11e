package sqlstore

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

func TestThePrintedSchemaIsTheOneThatOpenCreates(t *testing.T) {
	script, err := Schema("sqlite")
	if err != nil {
		t.Fatal(err)
	}
	describe := func(path string) (text string) {
		db, err := sql.Open("sqlite", path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		err = db.QueryRow(`SELECT group_concat(sql, x'0a') || (SELECT application_id FROM pragma_application_id) || (SELECT user_version FROM pragma_user_version)
			FROM (SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name)`).Scan(&text)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	created, printed := filepath.Join(t.TempDir(), "created.db"), filepath.Join(t.TempDir(), "printed.db")
	open(t, created).Close()
	db, err := sql.Open("sqlite", printed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(script); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if a, b := describe(created), describe(printed); a != b {
		t.Errorf("open creates\n%s\nprinted is\n%s", a, b)
	}
	create(t, open(t, printed), "one", "user")
}

// That they are what the engines take is tested beside those.
func TestSchemaOfEachDialect(t *testing.T) {
	for dialect, want := range map[string]string{"postgres": "bytea", "mysql": "VARBINARY"} {
		script, err := Schema(dialect)
		if err != nil || !strings.Contains(script, want) || strings.Contains(script, ";;") || !strings.HasSuffix(script, ";\n") {
			t.Errorf("the schema of %s is %q, %v", dialect, script, err)
		}
	}
	if _, err := Schema("oracle"); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("an unknown dialect: %v", err)
	}
}
