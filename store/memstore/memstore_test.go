package memstore

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/sojournhq/sojourn"
)

// raceEnabled tells the tests that measure to stay away.
var raceEnabled bool

// epoch is the tests' time; deadlines after it are far from the real clock's.
var epoch = time.UnixMilli(4_000_000_000_000)

func fixed(t time.Time) func() time.Time { return func() time.Time { return t } }

// testID returns an ID of the usual 30 characters.
func testID(n int) sojourn.ID {
	var raw [22]byte
	binary.BigEndian.PutUint64(raw[14:], uint64(n))
	return sojourn.ID(base64.RawURLEncoding.EncodeToString(raw[:]))
}

func create(t testing.TB, s *Store, n int, owner string, expires time.Time) sojourn.Record {
	t.Helper()
	r := sojourn.Record{ID: testID(n), Owner: owner, Expires: expires, Payload: fmt.Appendf(nil, "payload %d", n)}
	if err := s.Create(t.Context(), &r); err != nil {
		t.Fatalf("Create: %v", err)
	}
	return r
}

func holds(t testing.TB, s *Store, n int) bool {
	t.Helper()
	_, err := s.Load(context.Background(), testID(n))
	if err != nil && !errors.Is(err, sojourn.ErrNotFound) {
		t.Fatalf("Load: %v", err)
	}
	return err == nil
}

func TestRecordComesBackAsStored(t *testing.T) {
	s := New(nil)
	r := create(t, s, 1, "ada", epoch)
	got, err := s.Load(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Expires.Equal(epoch) || got.Owner != "ada" || got.Version != r.Version || got.Dead || &got.Payload[0] != &r.Payload[0] {
		t.Errorf("Load = %+v, want %+v with the same payload slice", got, r)
	}
	if err := s.Create(t.Context(), &r); !errors.Is(err, sojourn.ErrExists) {
		t.Errorf("second Create: %v, want ErrExists", err)
	}
}

// Store.Load: "ErrNotFound together with the tombstone for a dead one".
// Store.Revoke: "The first reason stays."
func TestTombstone(t *testing.T) {
	s := New(nil)
	r := create(t, s, 1, "ada", epoch.Add(time.Hour))
	gone := sojourn.RevokedRecord{ID: r.ID, Owner: "ada", Reason: sojourn.ReasonLogout, At: epoch, Until: epoch.Add(time.Minute)}
	if err := s.Revoke(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	again := gone
	again.Reason = sojourn.ReasonRevoked
	if err := s.Revoke(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	check := func(what string, got sojourn.Record, err error) {
		t.Helper()
		want := gone.Tombstone()
		if !errors.Is(err, sojourn.ErrNotFound) || !got.Dead || !bytes.Equal(got.Payload, want.Payload) ||
			!got.Expires.Equal(want.Expires) || got.Owner != "ada" || got.Version == r.Version {
			t.Errorf("%s = %+v, %v; want the first tombstone and ErrNotFound", what, got, err)
		}
	}
	got, err := s.Load(t.Context(), r.ID)
	check("Load", got, err)
	got, err = s.Update(t.Context(), &r)
	check("Update", got, err)
	if err := s.Touch(t.Context(), &r, epoch.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	got, err = s.Load(t.Context(), r.ID)
	check("Load after Touch", got, err)
	if err := s.Create(t.Context(), &r); !errors.Is(err, sojourn.ErrExists) {
		t.Errorf("Create over a tombstone: %v, want ErrExists", err)
	}
}

// An Update made with a version of an earlier record of the same ID fails.
func TestVersionIsNeverGivenTwice(t *testing.T) {
	s := New(nil)
	old := create(t, s, 1, "", epoch)
	if _, err := s.Sweep(t.Context(), epoch.Add(time.Hour), 10); err != nil {
		t.Fatal(err)
	}
	create(t, s, 1, "", epoch)
	if _, err := s.Update(t.Context(), &old); !errors.Is(err, sojourn.ErrConflict) {
		t.Errorf("Update: %v, want ErrConflict", err)
	}
}

// P6: an ID may be cut from a token, whose secret must not stay in memory.
func TestIDIsCopied(t *testing.T) {
	s := New(nil)
	token := string(testID(1)) + "secret"
	r := sojourn.Record{ID: sojourn.ID(token[:30]), Expires: epoch}
	if err := s.Create(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	got, err := s.Load(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if unsafe.StringData(string(got.ID)) == unsafe.StringData(token) {
		t.Error("the store keeps the memory of the token")
	}
}

func TestPayloadCapacity(t *testing.T) {
	for _, c := range []struct{ length, capacity int }{{0, 0}, {0, 64}, {300, 300}, {300, 320}, {300, 4096}} {
		p := fit(make([]byte, c.length, c.capacity))
		if len(p) != c.length || cap(p)-len(p) != 0 {
			t.Errorf("fit of %v: length %d, capacity %d", c, len(p), cap(p))
		}
	}
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := New(nil)
	r := create(t, s, 1, "ada", epoch)
	cancel()
	calls := map[string]func() error{
		"load":   func() error { _, err := s.Load(ctx, r.ID); return err },
		"create": func() error { return s.Create(ctx, &sojourn.Record{ID: "new"}) },
		"update": func() error { _, err := s.Update(ctx, &r); return err },
		"touch":  func() error { return s.Touch(ctx, &r, epoch.Add(time.Hour)) },
		"revoke": func() error { return s.Revoke(ctx, sojourn.RevokedRecord{ID: r.ID}) },
		"list":   func() error { _, err := s.List(ctx, "ada"); return err },
		"owner":  func() error { _, err := s.RevokeOwner(ctx, "ada"); return err },
		"sweep":  func() error { _, err := s.Sweep(ctx, epoch.Add(time.Hour), 1); return err },
		"ping":   func() error { return s.Ping(ctx) },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
	}
	got, err := s.Load(t.Context(), r.ID)
	if err != nil || got.Version != r.Version || !got.Expires.Equal(epoch) || got.OwnerGeneration != 0 || s.Stats().Records != 1 {
		t.Errorf("Load = %+v, %v: something was written", got, err)
	}
}

func TestAllocations(t *testing.T) {
	s := New(nil)
	r := create(t, s, 1, "ada", epoch)
	ctx := t.Context()
	for name, f := range map[string]func(){
		"Load":         func() { s.Load(ctx, r.ID) },
		"Load of none": func() { s.Load(ctx, "none") },
		"Update":       func() { s.Update(ctx, &r) },
		"Touch":        func() { s.Touch(ctx, &r, epoch.Add(time.Hour)) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times, want none", name, n)
		}
	}
}
