package mysql

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/enginetest"
)

// A login does not wait for "sign out everywhere", nor the other way round, and
// is dead if it began before that was done.
func TestP13CreateDoesNotWaitForRevokeOwner(t *testing.T) {
	url := newDatabase(t)
	s := openURL(t, url, nil)
	if _, err := s.RevokeOwner(t.Context(), "user"); err != nil {
		t.Fatal(err)
	}
	tx, err := connect(t, url).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	for _, owner := range []string{"user", "another user"} { // a row that is there, and a gap
		if _, err := tx.Exec(sqlRevokeOwner, []byte(owner)); err != nil {
			t.Fatal(err)
		}
	}
	r, other := create(t, s, "racing", "user"), create(t, s, "racing too", "another user")
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	for _, r := range []sojourn.Record{r, other} {
		got, err := s.Load(t.Context(), r.ID)
		if err != nil || got.Generation != r.Generation || got.OwnerGeneration != r.Generation+1 {
			t.Errorf("a login that raced RevokeOwner: %v, %v: expected an older generation", got, err)
		}
	}
}

// Locks are on records, not on the gaps between them.
func TestWritersDoNotWaitForStrangers(t *testing.T) {
	url := newDatabase(t)
	s := openURL(t, url, nil)
	expired := sojourn.Record{ID: "b", Expires: time.UnixMilli(1)}
	if err := s.Create(t.Context(), &expired); err != nil {
		t.Fatal(err)
	}
	tx, err := s.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if rs, err := query(t.Context(), tx, sqlDue, time.Now().UnixMilli(), 10); err != nil || len(rs) != 1 {
		t.Fatalf("a sweep finds %v, %v", rs, err)
	}
	if _, err := tx.Exec(sqlTouch, 5, []byte("nobody"), 5); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"a", "c", "nobod", "nobodyz", "zz"} {
		create(t, s, id, "user "+id)
	}
	if gone, err := s.Sweep(t.Context(), time.Now(), 10); err != nil || len(gone) != 0 {
		t.Errorf("a second sweeper gets %v, %v: expected that it passes over what the first holds", gone, err)
	}
}

func TestTransactionsAreReadCommitted(t *testing.T) {
	s := openURL(t, newDatabase(t), nil)
	var level, autocommit string
	if err := s.db.QueryRow("SELECT @@tx_isolation, @@autocommit").Scan(&level, &autocommit); err != nil {
		t.Fatal(err)
	}
	if level != "READ-COMMITTED" || autocommit != "1" {
		t.Errorf("isolation is %s, autocommit %s", level, autocommit)
	}
}

// Prepared statements are counted for the whole server: other programs may have
// them all.
func TestNoRoomForPreparedStatements(t *testing.T) {
	url := newDatabase(t)
	s := openURL(t, url, &Options{Conns: 1})
	r := create(t, s, "one", "user")
	admin(t, url, "SET GLOBAL max_prepared_stmt_count = 0")
	defer admin(t, url, "SET GLOBAL max_prepared_stmt_count = DEFAULT")
	s.db.SetMaxIdleConns(0) // the next operation connects anew
	for _, s := range []*Store{s, openURL(t, url, nil)} {
		if got, err := s.Load(t.Context(), r.ID); err != nil || string(got.Payload) != string(r.Payload) {
			t.Errorf("load gives %v, %v", got, err)
		}
	}
}

func TestServerErrorsSayWhatToDo(t *testing.T) {
	m := testenv.StartMariaDB(t, "max-allowed-packet=1M", "max-connections=4", "extra-max-connections=1")
	root := m.AdminURL()
	admin(t, root, "CREATE DATABASE app")
	url := m.URL(testenv.Admin, testenv.Admin, "app")
	s := openURL(t, url, nil)
	r := create(t, s, "one", "")
	says := func(what string, err error, want string) {
		t.Helper()
		for _, fact := range []error{sojourn.ErrNotFound, sojourn.ErrConflict, sojourn.ErrExists} {
			if errors.Is(err, fact) {
				t.Errorf("%s gives a verdict: %v", what, err)
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v: expected it to say %q", what, err, want)
		}
	}

	big := r
	big.Payload = make([]byte, 3<<20)
	_, updated := s.Update(t.Context(), &big)
	big.ID = "two"
	created := s.Create(t.Context(), &big)
	for _, err := range []error{updated, created} {
		says("too large a payload", err, "max_allowed_packet")
		if !errors.Is(err, sojourn.ErrTooLarge) {
			t.Errorf("too large a payload: %v: expected ErrTooLarge", err)
		}
	}
	if got, err := s.Load(t.Context(), "one"); err != nil || string(got.Payload) != string(r.Payload) {
		t.Errorf("after a payload that was too large: %d bytes, %v", len(got.Payload), err)
	}

	admin(t, url, "RENAME TABLE sojourn_session TO elsewhere")
	_, err := s.Load(t.Context(), "one")
	says("a table that went", err, "`sojourn schema mysql`")
	admin(t, url, "RENAME TABLE elsewhere TO sojourn_session")

	admin(t, url, "CREATE USER limited@'%' IDENTIFIED BY 'secret'", "GRANT SELECT, DELETE ON app.* TO limited@'%'")
	l := openURL(t, m.URL("limited", "secret", "app"), nil)
	says("a missing privilege", l.Revoke(t.Context(), sojourn.RevokedRecord{ID: "one"}), "docs/stores-sql.md")

	admin(t, url, "GRANT ALL ON app.* TO limited@'%'", "SET GLOBAL read_only = 1")
	fresh := sojourn.Record{ID: "three"}
	says("a replica", l.Create(t.Context(), &fresh), "read-only: expected the primary")
	_, err = Open(t.Context(), m.URL("limited", "secret", "app"), nil)
	says("a replica at open", err, "read-only: expected the primary")
	if _, err := l.Load(t.Context(), "one"); err != nil {
		t.Errorf("load from a replica: %v", err)
	}
	admin(t, url, "SET GLOBAL read_only = 0")

	for range 6 { // all the server has
		if conn, err := connect(t, m.URL("limited", "secret", "app")).Conn(t.Context()); err == nil {
			defer conn.Close()
		}
	}
	_, err = Open(t.Context(), m.URL("limited", "secret", "app"), nil)
	says("too many connections", err, "max_connections")

	if err := l.Close(); err != nil {
		t.Error(err)
	}
	_, err = l.Load(t.Context(), "one")
	if !errors.Is(err, ErrClosed) || l.Close() != nil {
		t.Errorf("load of a closed store: %v: expected ErrClosed", err)
	}
}

func TestFullDisk(t *testing.T) {
	m := shared(t)
	const room = 24 << 20
	disk := testenv.MountDisk(t, filepath.Join(m.Data, "small"), room) // the database of that name
	t.Cleanup(func() {
		admin(t, m.AdminURL(), "DROP TABLE small.sojourn_session, small.sojourn_owner, small.sojourn_schema")
	})
	enginetest.FullDisk(t, openURL(t, m.URL(testenv.Admin, testenv.Admin, "small"), nil), disk, room)
}
