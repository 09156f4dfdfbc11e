package sqlstore_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/store/sqlstore"
)

type finding struct {
	detail  string
	problem error
}

func (f finding) isWarning() bool {
	w, ok := f.problem.(interface{ Warning() bool })
	return ok && w.Warning()
}

func diagnose(t *testing.T, s *sqlstore.Store) map[string]finding {
	found := map[string]finding{}
	s.Diagnose(t.Context(), func(check, detail string, problem error) { found[check] = finding{detail, problem} })
	return found
}

func TestDiagnose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s, err := sqlstore.OpenSQLite(context.Background(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	found := diagnose(t, s)
	for check, want := range map[string]string{"engine": "SQLite 3.", "schema": "version 1", "journal mode": "wal",
		"durability": "synchronous=FULL", "file": path, "log": "", "integrity": "ok"} {
		f, ok := found[check]
		if !ok || !strings.Contains(f.detail, want) || f.problem != nil {
			t.Errorf("%s: %+v, want %q", check, f, want)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	if f := found["permissions"]; f.problem != nil || !strings.Contains(f.detail, "0600") {
		t.Errorf("permissions: %+v", f)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if f := diagnose(t, s)["permissions"]; !f.isWarning() || !strings.Contains(f.problem.Error(), "chmod 600 "+path) {
		t.Errorf("permissions of a file that all can read: %+v", f)
	}
}

func TestDiagnoseDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s, err := sqlstore.OpenSQLite(context.Background(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	// The index claims a row that the table does not have.
	for _, q := range []string{"INSERT INTO session VALUES ('a', 1, 0, 1, 'ada', 0, x'01')", "PRAGMA writable_schema=ON",
		"UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'session_owner') WHERE name = 'session_by_expires'"} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	if s, err = sqlstore.OpenSQLite(context.Background(), path, nil); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if f := diagnose(t, s)["integrity"]; f.problem == nil || f.isWarning() {
		t.Errorf("integrity of a damaged file: %+v", f)
	}
}

func TestDiagnoseClosed(t *testing.T) {
	s, err := sqlstore.OpenSQLite(context.Background(), filepath.Join(t.TempDir(), "sessions.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if f := diagnose(t, s)["integrity"]; f.problem == nil {
		t.Errorf("integrity of a closed store: %+v", f)
	}
}

func TestSchemaIsTheOneThatOpenCreates(t *testing.T) {
	script, err := sqlstore.Schema("sqlite")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sessions.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(script); err != nil {
		t.Fatal(err)
	}
	db.Close()
	s, err := sqlstore.OpenSQLite(context.Background(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if f := diagnose(t, s)["schema"]; f.detail != "version 1" || f.problem != nil {
		t.Errorf("schema: %+v", f)
	}
	if _, err := sqlstore.Schema("oracle"); err == nil {
		t.Error("Schema of an unknown dialect gives no error")
	}
}
