package storetest

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sojournhq/sojourn"
)

const sweepRule = "Sweep removes at most limit records, live or dead, whose Expires is before the given time, and returns them. Fewer than limit means that none are left."

var sweepCases = []testCase{
	{"SweeperWaitsToBeTold", "Sweeper", "A Sweeper is a store that removes expired records only when told to.", sweeperWaitsToBeTold},
	{"SweepRemovesExpired", "Sweep", sweepRule, sweepRemovesExpired},
	{"SweepRespectsLimit", "Sweep", sweepRule, sweepRespectsLimit},
	{"SweepKeepsGenerations", "RevokeOwner", "every record of an older generation is dead from now on.", sweepKeepsGenerations},
	{"SweepRacesTouch", "Sweep", sweepRule, sweepRacesTouch},
}

func (e *env) sweeper() sojourn.Sweeper {
	e.Helper()
	s, ok := sojourn.As[sojourn.Sweeper](e.store)
	if !ok {
		e.Skipf("this store is no Sweeper: its engine removes expired records by itself")
	}
	return s
}

// longAgo is a moment that no other records expire at, so that sweeping up to it
// leaves those of others alone.
func longAgo() time.Time {
	return time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC).Add(rand.N(20 * 365 * 24 * time.Hour)).Truncate(time.Millisecond)
}

// sweepAll sweeps until nothing is left, and returns what was removed.
func (e *env) sweepAll(before time.Time, limit int) map[sojourn.ID]sojourn.Record {
	e.Helper()
	s := e.sweeper()
	swept := map[sojourn.ID]sojourn.Record{}
	for {
		records, err := s.Sweep(e.ctx, before, limit)
		if err != nil {
			e.Fatalf("Sweep: %v", err)
		}
		if len(records) > limit {
			e.Errorf("Sweep with limit %d removed %d records", limit, len(records))
		}
		for _, r := range records {
			if _, twice := swept[r.ID]; twice {
				e.Errorf("Sweep returned %q twice", r.ID)
			}
			if !r.Expires.Before(before) {
				e.Errorf("Sweep before %v removed a record that expires at %v", before.UTC(), r.Expires.UTC())
			}
			swept[r.ID] = r
		}
		if len(records) < limit {
			return swept
		}
	}
}

func (e *env) createAt(owner string, expires time.Time) sojourn.Record {
	e.Helper()
	r := newRecord(owner)
	r.Expires = expires
	e.mustCreate(&r)
	return r
}

func sweeperWaitsToBeTold(e *env) {
	e.sweeper()
	at := longAgo()
	r := e.createAt(newOwner(), at)
	e.same("Load of an expired record that nobody swept", e.live(r.ID), r)
	r.Payload = []byte("changed")
	e.mustUpdate(&r)
	e.same("Load after Update of an expired record", e.live(r.ID), r)
	want := revocation(r, sojourn.ReasonExpired)
	want.Until = at.Add(time.Minute)
	if err := e.store.Revoke(e.ctx, want); err != nil {
		e.Fatalf("Revoke: %v", err)
	}
	e.same("a tombstone that expired and that nobody swept", e.dead(r.ID), want.Tombstone())
}

