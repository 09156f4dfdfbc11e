package storetest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

var updateCases = []testCase{
	{"UpdateReplaces", "Update", "Update replaces the record if it is live and has r.Version, and sets r.Version to the new one.", updateReplaces},
	{"UpdateConflict", "Update", "Otherwise it stores nothing and returns ErrConflict with the current record (OwnerGeneration filled)", updateConflict},
	{"UpdateAbsent", "Update", "It never creates.", updateAbsent},
	{"UpdateAfterRevoke", "Update", "ErrNotFound (with the tombstone, if there is one)", updateAfterRevoke},
	{"UpdateInParallel", "Update", "Update replaces the record if it is live and has r.Version", updateInParallel},
	{"UpdateLosesNothing", "Update", "returns ErrConflict with the current record", updateLosesNothing},
	{"UpdateDead", "Update", "r may be Dead: this ends the session only if nobody changed it meanwhile.", updateDead},
	{"UpdateKeepsDeadline", "Update", keepsDeadline, updateKeepsDeadline},
	{"UpdateKeepsDeadlineRacingTouch", "Update", keepsDeadline, updateKeepsDeadlineRacingTouch},
	{"UpdateKeepsOwner", "Update", "Owner never changes.", updateKeepsOwner},
	{"UpdateWritesGeneration", "Record", "Update writes it as given.", updateWritesGeneration},
	{"VersionsDiffer", "Record", "chosen by the store; changes with every Create, Update and Revoke, not with Touch", versionsDiffer},
}

func updateReplaces(e *env) {
	r := e.create(newOwner())
	for _, life := range []time.Duration{2 * time.Hour, 30 * time.Minute} { // longer, then shorter
		before := r.Version
		r.Payload, r.Expires = randomBytes(80), in(life)
		want := r
		e.mustUpdate(&r)
		if r.Version == before {
			e.Errorf("after Update, the caller's Version is still %d", before)
		}
		got := e.live(r.ID)
		e.same("Load after Update", got, want)
		e.sameVersion("Load after Update", got, r)
		e.generations("Load after Update", got, want.Generation, want.OwnerGeneration)
	}
}

func updateConflict(e *env) {
	owner := newOwner()
	r := e.create(owner)
	stale := r
	r.Payload, r.Expires = []byte("newer"), in(90*time.Minute)
	e.mustUpdate(&r)
	generation := e.revokeOwner(owner)

	stale.Payload = []byte("stale")
	current, err := e.store.Update(e.ctx, &stale)
	if !errors.Is(err, sojourn.ErrConflict) {
		e.Fatalf("Update at an old version: error %v, expected ErrConflict", err)
	}
	e.same("the current record of the conflict", current, r)
	e.sameVersion("the current record of the conflict", current, r)
	e.generations("the current record of the conflict", current, r.Generation, generation)
	got := e.live(r.ID)
	e.same("Load after the conflict", got, r)
	e.sameVersion("Load after the conflict", got, r)

	current.Payload = []byte("stale changes on the newer record")
	e.mustUpdate(&current) // a conflict tells all that the next attempt needs
	e.samePayload("Load after the second attempt", e.live(r.ID).Payload, current.Payload)
}

func updateAbsent(e *env) {
	for _, version := range []uint64{0, 1, 2, 1 << 40} {
		r := newRecord(newOwner())
		r.Version = version
		try := r
		current, err := e.store.Update(e.ctx, &try)
		if !errors.Is(err, sojourn.ErrNotFound) {
			e.Errorf("Update of an absent record at version %d: error %v, expected ErrNotFound", version, err)
		}
		if !zero(current) {
			e.Errorf("Update of an absent record returned something: %v", show(current))
		}
		e.absent(r.ID)
		e.mustCreate(&r)
	}
}

func updateAfterRevoke(e *env) {
	r := e.create(newOwner())
	want := e.revoke(r, sojourn.ReasonLogout)
	tombstone := e.dead(r.ID)
	for _, version := range []uint64{r.Version, tombstone.Version, tombstone.Version + 1} {
		late := r
		late.Version, late.Payload = version, []byte("late")
		current, err := e.store.Update(e.ctx, &late)
		if !errors.Is(err, sojourn.ErrNotFound) {
			e.Errorf("Update of an ended record at version %d: error %v, expected ErrNotFound", version, err)
		}
		e.same("the tombstone beside ErrNotFound", current, want)
		e.same("Load afterwards", e.dead(r.ID), want)
	}
}

func updateInParallel(e *env) {
	for range e.rounds(12) {
		base := e.create(newOwner())
		const n = 12
		var records, currents [n]sojourn.Record
		var errs [n]error
		parallel(n, func(i int) {
			records[i] = base
			records[i].Payload = []byte{byte(i)}
			currents[i], errs[i] = e.store.Update(e.ctx, &records[i])
		})
		winner, winners := 0, 0
		for i, err := range errs {
			if err == nil {
				winner, winners = i, winners+1
			} else if !errors.Is(err, sojourn.ErrConflict) {
				e.Errorf("Update in parallel: error %v, expected nil or ErrConflict", err)
			}
		}
		if winners != 1 {
			e.Fatalf("%d of %d parallel Updates of one version succeeded, expected exactly 1", winners, n)
		}
		for i, current := range currents {
			if i != winner {
				e.same("the current record of a conflict", current, records[winner])
				e.sameVersion("the current record of a conflict", current, records[winner])
			}
		}
		e.same("Load", e.live(base.ID), records[winner])
	}
}

