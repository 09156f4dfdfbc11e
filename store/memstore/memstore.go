// Package memstore keeps sessions in the memory of one process: for tests, for
// caches, and for programs that run once and may forget.
//
//	m, err := sojourn.New(memstore.New(nil), nil)
//	if err != nil {
//		log.Fatal(err)
//	}
//	http.ListenAndServe("127.0.0.1:8080", m.Handler(mux))
//
// All sessions end with the process: a restart logs everybody out, and a second
// process knows nothing of them. Use a durable store where that matters.
//
// The store is bounded by [Options.MaxSessions]. When it is full, a new session
// displaces an old one, preferably one that has ended, then one that belongs to
// nobody. It starts no goroutine: expired records leave by [Store.Sweep], which
// the core calls, and a few with every Create.
package memstore

import (
	"context"
	"fmt"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn"
)

// DefaultMaxSessions is the bound of a store without Options.MaxSessions. With
// payloads of 300 bytes, that many sessions take half a gigabyte.
const DefaultMaxSessions = 1 << 20

// Options bound a Store. The zero value is ready for use.
type Options struct {
	// MaxSessions bounds the records, live and dead together; parallel calls of
	// Create may exceed it for a moment by one each. It does not bound bytes:
	// those follow from sojourn.Options.MaxRecord. Default: DefaultMaxSessions.
	MaxSessions int
	// Clock tells which records are long past their deadline, so that Create
	// may remove them. Set it where the core has a clock of its own. Default:
	// time.Now, not asked any more once a record is created that is past its
	// deadline already, since the core then has another clock.
	Clock func() time.Time
}

const (
	shardCount = 256 // selected by the top 8 bits of a hash
	shardShift = 64 - 8
)

// A Store keeps records in memory. It is made by New and safe for parallel use.
// Every method returns an error if its context has ended already; only Sweep
// takes long enough to look again.
type Store struct {
	seed   maphash.Seed
	shards *[shardCount]shard
	owners *[shardCount]ownerShard
	max    int64
	clock  func() time.Time
	given  bool // the clock is Options.Clock

	sweeping chan struct{} // holds an element while Sweep runs
	// held is told by Sweep that it has taken a lock, and before it gives it
	// back, with the visits made under it. For tests; nil otherwise.
	held func(taken bool, visits int)

	_       [64]byte // what follows is written, what precedes is read by every call
	count   atomic.Int64
	evicted atomic.Uint64
	foreign atomic.Bool // the core's clock is not ours
	turn    uint32      // shard where the next Sweep begins; held by sweeping
}

var (
	_ sojourn.Store   = (*Store)(nil)
	_ sojourn.Sweeper = (*Store)(nil)
	_ sojourn.Pinger  = (*Store)(nil)
)

// Wrapped once, so that meeting them costs no allocation.
var (
	errLoadNotFound   = fmt.Errorf("memstore: load: %w", sojourn.ErrNotFound)
	errCreateExists   = fmt.Errorf("memstore: create: %w", sojourn.ErrExists)
	errUpdateNotFound = fmt.Errorf("memstore: update: %w", sojourn.ErrNotFound)
	errUpdateConflict = fmt.Errorf("memstore: update: %w", sojourn.ErrConflict)
)

