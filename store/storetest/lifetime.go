package storetest

import (
	"errors"
	"slices"
	"time"

	"github.com/sojournhq/sojourn"
)

var lifetimeCases = []testCase{
	{"NothingVanishesEarly", "Store", "It needs no clock and no knowledge of sessions: the core decides who is expired.", nothingVanishesEarly},
}

// nothingVanishesEarly lets two seconds really pass: engines with expiry of their
// own must follow every move of the deadline, in records, tombstones, lists and
// generations alike.
func nothingVanishesEarly(e *env) {
	if e.short {
		e.Skipf("waits two seconds, left out by -short")
	}
	soon := func(owner string) sojourn.Record {
		r := newRecord(owner)
		r.Expires = in(1500 * time.Millisecond)
		e.mustCreate(&r)
		return r
	}
	owner := newOwner()
	older := soon(owner)
	generation := e.revokeOwner(owner)
	touched, updated, untouched := soon(owner), soon(owner), soon(owner)
	revoked, ended, kept := soon(owner), soon(""), soon(owner)
	later := in(time.Hour)

	older.Expires = later
	e.mustTouch(older, later)
	touched.Expires = later
	e.mustTouch(touched, later)
	updated.Expires = later
	e.mustUpdate(&updated)
	kept.Expires = later
	e.mustTouch(kept, later)
	kept.Expires = time.Time{}
	e.mustUpdate(&kept)
	kept.Expires = later
	revokedTombstone := e.revoke(revoked, sojourn.ReasonLogout)
	endedTombstone := revocation(ended, sojourn.ReasonMoved).Tombstone()
	endedTombstone.Version = ended.Version
	e.mustUpdate(&endedTombstone)

	time.Sleep(time.Until(untouched.Expires.Add(500 * time.Millisecond)))

	e.same("a record that was touched in time", e.live(touched.ID), touched)
	e.same("a record that was updated in time", e.live(updated.ID), updated)
	e.same("a record that was touched, and then updated as its deadline stood", e.live(kept.ID), kept)
	e.generations("a record of an older generation", e.live(older.ID), older.Generation, generation)
	e.same("the tombstone left by Revoke", e.dead(revoked.ID), revokedTombstone)
	e.same("the tombstone left by Update", e.dead(ended.ID), endedTombstone)
	for _, id := range []sojourn.ID{revoked.ID, ended.ID} {
		r := newRecord(owner)
		r.ID = id
		if err := e.store.Create(e.ctx, &r); !errors.Is(err, sojourn.ErrExists) {
			e.Errorf("Create over a tombstone that outlived its record: error %v, expected ErrExists", err)
		}
	}
	if ids, err := e.store.List(e.ctx, owner); err == nil {
		for _, r := range []sojourn.Record{touched, updated, kept} {
			if !slices.Contains(ids, r.ID) {
				e.Errorf("List lacks a record whose deadline was moved")
			}
		}
	}
	// What did expire may be there or not, but it is never somebody's session by half.
	if got, err := e.store.Load(e.ctx, untouched.ID); err == nil {
		e.same("an expired record that is still there", got, untouched)
	} else if !errors.Is(err, sojourn.ErrNotFound) {
		e.Errorf("Load of an expired record: %v", err)
	}
}
