package seal_test

import (
	"io"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/seal"
	"github.com/sojournhq/sojourn/store/memcachestore"
	"github.com/sojournhq/sojourn/store/redisstore"
	"github.com/sojournhq/sojourn/store/storetest"
)

// conforms runs the suite over stores that share one server.
func conforms[S interface {
	sojourn.Store
	io.Closer
}](t *testing.T, open func(t *testing.T) (S, error)) {
	ring := newRing(t, seal.GenerateKey())
	storetest.RunWith(t, func(t *testing.T) sojourn.Store {
		inner, err := open(t)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { inner.Close() })
		return newStore(t, inner, ring)
	}, &storetest.Options{Waived: waived, Torture: time.Second})
}

func TestConformanceOverRedis(t *testing.T) {
	url := "redis://" + testenv.StartRedis(t, nil).Addr
	conforms(t, func(t *testing.T) (*redisstore.Store, error) { return redisstore.Open(t.Context(), url, nil) })
}

func TestConformanceOverMemcached(t *testing.T) {
	url := "memcached://" + testenv.StartMemcached(t).Addr
	conforms(t, func(t *testing.T) (*memcachestore.Store, error) { return memcachestore.Open(t.Context(), url, nil) })
}
