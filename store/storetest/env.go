package storetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

// tb is what a case needs of *testing.T. The suite's own tests implement it too,
// to see that a broken store fails without failing themselves.
type tb interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Failed() bool
}

// env is what a case works with.
type env struct {
	tb
	ctx    context.Context // ends long after a working store would have finished
	store  sojourn.Store
	open   func() sojourn.Store
	reopen func(sojourn.Store) sojourn.Store // nil: not durable
	opt    Options
	short  bool
}

// newOwner is a user that nobody else has.
func newOwner() string { return "user-" + randomHex(8) }

// newID has the shape of the IDs of package sojourn: the owner's tag, then 16
// random bytes.
func newID(owner string) sojourn.ID {
	raw := make([]byte, 22)
	rand.Read(raw)
	if owner != "" {
		sum := sha256.Sum256([]byte("sojourn owner\x00" + owner))
		copy(raw[:6], sum[:])
	}
	return sojourn.ID(base64.RawURLEncoding.EncodeToString(raw))
}

func randomHex(n int) string { return hex.EncodeToString(randomBytes(n)) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// in is that long from now, in whole milliseconds.
func in(d time.Duration) time.Time { return time.Now().Add(d).Truncate(time.Millisecond) }

// newRecord is a record that no store has seen yet.
func newRecord(owner string) sojourn.Record {
	return sojourn.Record{ID: newID(owner), Owner: owner, Expires: in(time.Hour), Payload: randomBytes(100)}
}

// create stores a fresh record of owner.
func (e *env) create(owner string) sojourn.Record {
	e.Helper()
	r := newRecord(owner)
	e.mustCreate(&r)
	return r
}

func (e *env) mustCreate(r *sojourn.Record) {
	e.Helper()
	if err := e.store.Create(e.ctx, r); err != nil {
		e.Fatalf("Create of a new record: %v", err)
	}
}

// live loads a record that must be live.
func (e *env) live(id sojourn.ID) sojourn.Record {
	e.Helper()
	r, err := e.store.Load(e.ctx, id)
	if err != nil {
		e.Fatalf("Load of a live record: %v", err)
	}
	if r.Dead {
		e.Fatalf("Load returned a dead record without ErrNotFound")
	}
	return r
}

// dead loads a record that must have ended, and returns its tombstone.
func (e *env) dead(id sojourn.ID) sojourn.Record {
	e.Helper()
	r, err := e.store.Load(e.ctx, id)
	switch {
	case !errors.Is(err, sojourn.ErrNotFound):
		e.Fatalf("Load of an ended record: error %v, expected ErrNotFound", err)
	case !r.Dead:
		e.Fatalf("Load of an ended record returned no tombstone beside ErrNotFound: %v", show(r))
	}
	return r
}

// absent loads a record that must not exist in any form.
func (e *env) absent(id sojourn.ID) {
	e.Helper()
	r, err := e.store.Load(e.ctx, id)
	if !errors.Is(err, sojourn.ErrNotFound) {
		e.Fatalf("Load of an absent record: error %v, expected ErrNotFound", err)
	}
	if !zero(r) {
		e.Errorf("Load of an absent record returned something: %v", show(r))
	}
}

func (e *env) mustUpdate(r *sojourn.Record) {
	e.Helper()
	if _, err := e.store.Update(e.ctx, r); err != nil {
		e.Fatalf("Update of a live record at its version: %v", err)
	}
}

func (e *env) mustTouch(r sojourn.Record, expires time.Time) {
	e.Helper()
	if err := e.store.Touch(e.ctx, &r, expires); err != nil {
		e.Fatalf("Touch: %v", err)
	}
}

// revoke ends r and returns the tombstone that must be left.
func (e *env) revoke(r sojourn.Record, reason sojourn.Reason) sojourn.Record {
	e.Helper()
	rr := revocation(r, reason)
	if err := e.store.Revoke(e.ctx, rr); err != nil {
		e.Fatalf("Revoke: %v", err)
	}
	return rr.Tombstone()
}

func revocation(r sojourn.Record, reason sojourn.Reason) sojourn.RevokedRecord {
	return sojourn.RevokedRecord{ID: r.ID, Owner: r.Owner, Reason: reason, At: in(0), Until: in(10 * time.Minute)}
}

func (e *env) revokeOwner(owner string) uint64 {
	e.Helper()
	g, err := e.store.RevokeOwner(e.ctx, owner)
	if err != nil {
		e.Fatalf("RevokeOwner: %v", err)
	}
	return g
}

// list returns the owner's IDs as a set; it skips the case if the store has no lists.
func (e *env) list(owner string) map[sojourn.ID]bool {
	e.Helper()
	ids, err := e.store.List(e.ctx, owner)
	if errors.Is(err, sojourn.ErrUnsupported) {
		e.Skipf("this store has no lists (ErrUnsupported), which the contract permits")
	}
	if err != nil {
		e.Fatalf("List: %v", err)
	}
	set := make(map[sojourn.ID]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// parallel runs f(0) … f(n-1) at once and waits. f must not call Fatalf.
func parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// rounds is how often a race is tried.
func (e *env) rounds(n int) int {
	if e.short {
		return max(1, n/4)
	}
	return n
}
