package memcachekeeper_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/sojournhq/sojourn/format/formattest"
	"github.com/sojournhq/sojourn/format/memcachekeeper"
	"github.com/sojournhq/sojourn/internal/testenv"
)

func TestKeeper(t *testing.T) {
	c := memcache.New(testenv.StartMemcached(t).Addr)
	defer c.Close()
	const prefix = "memc.sess.key."
	t.Run("without locks", func(t *testing.T) {
		formattest.RunKeeper(t, memcachekeeper.New(c, nil), &formattest.KeeperOptions{NoDeadline: true})
	})
	t.Run("with locks", func(t *testing.T) {
		formattest.RunKeeper(t, memcachekeeper.New(c, &memcachekeeper.Options{LockPrefix: prefix}),
			&formattest.KeeperOptions{NoDeadline: true, Key: func(name string) string { return prefix + name }})
	})
	t.Run("the lock of PHP", func(t *testing.T) {
		k := memcachekeeper.New(c, &memcachekeeper.Options{LockPrefix: prefix})
		if err := c.Set(&memcache.Item{Key: prefix + "lock.s", Value: []byte("1")}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		until := time.Now().Add(time.Hour)
		if err := k.Swap(ctx, prefix+"s", nil, []byte("x"), until); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("under the lock: %v", err)
		}
		time.AfterFunc(50*time.Millisecond, func() { _ = c.Delete(prefix + "lock.s") })
		if err := k.Swap(t.Context(), prefix+"s", nil, []byte("x"), until); err != nil {
			t.Errorf("after the lock: %v", err)
		}
		if _, err := c.Get(prefix + "lock.s"); !errors.Is(err, memcache.ErrCacheMiss) {
			t.Errorf("our lock was left: %v", err)
		}
	})
}