// updateLosesNothing adds to a number in the payload, each attempt on the record
// that the conflict before returned.
func updateLosesNothing(e *env) {
	base := newRecord(newOwner())
	base.Payload = make([]byte, 8)
	e.mustCreate(&base)
	const writers = 6
	each := e.rounds(40)
	var acknowledged atomic.Int64
	parallel(writers, func(int) {
		r := base
		for range each {
			for attempt := 0; ; attempt++ {
				if attempt == 10_000 {
					e.Errorf("an Update conflicts for ever: the records that conflicts return are not current")
					return
				}
				r.Payload = binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(r.Payload)+1)
				current, err := e.store.Update(e.ctx, &r)
				if err == nil {
					acknowledged.Add(1)
					break
				}
				if !errors.Is(err, sojourn.ErrConflict) || len(current.Payload) != 8 {
					e.Errorf("Update: error %v with %v, expected nil, or ErrConflict with the current record", err, show(current))
					return
				}
				r = current
			}
		}
	})
	got := e.live(base.ID)
	if len(got.Payload) != 8 || int64(binary.BigEndian.Uint64(got.Payload)) != acknowledged.Load() {
		e.Errorf("%d increments were acknowledged, the record holds %x", acknowledged.Load(), got.Payload)
	}
}

func updateDead(e *env) {
	r := e.create(newOwner())
	stale := revocation(r, sojourn.ReasonMoved).Tombstone()
	stale.Version, stale.Generation = r.Version, r.Generation
	r.Payload = []byte("changed meanwhile")
	e.mustUpdate(&r)
	current, err := e.store.Update(e.ctx, &stale)
	if !errors.Is(err, sojourn.ErrConflict) {
		e.Fatalf("ending a record at an old version: error %v, expected ErrConflict", err)
	}
	e.same("the current record of the conflict", current, r)
	e.same("Load after the conflict", e.live(r.ID), r)

	stale.Version = current.Version
	want := stale
	e.mustUpdate(&stale)
	e.same("Load after the end", e.dead(r.ID), want)
	e.revoke(r, sojourn.ReasonRevoked)
	e.same("Load after a later Revoke", e.dead(r.ID), want)
	late := current
	if _, err := e.store.Update(e.ctx, &late); !errors.Is(err, sojourn.ErrNotFound) {
		e.Errorf("Update after the end: error %v, expected ErrNotFound", err)
	}
	e.mustTouch(current, in(5*time.Hour))
	e.same("Load after a late Update and Touch", e.dead(r.ID), want)
}

// updateKeepsOwner also permits that the store refuses such an Update.
func updateKeepsOwner(e *env) {
	owner, other := newOwner(), newOwner()
	r := e.create(owner)
	robbed := r
	robbed.Owner = other
	e.store.Update(e.ctx, &robbed)
	got := e.live(r.ID)
	if got.Owner != owner {
		e.Errorf("Update changed the owner from %q to %q", owner, got.Owner)
	}
	if generation := e.revokeOwner(owner); e.live(r.ID).OwnerGeneration != generation {
		e.Errorf("after an Update under another owner, revoking its own owner no longer reaches the record")
	}
	if ids, err := e.store.List(e.ctx, other); err == nil && slices.Contains(ids, r.ID) {
		e.Errorf("after an Update under another owner, List of that owner holds the record")
	}
}

func updateWritesGeneration(e *env) {
	owner := newOwner()
	r := e.create(owner)
	old := r.Generation
	now := e.revokeOwner(owner)
	r.Payload = []byte("of a request that began before")
	e.mustUpdate(&r)
	e.generations("a late Update", e.live(r.ID), old, now) // it must not bring the session back
	r = e.live(r.ID)
	r.Generation = now // as when all but this session are revoked
	e.mustUpdate(&r)
	e.generations("an Update that lifts the record", e.live(r.ID), now, now)
}

func versionsDiffer(e *env) {
	r := e.create(newOwner())
	seen := map[uint64]bool{r.Version: true}
	for i := range 100 {
		r.Payload = bytes.Repeat([]byte{byte(i % 2)}, 8) // the same contents return, the version must not
		e.mustUpdate(&r)
		if seen[r.Version] {
			e.Fatalf("version %d returned after %d updates: a late writer would take the record for its own", r.Version, i)
		}
		seen[r.Version] = true
	}
	e.revoke(r, sojourn.ReasonLogout)
	if v := e.dead(r.ID).Version; seen[v] {
		e.Errorf("the tombstone has version %d, which the live record had before", v)
	}
}
