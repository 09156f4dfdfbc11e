// Package rediskeeper keeps another system's session records where it keeps them in
// Redis: strings under its own keys, with its own expiry.
//
//	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{"127.0.0.1:6379"}})
//	...
//	keeper := rediskeeper.New(client, nil)
//
// Every method is one round trip, and one that writes is one script of one key, so
// Cluster and Sentinel work, Redis from 5 on. Where the other system locks its sessions (phpredis
// with redis.session.locking_enabled), say so in Options.
package rediskeeper

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
)

// Options shape a Keeper. The zero value is ready for use.
type Options struct {
	// Hash is for ASP.NET Core, whose cache keeps the record as the field "data" of
	// a hash. Default false: a string.
	Hash bool
	// LockSuffix names the other system's lock: the record's key with this behind
	// it, held while it exists. phpredis: "_LOCK". Default "": it has none.
	LockSuffix string
	// LockFor is how long a lock is held at most, if this process dies. Default 5 s.
	LockFor time.Duration
	// LockRetry is the time between two attempts to take the lock. Default 5 ms.
	LockRetry time.Duration
}

// A Keeper is safe for parallel use. The client stays the caller's to close.
type Keeper struct {
	client rueidis.Client
	opt    Options
}

var (
	_ format.Keeper = (*Keeper)(nil)
	_ format.Pinger = (*Keeper)(nil)
)

// New does no I/O.
func New(client rueidis.Client, opt *Options) *Keeper {
	k := &Keeper{client: client}
	if opt != nil {
		k.opt = *opt
	}
	if k.opt.LockFor <= 0 {
		k.opt.LockFor = 5 * time.Second
	}
	if k.opt.LockRetry <= 0 {
		k.opt.LockRetry = 5 * time.Millisecond
	}
	return k
}

var (
	// ARGV: '1' and the old value, or '0' for none; '1' and the new value, or '0'
	// to remove; the ms that are left, or '' to keep the deadline. Returns 1, 0 for a
	// conflict, -1 for nothing there.
	scriptSwap = rueidis.NewLuaScript(`
local v = redis.call('GET', KEYS[1])
if not v and ARGV[1] == '1' then return -1 end
if v and (ARGV[1] == '0' or v ~= ARGV[2]) then return 0 end
if ARGV[3] == '0' then
  redis.call('DEL', KEYS[1])
  return 1
end
local left = ARGV[5]
if left == '' then left = redis.call('PTTL', KEYS[1]) end
if tonumber(left) > 0 then redis.call('SET', KEYS[1], ARGV[4], 'PX', left)
else redis.call('SET', KEYS[1], ARGV[4]) end
return 1`)

	scriptUnlock = rueidis.NewLuaScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`)
)

// Read returns the value and its expiry.
func (k *Keeper) Read(ctx context.Context, key string) ([]byte, time.Time, error) {
	answers := k.client.DoMulti(ctx, k.get(key), k.client.B().Pttl().Key(key).Build())
	text, err := answers[0].ToString()
	ttl, err2 := answers[1].AsInt64()
	switch err = errors.Join(err, err2); {
	case rueidis.IsRedisNil(answers[0].Error()), err == nil && ttl == -2: // expired in between
		return nil, time.Time{}, wrap("read", sojourn.ErrNotFound)
	case err != nil:
		return nil, time.Time{}, wrap("read", err)
	}
	var expires time.Time
	if ttl >= 0 {
		expires = time.Now().Add(time.Duration(ttl) * time.Millisecond)
	}
	return []byte(text), expires, nil
}

// Swap compares and sets in one script.
func (k *Keeper) Swap(ctx context.Context, key string, old, record []byte, expires time.Time) error {
	has := func(p []byte) string {
		if p == nil {
			return "0"
		}
		return "1"
	}
	until := ""
	if !expires.IsZero() {
		until = strconv.FormatInt(max(1, time.Until(expires).Milliseconds()), 10)
	}
	return wrap("swap", k.locked(ctx, key, func(ctx context.Context) error {
		n, err := k.scriptSwap().Exec(ctx, k.client, []string{key}, []string{has(old), string(old), has(record), string(record), until}).AsInt64()
		switch {
		case err != nil:
			return err
		case n < 0:
			return sojourn.ErrNotFound
		case n == 0:
			return sojourn.ErrConflict
		}
		return nil
	}))
}

// Touch sets the expiry. It takes no lock, as other systems take none for it.
func (k *Keeper) Touch(ctx context.Context, key string, expires time.Time) error {
	return wrap("touch", k.client.Do(ctx, k.client.B().Pexpireat().Key(key).MillisecondsTimestamp(expires.UnixMilli()).Build()).Error())
}

// Delete removes the key.
func (k *Keeper) Delete(ctx context.Context, key string) error {
	return wrap("delete", k.locked(ctx, key, func(ctx context.Context) error {
		return k.client.Do(ctx, k.client.B().Del().Key(key).Build()).Error()
	}))
}

// Ping asks the server.
func (k *Keeper) Ping(ctx context.Context) error {
	return wrap("ping", k.client.Do(ctx, k.client.B().Ping().Build()).Error())
}

// locked runs f under the other system's lock, which it waits for as long as ctx
// allows.
func (k *Keeper) locked(ctx context.Context, key string, f func(context.Context) error) error {
	if k.opt.LockSuffix == "" {
		return f(ctx)
	}
	lock, owner := key+k.opt.LockSuffix, token()
	for {
		err := k.client.Do(ctx, k.client.B().Set().Key(lock).Value(owner).Nx().PxMilliseconds(k.opt.LockFor.Milliseconds()).Build()).Error()
		if err == nil {
			break
		}
		if !rueidis.IsRedisNil(err) {
			return fmt.Errorf("lock: %w", err)
		}
		wait := time.NewTimer(k.opt.LockRetry)
		select {
		case <-ctx.Done():
			wait.Stop()
			return fmt.Errorf("lock: the other system holds it: %w", ctx.Err())
		case <-wait.C:
		}
	}
	defer func() {
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		scriptUnlock.Exec(free, k.client, []string{lock}, []string{owner}) // else it ends by itself
	}()
	return f(ctx)
}

func token() string {
	var b [16]byte
	rand.Read(b[:])
	return "sojourn|" + hex.EncodeToString(b[:])
}

func wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("rediskeeper: %s: %w", verb, err)
}
