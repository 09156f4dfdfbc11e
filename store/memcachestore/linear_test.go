package memcachestore_test

import (
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/storetest/linear"
)

func TestLinearizable(t *testing.T) {
	url := "memcached://" + testenv.StartMemcached(t).Addr + "," + testenv.StartMemcached(t).Addr
	linear.Run(t, func(t *testing.T) sojourn.Store { return open(t, url, nil) }, &linear.Options{EarlyStamp: true, LateGeneration: true})
}
