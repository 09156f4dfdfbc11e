package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

// errLost is what a client sees of an answer that never came.
var errLost = errors.New("storetest: the answer was lost")

// A faulty store loses answers, as networks do. Of a call that fails, the caller
// cannot tell which of three things happened:
//
//	caller ──✕            the request was lost: nothing is done
//	caller ──▶ store ─✕   the answer was lost: it is done
//	caller ──▷ · · ▶      the request is late: it will be done, after the caller gave up
//
// No method fails twice in a row for one session, so whoever repeats what may be
// repeated must succeed.
type faulty struct {
	sojourn.Store
	rate  float64         // of calls that fail
	spare map[string]bool // methods that never fail

	mu   sync.Mutex
	owed map[string]bool // this call has just failed: the next one passes
	late sync.WaitGroup

	injected atomic.Int64
	real     atomic.Int64 // failures of the store itself
}

func newFaulty(s sojourn.Store, rate float64, spare ...string) *faulty {
	f := &faulty{Store: s, rate: rate, spare: map[string]bool{}, owed: map[string]bool{}}
	for _, method := range spare {
		f.spare[method] = true
	}
	return f
}

// Unwrap lets sojourn.As find what the store offers besides.
func (f *faulty) Unwrap() sojourn.Store { return f.Store }

func (f *faulty) fails(method, key string) bool {
	if f.spare[method] {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if key = method + " " + key; f.owed[key] {
		delete(f.owed, key)
		return false
	}
	if rand.Float64() >= f.rate {
		return false
	}
	f.owed[key] = true
	f.injected.Add(1)
	return true
}

// call runs do, or loses it. do must not touch anything of the caller's.
func (f *faulty) call(ctx context.Context, method, key string, mayBeLate bool, do func(context.Context) error) error {
	if !f.fails(method, key) {
		err := do(ctx)
		if err != nil && !isAnswer(err) {
			f.real.Add(1)
		}
		return err
	}
	switch rand.N(3) {
	case 0:
		return errLost
	case 1:
		if mayBeLate {
			f.late.Go(func() {
				time.Sleep(rand.N(3 * time.Millisecond))
				do(context.WithoutCancel(ctx))
			})
			return errLost
		}
	}
	do(ctx)
	return errLost
}

func isAnswer(err error) bool {
	for _, fact := range []error{sojourn.ErrNotFound, sojourn.ErrConflict, sojourn.ErrExists, sojourn.ErrUnsupported} {
		if errors.Is(err, fact) {
			return true
		}
	}
	return false
}

func (f *faulty) Load(ctx context.Context, id sojourn.ID) (r sojourn.Record, err error) {
	var got sojourn.Record
	err = f.call(ctx, "Load", string(id), false, func(ctx context.Context) (err error) {
		got, err = f.Store.Load(ctx, id)
		return err
	})
	if errors.Is(err, errLost) {
		return r, err
	}
	return got, err
}

func (f *faulty) Create(ctx context.Context, r *sojourn.Record) error {
	own := *r
	err := f.call(ctx, "Create", string(r.ID), false, func(ctx context.Context) error { return f.Store.Create(ctx, &own) })
	if err == nil {
		*r = own
	}
	return err
}

func (f *faulty) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	own := *r
	var current sojourn.Record
	err := f.call(ctx, "Update", string(r.ID), true, func(ctx context.Context) (err error) {
		current, err = f.Store.Update(ctx, &own)
		return err
	})
	if errors.Is(err, errLost) { // own and current may still be written to
		return sojourn.Record{}, err
	}
	*r = own
	return current, err
}

func (f *faulty) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	own := *r
	return f.call(ctx, "Touch", string(r.ID), true, func(ctx context.Context) error { return f.Store.Touch(ctx, &own, expires) })
}

func (f *faulty) Revoke(ctx context.Context, rr sojourn.RevokedRecord) error {
	return f.call(ctx, "Revoke", string(rr.ID), true, func(ctx context.Context) error { return f.Store.Revoke(ctx, rr) })
}

func (f *faulty) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	var generation uint64
	err := f.call(ctx, "RevokeOwner", owner, false, func(ctx context.Context) (err error) {
		generation, err = f.Store.RevokeOwner(ctx, owner)
		return err
	})
	if err != nil {
		return 0, err
	}
	return generation, nil
}
