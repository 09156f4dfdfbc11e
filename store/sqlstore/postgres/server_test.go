package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/enginetest"
)

// counter reads a number from the server.
func counter(t *testing.T, url, query string) (n int64) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestUpdatesAreHeapOnly(t *testing.T) {
	url := newDatabase(t)
	s := openURL(t, url, &Options{Conns: 4})
	const sessions, rounds = 100, 20
	for i := range sessions {
		create(t, s, numbered(i), "user")
	}
	const stat = " FROM pg_stat_user_tables WHERE relname = 'sojourn_session'"
	for n := range rounds {
		for i := range sessions {
			r := sojourn.Record{ID: sojourn.ID(numbered(i))}
			// Days ahead: an index on the day, too, would have to follow.
			if err := s.Touch(t.Context(), &r, in(time.Duration(n+1)*30*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range sessions {
		r, err := s.Load(t.Context(), sojourn.ID(numbered(i)))
		for n := 0; err == nil && n < 3; n++ {
			r.Expires = r.Expires.Add(24 * time.Hour)
			_, err = s.Update(t.Context(), &r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	want := int64(sessions * (rounds + 3))
	s.Close() // the server's processes report when they end
	testenv.Eventually(t, "the statistics arrive", 15*time.Second, func() error {
		if n := counter(t, url, "SELECT n_tup_upd"+stat); n < want {
			return errors.New("not yet")
		}
		return nil
	})
	all, hot := counter(t, url, "SELECT n_tup_upd"+stat), counter(t, url, "SELECT n_tup_hot_upd"+stat)
	if all != want || hot != all {
		t.Errorf("%d updates, %d of them heap-only: expected %d and all", all, hot, want)
	}
	if n := counter(t, url, "SELECT pg_relation_size('sojourn_session')"); n > 16*8192 {
		t.Errorf("the table has %d bytes after %d updates of %d sessions", n, want, sessions)
	}
}

func numbered(i int) string {
	return "session-" + strings.Repeat("0", 20) + string(rune('a'+i/26%26)) + string(rune('a'+i%26))
}

// Only Touch may lose its write in a crash of the server, even if the database's
// own default is to let all of them.
func TestDurabilityByOperation(t *testing.T) {
	url := newDatabase(t)
	if s, err := Open(t.Context(), url, nil); err != nil {
		t.Fatal(err)
	} else {
		s.Close()
	}
	db := url[strings.LastIndex(url, "/")+1:]
	admin(t, url, "ALTER DATABASE "+db+" SET synchronous_commit = off")
	openConns := "SELECT count(*) FROM pg_stat_activity WHERE datname = '" + db + "' AND pid <> pg_backend_pid()"
	quiet := func() int64 { // after all have reported, which they do when they end
		testenv.Eventually(t, "all connections are closed", 10*time.Second, func() error {
			if n := counter(t, url, openConns); n > 0 {
				return errors.New("some are open")
			}
			return nil
		})
		return counter(t, url, "SELECT wal_sync FROM pg_stat_wal")
	}
	var r sojourn.Record
	syncs := func(n int, f func(s *Store) error) int64 {
		t.Helper()
		before := quiet()
		s, err := Open(t.Context(), url, &Options{Conns: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if r.ID == "" {
			r = create(t, s, "one", "user")
		}
		for range n {
			if err := f(s); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		return quiet() - before
	}
	const n = 200
	if got := syncs(n, func(s *Store) error { _, err := s.Update(t.Context(), &r); return err }); got < n {
		t.Errorf("%d updates were synced %d times", n, got)
	}
	i := 0
	if got := syncs(n, func(s *Store) error { i++; return s.Touch(t.Context(), &r, in(time.Duration(i+1)*time.Hour)) }); got > n/4 {
		t.Errorf("%d touches were synced %d times: expected that they do not wait", n, got)
	}
	if got := syncs(n, func(s *Store) error { _, err := s.RevokeOwner(t.Context(), "user"); return err }); got < n {
		t.Errorf("%d RevokeOwner were synced %d times", n, got)
	}
}

func TestServerErrorsSayWhatToDo(t *testing.T) {
	url := newDatabase(t)
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
	big.Payload = make([]byte, maxPayload+1)
	_, err := s.Update(t.Context(), &big)
	says("too large an update", err, "expected at most")
	if !errors.Is(err, sojourn.ErrTooLarge) || !errors.Is(s.Create(t.Context(), &big), sojourn.ErrTooLarge) {
		t.Errorf("too large a payload: expected ErrTooLarge")
	}

	admin(t, url, "ALTER TABLE sojourn_session RENAME TO elsewhere")
	_, err = s.Load(t.Context(), "one")
	says("a table that went", err, "`sojourn schema postgres`")
	admin(t, url, "ALTER TABLE elsewhere RENAME TO sojourn_session")

	limited := "limited" + url[len(url)-8:]
	admin(t, url, "CREATE ROLE "+limited+" LOGIN PASSWORD 'secret'", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO "+limited)
	l := openURL(t, strings.Replace(url, testenv.Admin+":"+testenv.Admin, limited+":secret", 1), nil)
	says("a missing privilege", l.Revoke(t.Context(), sojourn.RevokedRecord{ID: "one"}), "docs/stores-sql.md")

	db := url[strings.LastIndex(url, "/")+1:]
	admin(t, url, "ALTER DATABASE "+db+" CONNECTION LIMIT 0")
	says("no connections", l.pool.QueryRow(t.Context(), "SELECT pg_terminate_backend(pg_backend_pid())").Scan(new(bool)), "")
	_, err = l.Load(t.Context(), "one")
	says("no connections", err, "max_connections")

	if err := l.Close(); err != nil {
		t.Error(err)
	}
	_, err = l.Load(t.Context(), "one")
	if !errors.Is(err, ErrClosed) || l.Close() != nil {
		t.Errorf("load of a closed store: %v: expected ErrClosed", err)
	}
}

func TestAReplicaIsRefused(t *testing.T) {
	url := newDatabase(t)
	s := openURL(t, url, nil)
	db := url[strings.LastIndex(url, "/")+1:]
	admin(t, url, "ALTER DATABASE "+db+" SET default_transaction_read_only = on")
	if _, err := Open(t.Context(), url, nil); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("open gives %v: expected it to say read-only", err)
	}
	s.pool.Reset() // new connections find it so
	r := sojourn.Record{ID: "one", Expires: in(time.Hour)}
	if err := s.Create(t.Context(), &r); err == nil || !strings.Contains(err.Error(), "expected the primary") {
		t.Errorf("create gives %v: expected it to ask for the primary", err)
	}
	if _, err := s.Load(t.Context(), "one"); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("load: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	p := shared(t)
	const room = 24 << 20
	dir := p.Data + "-small"
	disk := testenv.MountDisk(t, dir, room)
	admin(t, p.AdminURL(), "CREATE TABLESPACE small LOCATION '"+dir+"'", "CREATE DATABASE small TABLESPACE small")
	t.Cleanup(func() { admin(t, p.AdminURL(), "DROP DATABASE small", "DROP TABLESPACE small") })
	enginetest.FullDisk(t, openURL(t, p.URL(testenv.Admin, testenv.Admin, "small"), nil), disk, room)
}
