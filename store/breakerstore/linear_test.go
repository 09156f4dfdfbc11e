package breakerstore_test

import (
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/breakerstore"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/storetest/linear"
)

func TestLinearizable(t *testing.T) {
	linear.Run(t, func(*testing.T) sojourn.Store { return breakerstore.New(memstore.New(nil), nil) }, nil)
}
