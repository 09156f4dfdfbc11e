package nearstore_test

import (
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
