package movestore_test

import (
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/movestore"
	"github.com/sojournhq/sojourn/store/storetest/linear"
)

func TestLinearizable(t *testing.T) {
	linear.Run(t, func(*testing.T) sojourn.Store {
		return movestore.New(memstore.New(nil), memstore.New(nil), nil)
	}, nil)
}
