package sqlstore

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// open opens a store that ends with the test, at path or in a folder of its own.
func open(t testing.TB, path ...string) *Store {
	t.Helper()
	p := filepath.Join(t.TempDir(), "sessions.db")
	if len(path) > 0 {
		p = path[0]
	}
	s, err := OpenSQLite(context.Background(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// create stores a new record that expires in an hour.
func create(t testing.TB, s *Store, id, owner string) sojourn.Record {
	t.Helper()
	r := sojourn.Record{ID: sojourn.ID(id), Owner: owner, Expires: in(time.Hour), Payload: []byte("payload of " + id)}
	if err := s.Create(t.Context(), &r); err != nil {
		t.Fatalf("create %q: %v", id, err)
	}
	return r
}

// in is that long from now, in whole milliseconds.
func in(d time.Duration) time.Time {
	return time.UnixMilli(time.Now().Add(d).UnixMilli()).UTC()
}

func numbered(i int) string { return fmt.Sprintf("session-%030d", i) }

// raw runs any statement on the connection that writes, between its operations.
func raw(t testing.TB, s *Store, query string, args ...any) {
	t.Helper()
	err := s.writes.do(t.Context(), relaxed, func(tx *tx) error {
		_, err := tx.conn.ExecContext(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}
