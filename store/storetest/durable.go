package storetest

import (
	"slices"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

const survives = "With a durable store, kill -9 at any moment loses no acknowledged write."

var durableCases = []testCase{
	{"ReopenKeepsEverything", "P14", survives, reopenKeepsEverything},
	{"ReopenUnderLoad", "P14", survives, reopenUnderLoad},
}

func (e *env) mustReopen() {
	e.Helper()
	if e.store = e.reopen(e.store); e.store == nil {
		e.Fatalf("Options.Reopen gave no store")
	}
}

func (e *env) durable() {
	e.Helper()
	if e.reopen == nil {
		e.Skipf("not a durable store, or Options.Reopen is not set")
	}
}

func reopenKeepsEverything(e *env) {
	e.durable()
	owner, other := newOwner(), newOwner()
	older := e.create(other)
	generation := e.revokeOwner(other)
	created := e.create(owner)
	anonymous := e.create("")
	updated := e.create(owner)
	updated.Payload, updated.Expires = randomBytes(5000), in(3*time.Hour)
	e.mustUpdate(&updated)
	touched := e.create(owner)
	touched.Expires = in(2 * time.Hour)
	e.mustTouch(touched, touched.Expires)
	revoked := e.create(owner)
	tombstone := e.revoke(revoked, sojourn.ReasonLogout)

	e.mustReopen()
	for what, want := range map[string]sojourn.Record{"created": created, "created for nobody": anonymous, "updated": updated, "touched": touched} {
		got := e.live(want.ID)
		if what == "touched" { // the one write that may be lost: it only shortens an idle deadline
			want.Expires = got.Expires
		}
		e.same("after reopening, the record "+what, got, want)
		e.sameVersion("after reopening, the record "+what, got, want)
	}
	e.same("after reopening, the tombstone", e.dead(revoked.ID), tombstone)
	e.generations("after reopening, a record of an older generation", e.live(older.ID), older.Generation, generation)
	e.generations("Create after reopening", e.create(other), generation, generation)
	if ids, err := e.store.List(e.ctx, owner); err == nil {
		for _, r := range []sojourn.Record{created, updated, touched} {
			if !slices.Contains(ids, r.ID) {
				e.Errorf("after reopening, List lacks a live record")
			}
		}
	}
	updated.Payload = []byte("goes on")
	e.mustUpdate(&updated)
}

// reopenUnderLoad reopens while writers write; each remembers what was acknowledged.
func reopenUnderLoad(e *env) {
	e.durable()
	const writers = 4
	type life struct{ acknowledged, attempted sojourn.Record }
	lives := make([]life, writers)
	for i := range lives {
		r := e.create(newOwner())
		lives[i] = life{r, r}
	}
	store, ctx := e.store, e.ctx
	var busy, finished sync.WaitGroup
	for i := range lives {
		busy.Add(1)
		finished.Go(func() {
			l := &lives[i]
			r := l.acknowledged
			for n := range 10_000 {
				if n == 20 {
					busy.Done()
				}
				r.Payload = randomBytes(300)
				l.attempted = r
				if _, err := store.Update(ctx, &r); err != nil {
					if n < 20 {
						e.Errorf("Update before the store was closed: %v", err)
						busy.Done()
					}
					return
				}
				l.acknowledged = r
			}
		})
	}
	busy.Wait()
	e.mustReopen()
	finished.Wait()
	for _, l := range lives {
		got := e.live(l.acknowledged.ID)
		if got.Version == l.acknowledged.Version {
			e.samePayload("after reopening, the last acknowledged Update", got.Payload, l.acknowledged.Payload)
		} else {
			e.samePayload("after reopening, an Update that was not acknowledged", got.Payload, l.attempted.Payload)
		}
	}
}
