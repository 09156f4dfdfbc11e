package redisstore

import (
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/storetest"
)

func TestConformance(t *testing.T) {
	durable := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{"appendonly yes", "appendfsync always"}})
	url := "redis://" + durable.Addr
	storetest.RunWith(t, func(t *testing.T) sojourn.Store { return open(t, url, nil) }, &storetest.Options{
		Reopen: func(t *testing.T, s sojourn.Store) sojourn.Store {
			durable.Kill()
			durable.Start()
			return open(t, url, nil)
		},
	})
}

func TestConformanceOfCluster(t *testing.T) {
	url := "redis+cluster://" + servers(t).Addrs()
	storetest.Run(t, func(t *testing.T) sojourn.Store { return open(t, url, nil) })
}
