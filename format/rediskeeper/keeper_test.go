package rediskeeper_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/sojournhq/sojourn/format/formattest"
	"github.com/sojournhq/sojourn/format/rediskeeper"
	"github.com/sojournhq/sojourn/internal/testenv"
)

func client(t *testing.T, addr string) rueidis.Client {
	t.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestKeeper(t *testing.T) {
	c := client(t, testenv.StartRedis(t, nil).Addr)
	t.Run("without locks", func(t *testing.T) { formattest.RunKeeper(t, rediskeeper.New(c, nil), nil) })
	t.Run("hashes", func(t *testing.T) {
		formattest.RunKeeper(t, rediskeeper.New(c, &rediskeeper.Options{Hash: true}), &formattest.KeeperOptions{Key: func(name string) string { return "hash:" + name }})
	})
	t.Run("with locks", func(t *testing.T) {
		formattest.RunKeeper(t, rediskeeper.New(c, &rediskeeper.Options{LockSuffix: "_LOCK"}), &formattest.KeeperOptions{Key: func(name string) string { return "locked:" + name }})
	})
}

// The other system's lock is waited for, and let go afterwards.
func TestLock(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	k := rediskeeper.New(client(t, r.Addr), &rediskeeper.Options{LockSuffix: "_LOCK"})
	r.Do("SET", "s_LOCK", "php")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	until := time.Now().Add(time.Hour)
	if err := k.Swap(ctx, "s", nil, []byte("x"), until); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("under the lock: %v", err)
	}
	if got := r.Do("EXISTS", "s"); got != int64(0) {
		t.Errorf("written under the other's lock: %v", got)
	}
	r.Do("PEXPIRE", "s_LOCK", "100")
	if err := k.Swap(t.Context(), "s", nil, []byte("x"), until); err != nil {
		t.Errorf("after the lock: %v", err)
	}
	if got := r.Do("EXISTS", "s_LOCK"); got != int64(0) {
		t.Errorf("our lock was left: %v", got)
	}
}

func TestBesideOtherTypes(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	k := rediskeeper.New(client(t, r.Addr), nil)
	r.Do("LPUSH", "l", "x")
	if _, _, err := k.Read(t.Context(), "l"); err == nil {
		t.Error("a list was read")
	}
}

// A hash as ASP.NET Core's cache writes it keeps its sliding time; a new one gets its own.
func TestHash(t *testing.T) {
	r := testenv.StartRedis(t, nil)
	k := rediskeeper.New(client(t, r.Addr), &rediskeeper.Options{Hash: true})
	r.Do("HSET", "theirs", "absexp", "-1", "sldexp", "6000000000", "data", "x")
	r.Do("EXPIRE", "theirs", "600")
	record, expires, err := k.Read(t.Context(), "theirs")
	if err != nil || string(record) != "x" || time.Until(expires) < 599*time.Second {
		t.Errorf("%q %v %v", record, expires, err)
	}
	if err := k.Swap(t.Context(), "theirs", []byte("x"), []byte("y"), time.Time{}); err != nil {
		t.Error(err)
	}
	if got := r.Do("HGET", "theirs", "sldexp"); got != "6000000000" {
		t.Errorf("sldexp is %v", got)
	}
	if err := k.Swap(t.Context(), "ours", nil, []byte("z"), time.Now().Add(20*time.Minute)); err != nil {
		t.Error(err)
	}
	for field, want := range map[string]string{"absexp": "-1", "sldexp": "12000000000", "data": "z"} {
		if got := r.Do("HGET", "ours", field); got != want {
			t.Errorf("%s is %v, expected %s", field, got, want)
		}
	}
}
