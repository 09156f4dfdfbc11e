package redisplane_test

import (
	"os"
	"testing"

	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/live/planetest"
	"github.com/sojournhq/sojourn/live/redisplane"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

var (
	server  = testenv.Shared(func(t testenv.TB) *testenv.Redis { return testenv.StartRedis(t, nil) })
	cluster = testenv.Shared(func(t testenv.TB) *testenv.RedisCluster { return testenv.StartRedisCluster(t, nil) })
)

func open(t testing.TB, url string, opt redisplane.Options) *redisplane.Plane {
	t.Helper()
	p, err := redisplane.Open(t.Context(), url, &opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestPlane(t *testing.T) {
	addr := server(t).Addr
	planetest.Run(t, func(t *testing.T, keep live.Retention) []live.Backplane {
		opt := redisplane.Options{Retention: keep, Prefix: "test " + t.Name() + ":"}
		return []live.Backplane{open(t, "redis://"+addr, opt), open(t, "redis://"+addr, opt), open(t, "redis://"+addr, opt)}
	})
}

func TestPlaneOnACluster(t *testing.T) {
	addrs := cluster(t).Addrs()
	planetest.Run(t, func(t *testing.T, keep live.Retention) []live.Backplane {
		opt := redisplane.Options{Retention: keep, Prefix: "test " + t.Name() + ":"}
		return []live.Backplane{open(t, "redis+cluster://"+addrs, opt), open(t, "redis+cluster://"+addrs, opt)}
	})
}
