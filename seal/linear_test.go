package seal_test

import (
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/storetest/linear"
)

func TestLinearizable(t *testing.T) {
	r := newRing(t, seal.GenerateKey())
	linear.Run(t, func(t *testing.T) sojourn.Store { return newStore(t, memstore.New(nil), r) }, nil)
}
