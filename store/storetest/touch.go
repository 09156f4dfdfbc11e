package storetest

import (
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

var touchCases = []testCase{
	{"TouchMovesForward", "Touch", "Touch moves the deadline of a live record forward to expires.", touchMovesForward},
	{"TouchNeverBack", "Touch", "It never creates, never moves back, and does not change the version.", touchNeverBack},
	{"TouchNeverCreates", "Touch", "Touching an absent or dead record is no error.", touchNeverCreates},
	{"TouchKeepsTombstones", "Touch", "Touching an absent or dead record is no error.", touchKeepsTombstones},
	{"TouchKeepsVersion", "Touch", "does not change the version.", touchKeepsVersion},
	{"TouchInParallel", "Touch", "never moves back", touchInParallel},
	{"TouchRacesUpdate", "Touch", "does not change the version.", touchRacesUpdate},
	{"TouchRacesRevoke", "P1", final, touchRacesRevoke},
}

func touchMovesForward(e *env) {
	r := e.create(newOwner())
	first := r
	want := r
	want.Expires = in(2 * time.Hour)
	e.mustTouch(r, want.Expires)
	got := e.live(r.ID)
	e.same("Load after Touch", got, want)
	e.generations("Load after Touch", got, r.Generation, r.OwnerGeneration)

	want = got
	want.Payload = []byte("second version")
	e.mustUpdate(&want)
	want.Expires = in(3 * time.Hour)
	e.mustTouch(first, want.Expires) // the request that touches may hold an older version
	e.same("Load after the Touch of a request that holds an older version", e.live(r.ID), want)
}

func touchNeverBack(e *env) {
	r := e.create(newOwner())
	for _, life := range []time.Duration{59 * time.Minute, time.Second, -time.Hour} {
		e.mustTouch(r, in(life))
		e.same("Load after Touch with an earlier deadline", e.live(r.ID), r)
	}
	e.mustTouch(r, r.Expires)
	e.same("Load after Touch with the same deadline", e.live(r.ID), r)
}

func touchNeverCreates(e *env) {
	r := newRecord(newOwner())
	e.mustTouch(r, in(2*time.Hour))
	e.absent(r.ID)
	e.mustCreate(&r)
}

func touchKeepsTombstones(e *env) {
	r := e.create(newOwner())
	want := e.revoke(r, sojourn.ReasonLogout)
	for _, life := range []time.Duration{time.Minute, 5 * time.Hour} {
		e.mustTouch(r, in(life))
		e.same("the tombstone after Touch", e.dead(r.ID), want)
	}
}

func touchKeepsVersion(e *env) {
	r := e.create(newOwner())
	before := r
	e.mustTouch(r, in(5*time.Hour))
	e.sameVersion("Load after Touch", e.live(r.ID), before)
	r.Payload, r.Expires = []byte("of the version before the touch"), in(2*time.Hour)
	want := r
	if _, err := e.store.Update(e.ctx, &r); err != nil {
		e.Fatalf("Update at the version from before a Touch: error %v, expected success", err)
	}
	e.same("Load after that Update, whose deadline replaces the touch's", e.live(r.ID), want)
}

func touchInParallel(e *env) {
	for range e.rounds(12) {
		r := e.create(newOwner())
		const n = 12
		parallel(n, func(i int) {
			if err := e.store.Touch(e.ctx, &sojourn.Record{ID: r.ID, Version: r.Version, Owner: r.Owner,
				Expires: r.Expires, Generation: r.Generation, Payload: r.Payload},
				r.Expires.Add(time.Duration((i*7)%n+1)*time.Minute)); err != nil {
				e.Errorf("Touch: %v", err)
			}
		})
		want := r
		want.Expires = r.Expires.Add(n * time.Minute)
		e.same("Load after parallel touches, the furthest of which stays", e.live(r.ID), want)
	}
}

// touchRacesUpdate lets one writer update while others touch: no touch may undo
// an update or make one conflict.
func touchRacesUpdate(e *env) {
	r := e.create(newOwner())
	base := r
	updates := e.rounds(80)
	var touches atomic.Int32
	enough := time.Now().Add(2 * time.Second)
	done := make(chan struct{})
	parallel(4, func(i int) {
		if i == 0 {
			defer close(done)
			for n := 0; n < updates || touches.Load() < 30 && time.Now().Before(enough); n++ {
				if n%8 == 7 {
					time.Sleep(20 * time.Microsecond) // the others' turn
				}
				r.Payload, r.Expires = []byte{byte(n)}, in(time.Hour)
				if _, err := e.store.Update(e.ctx, &r); err != nil {
					e.Errorf("Update of the only writer, while others touch: %v", err)
					return
				}
			}
			return
		}
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			t := base
			if err := e.store.Touch(e.ctx, &t, in(2*time.Hour+time.Duration(n)*time.Millisecond)); err != nil {
				e.Errorf("Touch while another updates: %v", err)
				return
			}
			touches.Add(1)
		}
	})
	got := e.live(r.ID)
	e.samePayload("Load at the end", got.Payload, r.Payload)
	e.sameVersion("Load at the end", got, r)
	if got.Expires.Before(r.Expires.Add(-e.opt.Precision)) {
		e.Errorf("Expires is %v, before the last Update's %v", got.Expires, r.Expires)
	}
}

func touchRacesRevoke(e *env) {
	for range e.rounds(40) {
		r := e.create(newOwner())
		want := revocation(r, sojourn.ReasonLogout)
		parallel(4, func(i int) {
			var err error
			if t := r; i == 0 {
				err = e.store.Revoke(e.ctx, want)
			} else {
				err = e.store.Touch(e.ctx, &t, in(2*time.Hour+time.Duration(i)*time.Minute))
			}
			if err != nil {
				e.Errorf("Touch racing Revoke: %v", err)
			}
		})
		e.same("the tombstone after a racing Touch", e.dead(r.ID), want.Tombstone())
	}
}
