package enginetest

import (
	"errors"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// RoundTrips counts how often each operation waits for the server, on a
// connection that has done everything once. conflict is how often an Update does
// that meets another version.
func RoundTrips(t *testing.T, e *Engine, conflict int64) {
	p := testenv.StartProxy(t, e.Addr)
	s := e.Open(t, p.Addr, 1)
	ctx := t.Context()
	trips := map[string][2]int64{} // counted, expected
	for range 2 {                  // the first time prepares
		owner := unique("owner")
		var r, stale sojourn.Record
		count := func(op string, want int64, f func() error) {
			t.Helper()
			before := p.Turns()
			if err := f(); err != nil {
				t.Fatalf("%s: %v", op, err)
			}
			trips[op] = [2]int64{p.Turns() - before, want}
		}
		expect := func(err, want error) error {
			if errors.Is(err, want) {
				return nil
			}
			return errors.Join(errors.New("another error than expected"), err)
		}
		count("Create", 1, func() error { r = newRecord(owner); return s.Create(ctx, &r) })
		count("Create of one that exists", 1, func() error { again := r; return expect(s.Create(ctx, &again), sojourn.ErrExists) })
		count("Load", 1, func() error { _, err := s.Load(ctx, r.ID); return err })
		count("Load of an absent one", 1, func() error { _, err := s.Load(ctx, "absent"); return expect(err, sojourn.ErrNotFound) })
		stale = r
		count("Update", 1, func() error { _, err := s.Update(ctx, &r); return err })
		count("Update that keeps the deadline", 1, func() error { r.Expires = time.Time{}; _, err := s.Update(ctx, &r); return err })
		count("Update that meets a conflict", conflict, func() error { _, err := s.Update(ctx, &stale); return expect(err, sojourn.ErrConflict) })
		count("Touch", 1, func() error { return s.Touch(ctx, &r, in(2*time.Hour)) })
		count("List", 1, func() error { _, err := s.List(ctx, owner); return err })
		count("Scan", 1, func() error { _, err := s.Scan(ctx, "", 1); return err })
		count("RevokeOwner", 1, func() error { _, err := s.RevokeOwner(ctx, owner); return err })
		count("Revoke", 1, func() error { return s.Revoke(ctx, revocation(r)) })
		count("Ping", 1, func() error { return s.Ping(ctx) })
	}
	for op, n := range trips {
		if n[0] != n[1] {
			t.Errorf("%s took %d round trips: expected %d", op, n[0], n[1])
		}
	}
}
