package storetest

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

const final = "Once a session is revoked, nothing brings it back: no slow request, late save, touch, open socket, cache or restart."

var revokeCases = []testCase{
	{"RevokeLeavesTombstone", "Revoke", "Revoke ends a session whatever its version, leaving its tombstone.", revokeLeavesTombstone},
	{"RevokeWhateverVersion", "Revoke", "Revoke ends a session whatever its version, leaving its tombstone.", revokeWhateverVersion},
	{"RevokeTwice", "Revoke", "The first reason stays.", revokeTwice},
	{"RevokeInParallel", "Revoke", "The first reason stays.", revokeInParallel},
	{"RevokeAbsent", "Revoke", "Revoking an absent or dead record is no error and stores nothing.", revokeAbsent},
	{"RevokeIsFinal", "P1", final, revokeIsFinal},
	{"RevokeRacesUpdate", "P1", final, revokeRacesUpdate},
}

func revokeLeavesTombstone(e *env) {
	for _, owner := range []string{"", newOwner()} {
		r := e.create(owner)
		want := e.revoke(r, "left-the-company")
		got := e.dead(r.ID)
		e.same("the tombstone", got, want)
		if got.Version == r.Version {
			e.Errorf("the tombstone has the version of the live record, %d", r.Version)
		}
	}
}

// revokeWhateverVersion revokes by what was known at the record's creation.
func revokeWhateverVersion(e *env) {
	r := e.create(newOwner())
	latest := r
	for i := range 3 {
		latest.Payload = []byte{byte(i)}
		e.mustUpdate(&latest)
	}
	e.mustTouch(latest, in(2*time.Hour))
	want := e.revoke(r, sojourn.ReasonRevoked)
	e.same("the tombstone of a record that changed meanwhile", e.dead(r.ID), want)
}

func revokeTwice(e *env) {
	r := e.create(newOwner())
	want := e.revoke(r, sojourn.ReasonLogout)
	first := e.dead(r.ID)
	e.revoke(r, sojourn.ReasonRevoked)
	got := e.dead(r.ID)
	e.same("the tombstone after a second Revoke", got, want)
	e.sameVersion("the tombstone after a second Revoke, which stores nothing", got, first)
}

func revokeInParallel(e *env) {
	for range e.rounds(12) {
		r := e.create(newOwner())
		const n = 8
		parallel(n, func(i int) {
			if err := e.store.Revoke(e.ctx, revocation(r, sojourn.Reason([]byte{'r', '0' + byte(i)}))); err != nil {
				e.Errorf("Revoke in parallel: %v", err)
			}
		})
		first := e.dead(r.ID)
		e.revoke(r, "too-late")
		e.samePayload("the tombstone after one more Revoke", e.dead(r.ID).Payload, first.Payload)
	}
}

func revokeAbsent(e *env) {
	for _, owner := range []string{"", newOwner()} {
		r := newRecord(owner)
		e.revoke(r, sojourn.ReasonLogout)
		e.absent(r.ID)
		e.mustCreate(&r) // whoever may revoke any ID must not be able to fill the store, or to block an ID
	}
}

// revokeIsFinal tries every way back.
func revokeIsFinal(e *env) {
	owner := newOwner()
	r := e.create(owner)
	want := e.revoke(r, sojourn.ReasonLogout)
	version := e.dead(r.ID).Version
	for name, attempt := range map[string]func(r sojourn.Record){
		"an Update at the old version":        func(r sojourn.Record) { e.store.Update(e.ctx, &r) },
		"an Update at the tombstone's":        func(r sojourn.Record) { r.Version = version; e.store.Update(e.ctx, &r) },
		"an Update at version zero":           func(r sojourn.Record) { r.Version = 0; e.store.Update(e.ctx, &r) },
		"an Update to another dead record":    func(r sojourn.Record) { r.Dead, r.Version = true, version; e.store.Update(e.ctx, &r) },
		"an Update after RevokeOwner":         func(r sojourn.Record) { r.Generation = e.revokeOwner(owner); e.store.Update(e.ctx, &r) },
		"a Touch":                             func(r sojourn.Record) { e.store.Touch(e.ctx, &r, in(9*time.Hour)) },
		"a Create":                            func(r sojourn.Record) { e.store.Create(e.ctx, &r) },
		"a Create of the same ID for another": func(r sojourn.Record) { r.Owner = newOwner(); e.store.Create(e.ctx, &r) },
		"a Revoke":                            func(r sojourn.Record) { e.store.Revoke(e.ctx, revocation(r, sojourn.ReasonMoved)) },
	} {
		attempt(r)
		e.same("the tombstone after "+name, e.dead(r.ID), want)
	}
}

// revokeRacesUpdate revokes under the hands of writers: no Update that begins
// after Revoke has answered may succeed.
func revokeRacesUpdate(e *env) {
	for range e.rounds(24) {
		base := e.create(newOwner())
		want := revocation(base, sojourn.ReasonLogout)
		var updates atomic.Int32
		var revoked atomic.Bool
		parallel(4, func(i int) {
			if i == 0 {
				for wait := time.Now().Add(time.Second); updates.Load() < 20 && time.Now().Before(wait); {
					time.Sleep(50 * time.Microsecond) // let the writers get going
				}
				if err := e.store.Revoke(e.ctx, want); err != nil {
					e.Errorf("Revoke of a record that others write: %v", err)
				}
				revoked.Store(true)
				return
			}
			r := base
			for after := 0; after < 3; {
				late := revoked.Load()
				current, err := e.store.Update(e.ctx, &r)
				updates.Add(1)
				switch {
				case err == nil && late:
					e.Errorf("an Update that began after Revoke had answered succeeded")
				case errors.Is(err, sojourn.ErrConflict):
					if late {
						e.Errorf("an Update that began after Revoke had answered met a live record")
					}
					r = current
				case err != nil && !errors.Is(err, sojourn.ErrNotFound):
					e.Errorf("Update racing Revoke: %v", err)
					return
				}
				if late {
					after++
				}
			}
		})
		e.same("the tombstone after racing Updates", e.dead(base.ID), want.Tombstone())
	}
}
