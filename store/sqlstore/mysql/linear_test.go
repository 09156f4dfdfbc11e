package mysql

import (
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/storetest/linear"
)

func TestLinearizable(t *testing.T) {
	linear.Run(t, func(t *testing.T) sojourn.Store { return openURL(t, newDatabase(t), nil) }, &linear.Options{Parallel: 16})
}
