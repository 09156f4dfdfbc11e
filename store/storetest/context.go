package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/sojournhq/sojourn"
)

var contextCases = []testCase{
	{"CancelledContext", "Store", "All methods are safe for parallel use and return when ctx ends. Errors other than those named are taken as \"unavailable\".", cancelledContext},
	{"InterruptedUpdate", "P3", "A commit whose answer was lost (timeout) can be repeated without doubling a counter.", interruptedUpdate},
	{"PingAnswers", "Pinger", "A Pinger is a store that can tell whether its engine answers.", pingAnswers},
}

// cancelledContext calls every method with a context that has ended. An error
// that names a fact ("not found") would log people out because a client hung up.
func cancelledContext(e *env) {
	owner := newOwner()
	r := e.create(owner)
	gone, cancel := context.WithCancel(e.ctx)
	cancel()
	fresh := newRecord(owner)
	changed := r
	changed.Payload = []byte("changed")
	for name, call := range map[string]func() error{
		"Load":   func() error { _, err := e.store.Load(gone, r.ID); return err },
		"Create": func() error { c := fresh; return e.store.Create(gone, &c) },
		"Update": func() error { c := changed; _, err := e.store.Update(gone, &c); return err },
		"Touch":  func() error { c := r; return e.store.Touch(gone, &c, in(2*time.Hour)) },
		"Revoke": func() error { return e.store.Revoke(gone, revocation(r, sojourn.ReasonLogout)) },
		"List": func() error {
			_, err := e.store.List(gone, owner)
			if errors.Is(err, sojourn.ErrUnsupported) {
				return context.Canceled
			}
			return err
		},
		"RevokeOwner": func() error { _, err := e.store.RevokeOwner(gone, owner); return err },
	} {
		began := time.Now()
		err := call()
		if took := time.Since(began); took > 2*time.Second {
			e.Errorf("%s under a cancelled context took %v, expected to return at once", name, took)
		}
		if err == nil {
			e.Errorf("%s under a cancelled context: no error", name)
		}
		for _, fact := range []error{sojourn.ErrNotFound, sojourn.ErrConflict, sojourn.ErrExists, sojourn.ErrUnsupported} {
			if errors.Is(err, fact) {
				e.Errorf("%s under a cancelled context claims %q: nobody knows that", name, fact)
			}
		}
	}
	// Each of them may have been done or not, but not by half.
	got, err := e.store.Load(e.ctx, r.ID)
	switch {
	case errors.Is(err, sojourn.ErrNotFound):
		if !got.Dead {
			e.Errorf("after a cancelled Revoke, the record has gone without a tombstone")
		}
	case err != nil:
		e.Fatalf("Load after cancelled calls: %v", err)
	case got.Version == r.Version:
		e.samePayload("Load at the old version after a cancelled Update", got.Payload, r.Payload)
	default:
		e.samePayload("Load at a new version after a cancelled Update", got.Payload, changed.Payload)
	}
	if err := e.store.Create(e.ctx, &fresh); err != nil && !errors.Is(err, sojourn.ErrExists) {
		e.Errorf("Create after a cancelled Create: %v", err)
	}
	e.live(fresh.ID)
}

// interruptedUpdate gives Updates too little time. Afterwards each must have been
// done wholly or not at all, and a repetition must be able to tell.
func interruptedUpdate(e *env) {
	r := e.create(newOwner())
	for i := range e.rounds(200) {
		next := r
		next.Payload = randomBytes(1 + rand.N(2000))
		ctx, cancel := context.WithTimeout(e.ctx, rand.N(400*time.Microsecond))
		_, err := e.store.Update(ctx, &next)
		cancel()
		got := e.live(r.ID)
		switch {
		case err == nil:
			e.samePayload("Load after an acknowledged Update", got.Payload, next.Payload)
			e.sameVersion("Load after an acknowledged Update", got, next)
		case errors.Is(err, sojourn.ErrConflict), errors.Is(err, sojourn.ErrNotFound):
			e.Fatalf("Update %d of the only writer: error %v", i, err)
		case got.Version == r.Version:
			e.samePayload("Load at the old version after an interrupted Update", got.Payload, r.Payload)
		default:
			e.samePayload("Load at a new version after an interrupted Update", got.Payload, next.Payload)
		}
		// The interrupted Update may still be under way, so write over it until one is acknowledged.
		for attempt := 0; ; attempt++ {
			r = got
			r.Payload = randomBytes(50)
			current, err := e.store.Update(e.ctx, &r)
			if err == nil {
				break
			}
			if !errors.Is(err, sojourn.ErrConflict) || attempt > 100 {
				e.Fatalf("Update after an interrupted one: error %v", err)
			}
			e.samePayload("the conflict with an interrupted Update", current.Payload, next.Payload)
			got = current
		}
		got = e.live(r.ID)
		e.samePayload("Load after writing over an interrupted Update", got.Payload, r.Payload)
	}
}

func pingAnswers(e *env) {
	p, ok := sojourn.As[sojourn.Pinger](e.store)
	if !ok {
		e.Skipf("this store is no Pinger, which the contract permits")
	}
	if err := p.Ping(e.ctx); err != nil {
		e.Errorf("Ping of a store that works: %v", err)
	}
}
