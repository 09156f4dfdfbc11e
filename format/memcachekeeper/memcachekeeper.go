// Package memcachekeeper keeps another system's session records where it keeps them
// in Memcached: PHP's session.save_handler = memcached.
//
//	client := memcache.New("127.0.0.1:11211")
//	keeper := memcachekeeper.New(client, &memcachekeeper.Options{LockPrefix: "memc.sess.key."})
//
// Memcached does not tell when an item expires, so every write begins its life anew.
// One server only: PHP's client spreads keys over several in a way of its own.
package memcachekeeper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
)

// Options shape a Keeper. The zero value is ready for use.
type Options struct {
	// Life of an item whose deadline nobody gives: PHP's session.gc_maxlifetime.
	// Default 1440 s.
	Life time.Duration
	// LockPrefix is what keys begin with, where the other system locks them: the lock
	// is LockPrefix + "lock." + the rest of the key, as in PHP. Default "": no locks.
	LockPrefix string
	// LockFor is how long a lock is held at most, if this process dies. Default 5 s,
	// at least 1 s.
	LockFor time.Duration
	// LockRetry is the time between two attempts to take the lock. Default 5 ms.
	LockRetry time.Duration
}

// A Keeper is safe for parallel use. The client stays the caller's; its Timeout
// bounds each call.
type Keeper struct {
	client *memcache.Client
	opt    Options
}

var (
	_ format.Keeper = (*Keeper)(nil)
	_ format.Pinger = (*Keeper)(nil)
)

// New does no I/O.
func New(client *memcache.Client, opt *Options) *Keeper {
	k := &Keeper{client: client}
	if opt != nil {
		k.opt = *opt
	}
	if k.opt.Life <= 0 {
		k.opt.Life = 1440 * time.Second
	}
	if k.opt.LockFor < time.Second {
		k.opt.LockFor = 5 * time.Second
	}
	if k.opt.LockRetry <= 0 {
		k.opt.LockRetry = 5 * time.Millisecond
	}
	return k
}

// Read returns the item's value; its deadline is not known.
func (k *Keeper) Read(ctx context.Context, key string) ([]byte, time.Time, error) {
	if err := ctx.Err(); err != nil {
		return nil, time.Time{}, wrap("read", err)
	}
	item, err := k.client.Get(key)
	if err != nil {
		return nil, time.Time{}, wrap("read", translate(err))
	}
	return item.Value, time.Time{}, nil
}

// Swap uses Memcached's compare-and-set.
func (k *Keeper) Swap(ctx context.Context, key string, old, record []byte, expires time.Time) error {
	return wrap("swap", k.locked(ctx, key, func() error {
		if old == nil {
			err := k.client.Add(&memcache.Item{Key: key, Value: record, Expiration: k.expiration(expires)})
			if errors.Is(err, memcache.ErrNotStored) {
				err = sojourn.ErrConflict
			}
			return translate(err)
		}
		item, err := k.client.Get(key)
		if err != nil {
			return translate(err)
		}
		if !bytes.Equal(item.Value, old) {
			return sojourn.ErrConflict
		}
		if record == nil { // there is no "delete if": an item that is gone at once
			item.Value, item.Expiration = nil, -1
		} else {
			item.Value, item.Expiration = record, k.expiration(expires)
		}
		return translate(k.client.CompareAndSwap(item))
	}))
}

// Touch begins the item's life anew.
func (k *Keeper) Touch(ctx context.Context, key string, expires time.Time) error {
	if err := ctx.Err(); err != nil {
		return wrap("touch", err)
	}
	err := translate(k.client.Touch(key, k.expiration(expires)))
	if errors.Is(err, sojourn.ErrNotFound) {
		err = nil
	}
	return wrap("touch", err)
}

// Delete removes the item.
func (k *Keeper) Delete(ctx context.Context, key string) error {
	return wrap("delete", k.locked(ctx, key, func() error {
		err := translate(k.client.Delete(key))
		if errors.Is(err, sojourn.ErrNotFound) {
			err = nil
		}
		return err
	}))
}

// Ping asks the server.
func (k *Keeper) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return wrap("ping", err)
	}
	return wrap("ping", k.client.Ping())
}

// expiration is relative up to 30 days, then a date, as the protocol has it.
func (k *Keeper) expiration(expires time.Time) int32 {
	left := k.opt.Life
	if !expires.IsZero() {
		left = time.Until(expires)
	}
	seconds := int64((left + time.Second - 1) / time.Second)
	switch {
	case seconds <= 0:
		return -1
	case seconds > 30*24*60*60:
		return int32(time.Now().Unix() + seconds)
	}
	return int32(seconds)
}

// locked runs f under the other system's lock, which it waits for as long as ctx
// allows.
func (k *Keeper) locked(ctx context.Context, key string, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if k.opt.LockPrefix == "" || !strings.HasPrefix(key, k.opt.LockPrefix) {
		return f()
	}
	lock := k.opt.LockPrefix + "lock." + strings.TrimPrefix(key, k.opt.LockPrefix)
	held := time.Now()
	for {
		err := k.client.Add(&memcache.Item{Key: lock, Value: []byte("1"), Expiration: int32(k.opt.LockFor / time.Second)})
		if err == nil {
			break
		}
		if !errors.Is(err, memcache.ErrNotStored) {
			return fmt.Errorf("lock: %w", err)
		}
		wait := time.NewTimer(k.opt.LockRetry)
		select {
		case <-ctx.Done():
			wait.Stop()
			return fmt.Errorf("lock: the other system holds it: %w", ctx.Err())
		case <-wait.C:
			held = time.Now()
		}
	}
	defer func() {
		if time.Since(held) < k.opt.LockFor-time.Second { // else it may be another's by now
			_ = k.client.Delete(lock)
		}
	}()
	return f()
}

func translate(err error) error {
	switch {
	case errors.Is(err, memcache.ErrCacheMiss):
		return sojourn.ErrNotFound
	case errors.Is(err, memcache.ErrCASConflict):
		return sojourn.ErrConflict
	case errors.Is(err, memcache.ErrNotStored):
		return sojourn.ErrNotFound
	case errors.Is(err, memcache.ErrMalformedKey):
		return fmt.Errorf("%w: a key that Memcached does not take", sojourn.ErrInvalid)
	}
	return err
}

func wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("memcachekeeper: %s: %w", verb, err)
}
