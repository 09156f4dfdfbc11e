package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

// refused opens path, which must fail with all those words, and leave the file
// as it was and nothing beside it.
func refused(t *testing.T, path string, words ...string) {
	t.Helper()
	before, _ := os.ReadFile(path)
	beside, _ := filepath.Glob(filepath.Dir(path) + "/*")
	s, err := OpenSQLite(context.Background(), path, nil)
	if err == nil {
		s.Close()
		t.Fatal("it was opened")
	}
	for _, w := range append(words, "sqlstore: open", path, "expected") {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error is %q: expected %q in it", err, w)
		}
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Error("the file was changed")
	}
	if after, _ := filepath.Glob(filepath.Dir(path) + "/*"); len(after) != len(beside) {
		t.Errorf("the folder holds %q: expected %q", after, beside)
	}
}

// file makes a database by running SQL, the way another program would.
func file(t *testing.T, statements string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sessions.db")
	db, err := sql.Open("sqlite", sqliteDSN(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenRefusesWhatIsNotADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte(strings.Repeat("not a database\n", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, path, "not an SQLite database", "nothing was changed")
}

func TestOpenRefusesAStrangersDatabase(t *testing.T) {
	for name, statements := range map[string]string{
		"tables":          "CREATE TABLE invoice (id)",
		"our table names": "CREATE TABLE session (id); CREATE TABLE session_owner (owner)",
		"a log":           "PRAGMA journal_mode=WAL; CREATE TABLE invoice (id)",
		"a mark":          "PRAGMA application_id=42",
		"a version":       "PRAGMA user_version=3",
	} {
		t.Run(name, func(t *testing.T) { refused(t, file(t, statements), "nothing was changed") })
	}
}

// A stranger's tables may so far be in the log only.
func TestOpenRefusesAStrangersLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	db, err := sql.Open("sqlite", sqliteDSN(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("PRAGMA journal_mode=WAL; CREATE TABLE invoice (id)"); err != nil {
		t.Fatal(err)
	}
	refused(t, path, "nothing was changed")
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s, err := OpenSQLite(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw(t, s, "PRAGMA user_version=99")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, path, "99", "newer release", "nothing was changed")
}

func TestOpenRefusesPathsThatAreNoFiles(t *testing.T) {
	dir := t.TempDir()
	refused(t, dir, "folder")
	refused(t, filepath.Join(dir, "absent", "sessions.db"), "folder")
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, filepath.Join(plain, "sessions.db"))
	for _, path := range []string{"", ":memory:", "file:x.db", "a\x00b"} {
		if s, err := OpenSQLite(t.Context(), path, nil); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%q: %v, %v: expected ErrInvalid", path, s, err)
		}
	}
}

func TestOpenRefusesNegativeOptions(t *testing.T) {
	for _, o := range []Options{{Readers: -1}, {BusyTimeout: -1}} {
		if _, err := OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "x"), &o); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%+v: %v: expected ErrInvalid", o, err)
		}
	}
}

func TestOpenTakesAnEmptyFileAndOddNames(t *testing.T) {
	for _, name := range []string{"empty", "with space", "q?mode=ro", "h#sh", "p%20c", "ü"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		create(t, open(t, path), "x", "")
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q was not written: %v", name, err)
		}
	}
}

func TestOpenBringsAnOlderSchemaUpToDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s, err := OpenSQLite(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	create(t, s, "old", "user")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	defer func(released []string) { migrations = released }(migrations)
	migrations = append(migrations[:1:1], "ALTER TABLE session ADD COLUMN extra INTEGER NOT NULL DEFAULT 7")
	s = open(t, path)
	raw(t, s, "UPDATE session SET extra = extra + 1")
	if _, err := s.Load(t.Context(), "old"); err != nil {
		t.Error(err)
	}
	id, err := identify(t.Context(), s.readers)
	if err != nil || id.version != 2 {
		t.Errorf("version %d, %v: expected 2", id.version, err)
	}
}

// A step that fails leaves the version before it whole.
func TestAFailedMigrationChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	defer func(released []string) { migrations = released }(migrations)
	released := migrations
	migrations = append(migrations[:1:1], "CREATE TABLE half (x); CREATE TABLE half (x)")
	if s, err := OpenSQLite(t.Context(), path, nil); err == nil {
		s.Close()
		t.Fatal("it was opened")
	}
	migrations = released
	create(t, open(t, path), "x", "")
}

func TestSettings(t *testing.T) {
	s := open(t)
	err := s.writes.do(t.Context(), durable, func(tx *tx) error {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000", "cache_size": "-16384"} {
			var got string
			if err := tx.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %s: expected %s", pragma, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := s.readers.Exec("DELETE FROM session"); err == nil {
		t.Error("a reader could write")
	}
}

// What was acknowledged survives a power failure, too: this needs FULL.
func TestP14OnlyRelaxedCommitsSkipTheSync(t *testing.T) {
	s := open(t)
	for range 2 {
		for needs, want := range map[durability]string{durable: "2", relaxed: "1"} {
			var got string
			err := s.writes.do(t.Context(), needs, func(tx *tx) error {
				return tx.conn.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&got)
			})
			if err != nil || got != want {
				t.Errorf("synchronous is %s, %v: expected %s", got, err, want)
			}
		}
	}
	b := borrowBatcher(t, s)
	mixed := []*op{
		{needs: relaxed, run: nothing, done: make(chan error, 1)},
		{needs: durable, run: nothing, done: make(chan error, 1)},
	}
	b.synced = false
	if err := b.sync(mixed); err != nil || !b.synced {
		t.Errorf("one durable operation does not make its batch wait for the disk: %v", err)
	}
}
