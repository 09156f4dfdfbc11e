package memstore_test

import (
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/storetest/linear"
)

func TestLinearizable(t *testing.T) {
	linear.Run(t, func(t *testing.T) sojourn.Store { return memstore.New(nil) }, nil)
}
