package storetest

import (
	"math/rand/v2"
	"time"
)

const keepsDeadline = "A zero Expires keeps the stored deadline, which a Touch may have moved since r was loaded."

func updateKeepsDeadline(e *env) {
	r := e.create(newOwner())
	want := r.Expires
	for _, moved := range []time.Duration{0, 2 * time.Hour, 3 * time.Hour} {
		if moved != 0 {
			want = in(moved)
			e.mustTouch(r, want)
		}
		r.Expires = time.Time{}
		r.Payload = randomBytes(30)
		e.mustUpdate(&r)
		got := e.live(r.ID)
		e.sameTime("Load after an Update with a zero Expires", got.Expires, want)
		e.samePayload("Load after an Update with a zero Expires", got.Payload, r.Payload)
		e.sameVersion("Load after an Update with a zero Expires", got, r)
	}
	r.Dead, r.Expires = true, time.Time{}
	e.mustUpdate(&r)
	e.sameTime("the tombstone of an Update with a zero Expires", e.dead(r.ID).Expires, want)
}

// updateKeepsDeadlineRacingTouch touches once while another writes: in the end
// the touch and the last write are both there.
func updateKeepsDeadlineRacingTouch(e *env) {
	for range e.rounds(80) {
		r := e.create(newOwner())
		base := r
		touched := in(2 * time.Hour)
		parallel(2, func(i int) {
			if i == 0 {
				time.Sleep(rand.N(150 * time.Microsecond))
				if err := e.store.Touch(e.ctx, &base, touched); err != nil {
					e.Errorf("Touch while another updates: %v", err)
				}
				return
			}
			for n := range 4 {
				r.Payload, r.Expires = []byte{byte(n)}, time.Time{}
				if _, err := e.store.Update(e.ctx, &r); err != nil {
					e.Errorf("Update of the only writer, while another touches: %v", err)
					return
				}
			}
		})
		r.Expires = touched
		e.same("Load at the end", e.live(r.ID), r)
	}
}
