package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// OpenSQLite opens the session database in the file at path, and creates it,
// readable by its user only, if there is none. The folder must exist and be
// writable. A file that is no SQLite database, belongs to another application
// or was written by a newer release is refused and left as it is; one of an
// older release is brought up to date.
func OpenSQLite(ctx context.Context, path string, opt *Options) (*Store, error) {
	o, err := opt.settled()
	if err != nil {
		return nil, fmt.Errorf("sqlstore: open: %w", err)
	}
	s, err := openSQLite(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: open %s: %w", path, err)
	}
	return s, nil
}

func openSQLite(ctx context.Context, path string, o Options) (_ *Store, err error) {
	path, err = prepareFile(path)
	if err != nil {
		return nil, err
	}
	if err := inspect(ctx, path); err != nil {
		return nil, err
	}
	s := &Store{dialect: sqliteDialect, reads: make(chan struct{}, o.Readers)}
	writers, conn, err := openWriter(ctx, path, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			writers.Close()
		}
	}()
	d := s.dialect
	b, err := newBatcher(ctx, conn, d.load, d.create, d.update, d.updateData, d.touch, d.revoke, d.revokeOwner, d.remove)
	if err != nil {
		return nil, explainOpen(err)
	}
	if err := s.openReaders(ctx, path, o); err != nil {
		b.close()
		return nil, err
	}
	s.writes = startWriter(b.commit)
	s.close = func() error {
		err := s.readers.Close()
		b.close()
		// Best effort: it stays undone while another process reads, and the log
		// is as safe as the file.
		conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
		return errors.Join(err, conn.Close(), writers.Close())
	}
	return s, nil
}

// openWriter opens the connection that writes: the only one of this process.
func openWriter(ctx context.Context, path string, o Options) (_ *sql.DB, conn *sql.Conn, err error) {
	db, err := sql.Open("sqlite", sqliteDSN(path, "_txlock=immediate", busyTimeout(o)))
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			db.Close()
		}
	}()
	db.SetMaxOpenConns(1)
	if conn, err = db.Conn(ctx); err != nil {
		return nil, nil, explainOpen(err)
	}
	if err := writable(conn); err != nil {
		return nil, nil, err
	}
	// Again, beside what inspect saw: now with what is only in the log so far.
	id, err := identify(ctx, conn)
	if err != nil {
		return nil, nil, explainOpen(err)
	}
	if err := id.check(len(migrations)); err != nil {
		return nil, nil, err
	}
	if err := useWAL(ctx, conn, o.BusyTimeout); err != nil {
		return nil, nil, err
	}
	// The log is moved into the file about every 16 MiB, which halves the work of
	// the default 4 MiB: a page that changed often is moved once. The cache has room
	// for the inner pages of a million sessions and a thousand busy ones.
	const settings = `PRAGMA synchronous=FULL; PRAGMA cache_size=-16384;
		PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864`
	if _, err := conn.ExecContext(ctx, settings); err != nil {
		return nil, nil, explainOpen(err)
	}
	if err := migrate(ctx, conn, migrations); err != nil {
		return nil, nil, explainOpen(err)
	}
	return db, conn, nil
}

// useWAL turns the write-ahead log on. SQLite does not wait here for another
// process that is just doing the same, so we do.
func useWAL(ctx context.Context, conn *sql.Conn, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		var mode string
		err := conn.QueryRowContext(ctx, "PRAGMA journal_mode=WAL").Scan(&mode)
		if err == nil && mode == "wal" {
			return nil
		}
		if err == nil {
			return fmt.Errorf("the file system cannot keep a write-ahead log (journal mode stays %q): expected a local disk", mode)
		}
		if !isBusy(err) {
			return explainOpen(err)
		}
		select {
		case <-ctx.Done():
			return explainOpen(err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// openReaders opens the connections that read, which cannot write.
func (s *Store) openReaders(ctx context.Context, path string, o Options) (err error) {
	db, err := sql.Open("sqlite", sqliteDSN(path, "mode=ro", busyTimeout(o), "_pragma=cache_size(-16384)"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(o.Readers)
	db.SetMaxIdleConns(o.Readers)
	for text, stmt := range map[string]**sql.Stmt{
		s.dialect.load: &s.load, s.dialect.list: &s.list, s.dialect.expired: &s.expired,
		s.dialect.scan: &s.scan,
	} {
		if *stmt, err = db.PrepareContext(ctx, text); err != nil {
			db.Close()
			return explainOpen(err)
		}
	}
	s.readers = db
	return nil
}
