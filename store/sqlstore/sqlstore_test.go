package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestIDsAndOwnersMayHoldAnyBytes(t *testing.T) {
	s := open(t)
	for _, odd := range []string{"a", "a b", "Ä", "\x00", "a\x00b", "\xff\xfe", "'; DROP TABLE session; --", strings.Repeat("x", 128)} {
		r := create(t, s, odd, odd)
		got, err := s.Load(t.Context(), r.ID)
		if err != nil || got.ID != r.ID || got.Owner != odd || string(got.Payload) != string(r.Payload) {
			t.Errorf("load %q: %+v, %v", odd, got, err)
		}
		if ids, err := s.List(t.Context(), odd); err != nil || !slices.Equal(ids, []sojourn.ID{r.ID}) {
			t.Errorf("list of %q: %q, %v: expected the one session", odd, ids, err)
		}
	}
	create(t, s, "long", strings.Repeat("y", 255))
}

func TestWhatCannotBeStoredIsRefused(t *testing.T) {
	s := open(t)
	for _, r := range []sojourn.Record{{ID: ""}, {ID: sojourn.ID(strings.Repeat("x", 129))}, {ID: "x", Owner: strings.Repeat("y", 256)}} {
		if err := s.Create(t.Context(), &r); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("create with %d bytes of id and %d of owner: %v: expected ErrInvalid", len(r.ID), len(r.Owner), err)
		}
		if _, err := s.Load(t.Context(), r.ID); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("load of an id of %d bytes: %v: expected ErrNotFound", len(r.ID), err)
		}
	}
	if _, err := s.RevokeOwner(t.Context(), ""); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("revoke of nobody: %v: expected ErrInvalid", err)
	}
}

