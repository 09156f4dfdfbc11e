package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	lib "modernc.org/sqlite/lib"

	"github.com/sojournhq/sojourn"
)

// creating keeps prepareFile from closing a file that another goroutine has
// just opened as a database, which would drop its locks.
var creating sync.Mutex

// prepareFile checks what can be checked without opening the file, and creates
// it if there is none. It returns the absolute path.
func prepareFile(path string) (string, error) {
	if path == "" || strings.ContainsRune(path, 0) || strings.HasPrefix(path, ":memory:") || strings.HasPrefix(path, "file:") {
		return "", fmt.Errorf("%w: expected the path of a file", sojourn.ErrInvalid)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	creating.Lock()
	defer creating.Unlock()
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return "", errors.New("it is a folder: expected the path of a file")
	case err == nil && !info.Mode().IsRegular():
		return "", errors.New("it is not a regular file: expected a database or no file")
	case err == nil:
		return path, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("expected a file that can be reached: %w", bare(err))
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return path, nil // another process was quicker
	}
	if err != nil {
		return "", fmt.Errorf("cannot create it: expected a folder that exists and is writable: %w", bare(err))
	}
	return path, f.Close()
}

// bare is err without the operation and the path, which the caller names.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// inspect refuses what is not our database, reading it as a file that nobody
// writes: so it takes no lock and leaves no log beside a stranger's database.
// It may be mistaken about one that is in use and lets it pass then.
func inspect(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", sqliteDSN(path, "mode=ro", "immutable=1"))
	if err != nil {
		return err
	}
	defer db.Close()
	id, err := identify(ctx, db)
	switch sqliteCode(err) {
	case lib.SQLITE_NOTADB, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return explainOpen(err)
	}
	if err != nil {
		return ctx.Err()
	}
	return id.check(len(migrations))
}

// writable tells whether SQLite got to open the file for writing: it falls back
// to reading in silence.
func writable(conn *sql.Conn) error {
	return conn.Raw(func(c any) error {
		readOnly, err := c.(interface{ IsReadOnly(string) (bool, error) }).IsReadOnly("main")
		if err == nil && readOnly {
			err = errors.New("the file is read-only: expected one that this process may write; nothing was changed")
		}
		return err
	})
}

// explainOpen says of SQLite's error what was expected of the file.
func explainOpen(err error) error {
	switch sqliteCode(err) {
	case lib.SQLITE_NOTADB:
		return fmt.Errorf("the file is not an SQLite database: expected a session database or no file; nothing was changed: %w", err)
	case lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return fmt.Errorf("cannot open it: expected a file that this process may read and write, in a folder where it may create the -wal and -shm files: %w", err)
	case lib.SQLITE_READONLY:
		return fmt.Errorf("cannot write to it: expected a writable file in a folder where this process may create the -wal and -shm files; nothing was changed: %w", err)
	}
	return explainSQLite(err)
}

func isBusy(err error) bool { return sqliteCode(err) == lib.SQLITE_BUSY }

// sqliteDSN is the driver's name for the file, with its parameters.
func sqliteDSN(path string, params ...string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/…
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(params, "&")}).String()
}

func busyTimeout(o Options) string {
	return fmt.Sprintf("_pragma=busy_timeout(%d)", o.BusyTimeout.Milliseconds())
}
