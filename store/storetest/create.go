package storetest

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

var createCases = []testCase{
	{"LoadAbsent", "Load", "It returns ErrNotFound for an absent record", loadAbsent},
	{"CreateThenLoad", "Load", "Load returns the live record of id with OwnerGeneration filled.", createThenLoad},
	{"CreateStampsGeneration", "Create", "It sets r.Version, r.Generation and r.OwnerGeneration", createStampsGeneration},
	{"CreateTwice", "Create", "Create stores r if there is no record of its ID, live or dead, else it returns ErrExists.", createTwice},
	{"CreateOverTombstone", "Create", "Create stores r if there is no record of its ID, live or dead, else it returns ErrExists.", createOverTombstone},
	{"CreateInParallel", "Create", "Create stores r if there is no record of its ID, live or dead, else it returns ErrExists.", createInParallel},
	{"MillisecondPrecision", "Store", "Times have millisecond precision.", millisecondPrecision},
	{"RecordsAreCopied", "Record", "Payload is never changed in place by either side, so a store may keep and return the slice it was given.", recordsAreCopied},
}

func loadAbsent(e *env) {
	e.absent(newID(""))
	e.absent(newID(newOwner()))
}

func createThenLoad(e *env) {
	for _, owner := range []string{"", newOwner()} {
		r := newRecord(owner)
		want := r
		e.mustCreate(&r)
		e.same("after Create, the caller's record", r, want)
		got := e.live(r.ID)
		e.same("Load", got, want)
		e.sameVersion("Load", got, r)
		e.generations("Load", got, r.Generation, r.OwnerGeneration)
		if got.Generation != got.OwnerGeneration {
			e.Errorf("a new record of owner %q is dead at once: %v", owner, show(got))
		}
	}
}

// createStampsGeneration gives Create fields that only the store may choose.
func createStampsGeneration(e *env) {
	owner := newOwner()
	generation := e.revokeOwner(owner)
	for _, given := range []uint64{0, generation - 1, generation + 7} {
		r := newRecord(owner)
		r.Version, r.Generation, r.OwnerGeneration = given, given, given
		e.mustCreate(&r)
		e.generations("after Create, the caller's record", r, generation, generation)
		got := e.live(r.ID)
		e.generations("Load", got, generation, generation)
		e.sameVersion("Load", got, r)
	}
}

func createTwice(e *env) {
	first := e.create(newOwner())
	second := first
	second.Payload = []byte("another")
	second.Expires = in(2 * time.Hour)
	if err := e.store.Create(e.ctx, &second); !errors.Is(err, sojourn.ErrExists) {
		e.Errorf("Create over a live record: error %v, expected ErrExists", err)
	}
	got := e.live(first.ID)
	e.same("Load after the refused Create", got, first)
	e.sameVersion("Load after the refused Create", got, first)
}

func createOverTombstone(e *env) {
	revoked := e.create(newOwner())
	tombstone := e.revoke(revoked, sojourn.ReasonLogout)
	ended := e.create(newOwner())
	endedTombstone := revocation(ended, sojourn.ReasonMoved).Tombstone()
	endedTombstone.Version = ended.Version
	e.mustUpdate(&endedTombstone)
	for _, want := range []sojourn.Record{tombstone, endedTombstone} {
		r := newRecord(want.Owner)
		r.ID = want.ID
		if err := e.store.Create(e.ctx, &r); !errors.Is(err, sojourn.ErrExists) {
			e.Errorf("Create over a tombstone: error %v, expected ErrExists", err)
		}
		e.same("the tombstone after the refused Create", e.dead(want.ID), want)
	}
}

func createInParallel(e *env) {
	for range e.rounds(12) {
		owner := newOwner()
		id := newID(owner)
		const n = 12
		var records [n]sojourn.Record
		var winners atomic.Int32
		winner := -1
		parallel(n, func(i int) {
			records[i] = newRecord(owner)
			records[i].ID = id
			switch err := e.store.Create(e.ctx, &records[i]); {
			case err == nil:
				if winners.Add(1) == 1 {
					winner = i
				}
			case !errors.Is(err, sojourn.ErrExists):
				e.Errorf("Create of one ID in parallel: error %v, expected nil or ErrExists", err)
			}
		})
		if winners.Load() != 1 {
			e.Fatalf("%d of %d parallel Creates of one ID succeeded, expected exactly 1", winners.Load(), n)
		}
		e.same("Load", e.live(id), records[winner])
	}
}

func millisecondPrecision(e *env) {
	exact := newRecord(newOwner())
	exact.Expires = in(time.Hour).Add(7 * time.Millisecond)
	e.mustCreate(&exact)
	e.sameTime("a whole millisecond", e.live(exact.ID).Expires, exact.Expires)

	finer := newRecord(newOwner())
	given := in(time.Hour).Add(123456 * time.Nanosecond)
	finer.Expires = given
	e.mustCreate(&finer)
	got := e.live(finer.ID)
	e.sameTime("finer than a millisecond", got.Expires, given)
	got.Expires = given.In(time.FixedZone("elsewhere", 5*3600))
	e.mustUpdate(&got)
	e.sameTime("in another time zone", e.live(finer.ID).Expires, given)
}

// recordsAreCopied reuses the caller's Record after each call: it may share the
// payload with the store, but not the struct.
func recordsAreCopied(e *env) {
	spoil := func(r *sojourn.Record) {
		*r = sojourn.Record{ID: "spoiled", Owner: "spoiled", Expires: in(-time.Hour), Generation: 1 << 40, Dead: true}
	}
	r := e.create(newOwner())
	want := r
	spoil(&r)
	got := e.live(want.ID)
	e.same("Load after the caller reused its record", got, want)

	want = got
	want.Payload = []byte("second")
	r = want
	e.mustUpdate(&r)
	want.Version = r.Version
	spoil(&r)
	got = e.live(want.ID)
	e.same("Load after the caller reused its updated record", got, want)

	stale := want
	stale.Version++
	current, err := e.store.Update(e.ctx, &stale)
	if !errors.Is(err, sojourn.ErrConflict) {
		e.Fatalf("Update at another version: error %v, expected ErrConflict", err)
	}
	spoil(&current)
	got = e.live(want.ID)
	e.same("Load after the caller reused the record of a conflict", got, want)
	e.sameVersion("Load after the caller reused the record of a conflict", got, want)
}
