package memcachestore_test

import (
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/memcachestore"
	"github.com/sojournhq/sojourn/store/storetest"
)

func open(t testing.TB, url string, opt *memcachestore.Options) *memcachestore.Store {
	t.Helper()
	s, err := memcachestore.Open(t.Context(), url, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	url := "memcached://" + testenv.StartMemcached(t).Addr
	storetest.Run(t, func(t *testing.T) sojourn.Store { return open(t, url, nil) })
}

// On three servers a session and its owner's generation share one, or not, where
// the ID is of another format.
func TestConformanceThreeServers(t *testing.T) {
	url := "memcached://" + testenv.StartMemcached(t).Addr + "," + testenv.StartMemcached(t).Addr + "," + testenv.StartMemcached(t).Addr
	storetest.Run(t, func(t *testing.T) sojourn.Store { return open(t, url, nil) })
}
