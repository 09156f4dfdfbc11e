package sqlstore

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// fill puts n sessions into s in one transaction, which the contract's methods
// could not do in a test's time.
func fill(t testing.TB, s *Store, n int, expires time.Time) {
	t.Helper()
	raw(t, s, `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 - 1)
		INSERT INTO session (id, ver, state, expires, owner, gen, data)
		SELECT printf('session-%030d', i), 1, 0, ?2, 'owner-' || (i / 2), 0, randomblob(?3) FROM n`,
		n, expires.UnixMilli(), benchPayload)
}

func TestOpeningAMillionSessionsTakesNoTime(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("builds a file of 600 MB: only without -short and -race")
	}
	path := filepath.Join(t.TempDir(), "sessions.db")
	s, err := OpenSQLite(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	fill(t, s, 1_000_000, in(time.Hour))
	t.Logf("built in %v", time.Since(start))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	start = time.Now()
	s = open(t, path)
	opened := time.Since(start)
	if _, err := s.Load(t.Context(), sojourn.ID(numbered(765_432))); err != nil {
		t.Fatal(err)
	}
	t.Logf("opened in %v, first load after %v", opened, time.Since(start))
	if opened > 100*time.Millisecond {
		t.Errorf("opening took %v: expected less than 100 ms", opened)
	}

	start = time.Now()
	removed, err := s.Sweep(context.Background(), time.Now(), 1000)
	idle := time.Since(start)
	if err != nil || len(removed) != 0 {
		t.Fatalf("sweep removed %d, %v: expected none", len(removed), err)
	}
	t.Logf("a sweep that finds nothing takes %v", idle)
	if idle > 100*time.Millisecond {
		t.Errorf("a sweep that finds nothing took %v: expected it to read no live record", idle)
	}
	start = time.Now()
	removed, err = s.Sweep(context.Background(), time.Now().Add(2*time.Hour), 10000)
	if err != nil || len(removed) != 10000 {
		t.Fatalf("sweep removed %d, %v: expected 10000", len(removed), err)
	}
	t.Logf("sweep of 10000 takes %v", time.Since(start))
}
