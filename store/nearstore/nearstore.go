// Package nearstore keeps records near: a wrapper around a store behind a
// network that answers some loads from memory, and some while that store fails.
//
//	near := nearstore.New(redis, &nearstore.Options{
//		Guarantee:  nearstore.Bounded(time.Second), // a revocation elsewhere is seen within a second
//		ServeStale: 30 * time.Second,               // pages stay readable through a short outage
//	})
//	go near.Run(ctx) // hear of changes at once, where the store can tell them
//	m, err := sojourn.New(near, nil)
//
// The zero Options change nothing: every load asks the store. What each
// guarantee means, and when a cache pays at all (few servers, or clients that
// stay with theirs), is in docs/near-cache.md.
//
// Caveats. Put it around the store that talks to the network and around
// package breakerstore, not below them. What others sweep may be seen until the
// bound has passed. A cached record keeps nobody out: the core asks each no
// again at the source, and never accepts a cached record for a request that may
// change something.
package nearstore

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/fresh"
)

// Options set what a Store may answer by itself. The zero value: nothing.
type Options struct {
	// Guarantee is how old an answer may be while all is well. Default Strict.
	Guarantee Guarantee
	// ServeStale is how old a record may be that is served because the store
	// failed, to those who only read. Writes still fail, and what was revoked
	// here, or is known to have been revoked, is not served. Default 0: not at
	// all. 30 seconds outlast a failover.
	ServeStale time.Duration
	// MaxBytes bounds the memory of the cache, roughly. The record used longest
	// ago leaves first. Default 32 MiB, about 30,000 sessions of 600 bytes.
	MaxBytes int
	// Logger hears of a lost change feed. Default: silence.
	Logger *slog.Logger
	// Clock tells the age of what is cached. Set it where the core has a clock
	// of its own. Default: time.Now.
	Clock func() time.Time
}

// DefaultMaxBytes is the bound of a store without Options.MaxBytes.
const DefaultMaxBytes = 32 << 20

// A Store answers from memory what its Guarantee allows. It is made by New and
// safe for parallel use.
type Store struct {
	inner  sojourn.Store
	within time.Duration // of the guarantee
	stale  time.Duration // while inner fails
	clock  func() time.Time
	log    *slog.Logger
	seed   maphash.Seed
	shards []shard

	// What happens to more than one record voids all that is under way.
	revokes atomic.Uint64 // owners
	flushes atomic.Uint64 // everything
}

var _ sojourn.Store = (*Store)(nil)

// New wraps inner; nil stands for the defaults. It starts nothing: see Run.
func New(inner sojourn.Store, opt *Options) *Store {
	var o Options
	if opt != nil {
		o = *opt
	}
	s := &Store{inner: inner, within: o.Guarantee.within, stale: max(o.ServeStale, 0), clock: o.Clock, log: o.Logger, seed: maphash.MakeSeed()}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.caches() {
		n := min(max(o.MaxBytes>>17, 1), 64) // so that each holds the largest record of most
		s.shards = make([]shard, n)
		for i := range s.shards {
			s.shards[i].init(o.MaxBytes / n)
		}
	}
	s.flushes.Store(1)
	return s
}

// caches reports whether there is any use for a copy.
func (s *Store) caches() bool { return s.within > 0 || s.stale > 0 }

// Unwrap is the store below, so that sojourn.As finds what it offers besides.
func (s *Store) Unwrap() sojourn.Store { return s.inner }

// Fresh returns a context under which loads ask the store whatever the
// Guarantee says, for a route that must not let in a session revoked a moment
// ago. Mark the request's context before its session is first used. The core
// does so itself for unsafe methods and for what is asked by ID.
func Fresh(ctx context.Context) context.Context { return fresh.Mark(ctx) }

// Stats are the figures of a store.
type Stats struct {
	Hits    uint64 // loads answered from memory
	Shared  uint64 // loads that took part in another's
	Loads   uint64 // loads that asked the store below
	Stale   uint64 // loads answered from memory because the store failed
	Evicted uint64 // records that left because MaxBytes was reached
	Entries int    // records held now
	Bytes   int    // their size, roughly
}

// Stats returns the figures since New. It takes every lock for a moment.
func (s *Store) Stats() (sum Stats) {
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		sum.Hits += sh.stats.Hits
		sum.Shared += sh.stats.Shared
		sum.Loads += sh.stats.Loads
		sum.Stale += sh.stats.Stale
		sum.Evicted += sh.stats.Evicted
		sum.Entries += len(sh.entries)
		sum.Bytes += sh.bytes
		sh.mu.Unlock()
	}
	return sum
}
