package nearstore_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/nearstore"
	"github.com/sojournhq/sojourn/store/storetest"
)

func TestConformance(t *testing.T) {
	const unseen = "what a sweep removed may be seen until the bound has passed"
	sweeps := map[string]string{"SweepRemovesExpired": unseen, "SweepRespectsLimit": unseen, "SweepRacesTouch": unseen}
	for name, c := range map[string]struct {
		opt    *nearstore.Options
		waived map[string]string
	}{
		"Default":           {},
		"StrictServesStale": {opt: &nearstore.Options{ServeStale: time.Minute}},
		"BoundedZero":       {opt: &nearstore.Options{Guarantee: nearstore.Bounded(0), ServeStale: time.Minute}},
		"Bounded":           {opt: &nearstore.Options{Guarantee: nearstore.Bounded(time.Second)}, waived: sweeps},
		"BoundedServesStale": {opt: &nearstore.Options{Guarantee: nearstore.Bounded(time.Second), ServeStale: time.Minute},
			waived: sweeps},
		"BoundedTiny": {opt: &nearstore.Options{Guarantee: nearstore.Bounded(time.Second), MaxBytes: 4000}, waived: sweeps},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.RunWith(t, func(*testing.T) sojourn.Store { return nearstore.New(memstore.New(nil), c.opt) },
				&storetest.Options{Waived: c.waived})
		})
	}
}

// Strict keeps every promise across processes, too: each call goes through one
// of two near stores, as a balancer would have it.
func TestConformanceOfTwoNodes(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) sojourn.Store {
		inner, opt := memstore.New(nil), &nearstore.Options{ServeStale: time.Minute}
		return balanced{nearstore.New(inner, opt), nearstore.New(inner, opt)}
	})
}

type balanced [2]*nearstore.Store

func (b balanced) any() *nearstore.Store { return b[rand.N(2)] }
func (b balanced) Unwrap() sojourn.Store { return b.any() }
func (b balanced) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	return b.any().Load(ctx, id)
}
func (b balanced) Create(ctx context.Context, r *sojourn.Record) error { return b.any().Create(ctx, r) }
func (b balanced) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	return b.any().Update(ctx, r)
}
func (b balanced) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	return b.any().Touch(ctx, r, expires)
}
func (b balanced) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	return b.any().Revoke(ctx, r)
}
func (b balanced) List(ctx context.Context, owner string) ([]sojourn.ID, error) {
	return b.any().List(ctx, owner)
}
func (b balanced) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	return b.any().RevokeOwner(ctx, owner)
}