func sweepRemovesExpired(e *env) {
	e.sweeper()
	at := longAgo()
	owner := newOwner()
	expired := e.createAt(owner, at.Add(-time.Millisecond))
	older := e.createAt("", at.Add(-time.Hour))
	boundary := e.createAt(owner, at) // not before
	later := e.createAt(owner, at.Add(time.Hour))
	current := e.create(owner)
	touched := e.createAt(owner, at.Add(-time.Hour))
	e.mustTouch(touched, at.Add(time.Minute))
	updated := e.createAt(owner, at.Add(-time.Hour))
	updated.Expires = at.Add(time.Minute)
	e.mustUpdate(&updated)
	shortened := e.createAt(owner, at.Add(time.Hour))
	shortened.Expires = at.Add(-time.Second)
	e.mustUpdate(&shortened)
	end := func(until time.Time) sojourn.Record {
		r := e.createAt(owner, at.Add(-time.Hour))
		rr := revocation(r, sojourn.ReasonLogout)
		rr.Until = until
		if err := e.store.Revoke(e.ctx, rr); err != nil {
			e.Fatalf("Revoke: %v", err)
		}
		return rr.Tombstone()
	}
	oldTombstone, tombstone := end(at.Add(-time.Millisecond)), end(at.Add(time.Minute))

	swept := e.sweepAll(at, 3)
	for _, want := range []sojourn.Record{expired, older, shortened, oldTombstone} {
		got, ok := swept[want.ID]
		if !ok {
			e.Errorf("Sweep did not return a record that had expired: %v", show(want))
			continue
		}
		got.Payload = want.Payload // of the removed, the core needs the named fields only
		e.same("a record returned by Sweep", got, want)
		e.absent(want.ID)
	}
	for what, want := range map[string]sojourn.Record{"at the boundary": boundary, "later": later, "of today": current,
		"that was touched": {ID: touched.ID}, "that was updated": updated} {
		if _, ok := swept[want.ID]; ok {
			e.Errorf("Sweep returned a record %s", what)
		}
		e.live(want.ID)
	}
	e.same("a tombstone that has not expired", e.dead(tombstone.ID), tombstone)
	late := expired
	if _, err := e.store.Update(e.ctx, &late); err == nil {
		e.Errorf("Update of a swept record succeeded")
	}
	e.absent(expired.ID)
	if again := e.sweepAll(at, 3); again[expired.ID].ID != "" {
		e.Errorf("a second Sweep returned a record again")
	}
}

func sweepRespectsLimit(e *env) {
	e.sweeper()
	at := longAgo()
	mine := map[sojourn.ID]bool{}
	for i := range 23 {
		mine[e.createAt(newOwner(), at.Add(-time.Duration(i+1)*time.Second)).ID] = true
	}
	swept := e.sweepAll(at, 5)
	for id := range mine {
		if _, ok := swept[id]; !ok {
			e.Errorf("Sweep returned fewer than its limit although an expired record was left")
		}
		e.absent(id)
	}
}

func sweepKeepsGenerations(e *env) {
	e.sweeper()
	at := longAgo()
	owner := newOwner()
	old := e.create(owner)
	expired := e.createAt(owner, at.Add(-time.Hour))
	now := e.revokeOwner(owner)
	alsoExpired := e.createAt(owner, at.Add(-time.Hour))
	swept := e.sweepAll(at, 100)
	for _, r := range []sojourn.Record{expired, alsoExpired} {
		if _, ok := swept[r.ID]; !ok {
			e.Errorf("Sweep left an expired record behind")
		}
	}
	e.generations("Load of a revoked record after Sweep", e.live(old.ID), old.Generation, now)
	e.generations("Create after Sweep", e.create(owner), now, now)
	if ids, err := e.store.List(e.ctx, owner); err == nil && !slices.Contains(ids, old.ID) {
		e.Errorf("after Sweep, List lacks a record that was not swept")
	}
}

// sweepRacesTouch moves deadlines while a sweep is deciding: whatever Sweep
// returns is gone, and whatever it does not return is still there.
func sweepRacesTouch(e *env) {
	e.sweeper()
	for range e.rounds(20) {
		at := longAgo()
		records := make([]sojourn.Record, 24)
		for i := range records {
			records[i] = e.createAt(newOwner(), at.Add(-time.Minute))
		}
		var swept map[sojourn.ID]sojourn.Record
		errs := make([]error, len(records))
		done := make(chan struct{})
		go func() {
			defer close(done)
			parallel(2, func(k int) {
				for i := k; i < len(records); i += 2 {
					t := records[i]
					if i%4 < 2 {
						errs[i] = e.store.Touch(e.ctx, &t, at.Add(time.Hour))
					} else {
						t.Expires = at.Add(time.Hour)
						_, errs[i] = e.store.Update(e.ctx, &t)
					}
				}
			})
		}()
		swept = e.sweepAll(at, 4)
		<-done
		for i, r := range records {
			if _, ok := swept[r.ID]; ok {
				e.absent(r.ID)
				if i%4 >= 2 && errs[i] == nil {
					e.Errorf("Sweep removed a record whose Update had moved its deadline and was acknowledged")
				}
				continue
			}
			if errs[i] != nil {
				e.Errorf("a Touch or Update of a record that was not swept: %v", errs[i])
			}
			e.sameTime("Load of a record that was not swept", e.live(r.ID).Expires, at.Add(time.Hour))
		}
	}
}