func TestPayloadsComeBackAsTheyWere(t *testing.T) {
	s := open(t)
	for i, n := range []int{0, 1, 900, 4000, 70_000, 1 << 20} {
		r := sojourn.Record{ID: sojourn.ID(numbered(i)), Expires: in(time.Hour), Payload: []byte(strings.Repeat("z", n))}
		if err := s.Create(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Load(t.Context(), r.ID); err != nil || string(got.Payload) != string(r.Payload) {
			t.Errorf("%d bytes came back as %d, %v", n, len(got.Payload), err)
		}
	}
	r := sojourn.Record{ID: "nil", Expires: in(time.Hour)}
	if err := s.Create(t.Context(), &r); err != nil {
		t.Errorf("create without a payload: %v", err)
	}
}

// A swept and recreated record must not accept an update made for its forerunner.
func TestVersionsDoNotRepeatAfterASweep(t *testing.T) {
	s := open(t)
	old := create(t, s, "again", "")
	if removed, err := s.Sweep(t.Context(), time.Now().Add(2*time.Hour), 10); err != nil || len(removed) != 1 {
		t.Fatalf("sweep: %v, %v", removed, err)
	}
	create(t, s, "again", "")
	if _, err := s.Update(t.Context(), &old); !errors.Is(err, sojourn.ErrConflict) {
		t.Errorf("an update for the old record: %v: expected ErrConflict", err)
	}
}

func TestP13ListLeavesOutTombstones(t *testing.T) {
	s := open(t)
	create(t, s, "ended", "user")
	if err := s.Revoke(t.Context(), sojourn.RevokedRecord{ID: "ended", Owner: "user", Until: in(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	live := create(t, s, "live", "user")
	if ids, err := s.List(t.Context(), "user"); err != nil || !slices.Equal(ids, []sojourn.ID{live.ID}) {
		t.Errorf("list: %q, %v: expected only the live one", ids, err)
	}
}

func TestStatementsUseTheirIndexes(t *testing.T) {
	s := open(t)
	for name, want := range map[string]struct{ query, index string }{
		"load":    {s.dialect.load, "sqlite_autoindex_session_1 (id=?)"},
		"list":    {s.dialect.list, "session_by_owner (owner=?)"},
		"expired": {s.dialect.expired, "session_by_expires (expires<?)"},
		"update":  {s.dialect.update, "sqlite_autoindex_session_1 (id=?)"},
	} {
		args := make([]any, strings.Count(want.query, "?"))
		rows, err := s.readers.Query("EXPLAIN QUERY PLAN "+want.query, args[:highest(want.query)]...)
		if err != nil {
			t.Fatal(err)
		}
		plan := ""
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan += detail + "\n"
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan, want.index) || strings.Contains(plan, "SCAN") {
			t.Errorf("%s: the plan is\n%sexpected a search by %s", name, plan, want.index)
		}
	}
}

// highest is the number of the last parameter of a query.
func highest(query string) (n int) {
	for i := 1; i < 10; i++ {
		if strings.Contains(query, fmt.Sprint("?", i)) {
			n = i
		}
	}
	return n
}

func TestSweepRemovesWhatIsBeforeAndNothingElse(t *testing.T) {
	s := open(t)
	now := in(0)
	const expired = 3*sweepBatch + 7
	want := map[sojourn.ID]bool{}
	for i := range expired + 50 {
		r := sojourn.Record{ID: sojourn.ID(numbered(i)), Owner: "user", Expires: now.Add(time.Duration(i-expired) * time.Millisecond), Payload: []byte("p")}
		if err := s.Create(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		want[r.ID] = i < expired
	}
	if err := s.Revoke(t.Context(), sojourn.RevokedRecord{ID: sojourn.ID(numbered(0)), Owner: "user", Reason: sojourn.ReasonLogout, At: now, Until: now.Add(-time.Second)}); err != nil {
		t.Fatal(err)
	}
	total := 0
	for {
		removed, err := s.Sweep(t.Context(), now, 2*sweepBatch)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range removed {
			if !want[r.ID] || !r.Expires.Before(now) || r.Owner != "user" || r.Version == 0 {
				t.Errorf("removed %+v", r)
			}
			want[r.ID] = false
			if r.Dead != (r.ID == sojourn.ID(numbered(0))) {
				t.Errorf("%s: dead is %v", r.ID, r.Dead)
			}
		}
		total += len(removed)
		if len(removed) < 2*sweepBatch {
			break
		}
	}
	if total != expired {
		t.Errorf("removed %d: expected %d", total, expired)
	}
	for i := expired; i < expired+50; i++ {
		if _, err := s.Load(t.Context(), sojourn.ID(numbered(i))); err != nil {
			t.Errorf("a record that had not expired: %v", err)
		}
	}
	removed, err := s.Sweep(t.Context(), now.Add(time.Microsecond), 10)
	if err != nil || len(removed) != 1 || !removed[0].Expires.Equal(now) {
		t.Errorf("a time within a millisecond is after the millisecond: removed %v, %v", removed, err)
	}
	if removed, err := s.Sweep(t.Context(), now.Add(time.Hour), 0); err != nil || len(removed) != 0 {
		t.Errorf("a sweep of none removed %v, %v", removed, err)
	}
}

func TestCloseKeepsEverythingInOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s, err := OpenSQLite(context.Background(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	create(t, s, "kept", "user")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := filepath.Glob(path + "-*"); len(left) != 0 {
		t.Errorf("%q remain", left)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v: expected to be its user's only", info.Mode(), err)
	}
	for name, err := range closedErrors(s) {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s of a closed store: %v: expected ErrClosed", name, err)
		}
	}
	if _, err := open(t, path).Load(t.Context(), "kept"); err != nil {
		t.Error(err)
	}
}

func closedErrors(s *Store) map[string]error {
	ctx, r := context.Background(), sojourn.Record{ID: "x"}
	errs := map[string]error{}
	_, errs["load"] = s.Load(ctx, "x")
	errs["create"] = s.Create(ctx, &r)
	_, errs["update"] = s.Update(ctx, &r)
	errs["touch"] = s.Touch(ctx, &r, time.Now())
	errs["revoke"] = s.Revoke(ctx, sojourn.RevokedRecord{ID: "x"})
	_, errs["list"] = s.List(ctx, "x")
	_, errs["revoke owner"] = s.RevokeOwner(ctx, "x")
	_, errs["sweep"] = s.Sweep(ctx, time.Now(), 1)
	errs["ping"] = s.Ping(ctx)
	return errs
}

func TestAnEndedContextEndsEveryMethod(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := sojourn.Record{ID: "x"}
	_, err := s.Load(ctx, "x")
	for name, err := range map[string]error{"load": err, "create": s.Create(ctx, &r), "touch": s.Touch(ctx, &r, time.Now())} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v: expected the context's error", name, err)
		}
	}
	if _, err := s.Load(t.Context(), "x"); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("load: %v: expected ErrNotFound", err)
	}
}

func TestAReadWaitsForItsTurnNoLongerThanItsContext(t *testing.T) {
	s := open(t)
	for range cap(s.reads) {
		if err := s.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := s.Load(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("load while all connections are in use: %v: expected the context's error", err)
	}
	for range cap(s.reads) {
		s.leave()
	}
	if _, err := s.Load(t.Context(), "x"); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("load afterwards: %v: expected ErrNotFound", err)
	}
}
