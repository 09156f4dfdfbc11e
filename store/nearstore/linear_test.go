package nearstore_test

import (
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/nearstore"
	"github.com/sojournhq/sojourn/store/storetest/linear"
)

// Bounded(X) is not linearizable, and does not say so.
func TestLinearizable(t *testing.T) {
	opt := &nearstore.Options{ServeStale: time.Minute}
	linear.Run(t, func(*testing.T) sojourn.Store {
		inner := memstore.New(nil)
		return balanced{nearstore.New(inner, opt), nearstore.New(inner, opt)}
	}, nil)
}