// New returns an empty store; nil stands for the defaults. It allocates 330 KB.
func New(opt *Options) *Store {
	var o Options
	if opt != nil {
		o = *opt
	}
	s := &Store{
		seed:     maphash.MakeSeed(),
		shards:   new([shardCount]shard),
		owners:   new([shardCount]ownerShard),
		max:      int64(o.MaxSessions),
		clock:    o.Clock,
		given:    o.Clock != nil,
		sweeping: make(chan struct{}, 1),
	}
	if s.max <= 0 {
		s.max = DefaultMaxSessions
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	return s
}

// locate returns the hash of an ID and the shard it belongs to.
func (s *Store) locate(id sojourn.ID) (*shard, uint32) {
	h := maphash.String(s.seed, string(id))
	return &s.shards[h>>shardShift], uint32(h)
}

// Load returns the record of id. Its Payload is the stored slice itself.
func (s *Store) Load(ctx context.Context, id sojourn.ID) (rec sojourn.Record, err error) {
	if err := ctx.Err(); err != nil {
		return rec, fmt.Errorf("memstore: load: %w", err)
	}
	sh, hash := s.locate(id)
	sh.mu.Lock()
	n := sh.node(sh.find(hash, id))
	if n == nil {
		sh.mu.Unlock()
		return rec, errLoadNotFound
	}
	n.fill(&rec)
	sh.mu.Unlock()
	if rec.Dead {
		return rec, errLoadNotFound
	}
	return rec, nil
}

// Create stores r under a copy of its ID. It keeps the slice Payload, unless
// much of its capacity is unused.
func (s *Store) Create(ctx context.Context, r *sojourn.Record) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: create: %w", err)
	}
	expires := r.Expires.UnixMilli()
	payload := fit(r.Payload)
	now, trusted := s.now(expires)
	sh, hash := s.locate(r.ID)

	sh.mu.Lock()
	if sh.find(hash, r.ID) != 0 {
		sh.mu.Unlock()
		return errCreateExists
	}
	n := sh.insert(hash, r.ID, expires)
	n.payload, n.dead = payload, r.Dead
	n.version = sh.nextVersion()
	n.generation = s.join(n, r.Owner)
	r.Version, r.Generation, r.OwnerGeneration = n.version, n.generation, n.generation
	added := int64(1)
	if trusted {
		added -= sh.tidy(now)
	}
	sh.mu.Unlock()

	if s.count.Add(added) > s.max {
		s.evict(r.ID, now, trusted)
	}
	return nil
}

// Update replaces the record if it is live and of r's version.
func (s *Store) Update(ctx context.Context, r *sojourn.Record) (current sojourn.Record, err error) {
	if err := ctx.Err(); err != nil {
		return current, fmt.Errorf("memstore: update: %w", err)
	}
	payload := fit(r.Payload)
	sh, hash := s.locate(r.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	i := sh.find(hash, r.ID)
	n := sh.node(i)
	switch {
	case n == nil:
		return current, errUpdateNotFound
	case n.dead:
		n.fill(&current)
		return current, errUpdateNotFound
	case n.version != r.Version:
		n.fill(&current)
		return current, errUpdateConflict
	}
	n.payload, n.generation = payload, r.Generation
	n.version = sh.nextVersion()
	if !r.Expires.IsZero() {
		sh.reschedule(i, r.Expires.UnixMilli())
	}
	if r.Dead {
		n.die()
	}
	r.Version = n.version
	return current, nil
}

// Touch moves the deadline of a live record forward.
func (s *Store) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: touch: %w", err)
	}
	sh, hash := s.locate(r.ID)
	sh.mu.Lock()
	if n := sh.node(sh.find(hash, r.ID)); n != nil && !n.dead {
		n.expires = max(n.expires, expires.UnixMilli()) // the wheel finds out when it comes by
	}
	sh.mu.Unlock()
	return nil
}

// Revoke puts the tombstone of r in the place of a live record.
func (s *Store) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: revoke: %w", err)
	}
	t := r.Tombstone()
	sh, hash := s.locate(r.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	i := sh.find(hash, r.ID)
	n := sh.node(i)
	if n == nil || n.dead {
		return nil
	}
	n.payload = fit(t.Payload)
	n.version = sh.nextVersion()
	sh.reschedule(i, t.Expires.UnixMilli())
	n.die()
	return nil
}

// Ping succeeds while ctx lasts.
func (s *Store) Ping(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: ping: %w", err)
	}
	return nil
}

// Stats are the figures of a store.
type Stats struct {
	Records int    // held now, live and dead
	Evicted uint64 // removed since New because the store was full
}

// Stats returns the figures of this moment. A growing Evicted means that
// Options.MaxSessions is too small.
func (s *Store) Stats() Stats {
	return Stats{Records: int(s.count.Load()), Evicted: s.evicted.Load()}
}
