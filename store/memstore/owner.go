package memstore

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sojournhq/sojourn"
)

// An owner is a user with at least one record here, live or dead.
type owner struct {
	name       string
	generation atomic.Uint64 // written under the shard's lock
	shard      *ownerShard
	live       []*node // what List lists
	records    uint32
}

// An ownerShard keeps the owners whose hash begins with its number. Its lock is
// taken while a shard's is held, never the other way round.
//
// An owner is forgotten with the last record. The generation is not needed then,
// since there is nothing left for it to kill, but it must never go back: floor is
// the highest forgotten one, and every owner that is not known is of that
// generation. So memory is bounded by the owners that have records.
type ownerShard struct {
	mu     sync.Mutex
	floor  uint64
	owners map[string]*owner
	_      [64]byte
}

func (s *Store) ownerShard(name string) *ownerShard {
	return &s.owners[maphash.String(s.seed, name)>>shardShift]
}

// join gives a new node to its owner and returns the owner's generation. Both
// happen under the lock under which RevokeOwner raises it: a RevokeOwner before
// is seen here, one after is seen by every later Load of the node.
func (s *Store) join(n *node, name string) (generation uint64) {
	if name == "" {
		return 0
	}
	sh := s.ownerShard(name)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	o := sh.owners[name]
	if o == nil {
		o = &owner{name: strings.Clone(name), shard: sh}
		o.generation.Store(sh.floor)
		if sh.owners == nil {
			sh.owners = make(map[string]*owner)
		}
		sh.owners[o.name] = o
	}
	o.records++
	n.owner = o
	if !n.dead {
		n.place = uint32(len(o.live))
		o.live = append(o.live, n)
	}
	return o.generation.Load()
}

// die makes a live node a tombstone: it still belongs to its owner, but is not
// listed.
func (n *node) die() {
	n.dead = true
	if o := n.owner; o != nil {
		o.shard.mu.Lock()
		o.unlist(n)
		o.shard.mu.Unlock()
	}
}

// leave takes a node from its owner, who is forgotten with the last one.
func (n *node) leave() {
	o := n.owner
	if o == nil {
		return
	}
	sh := o.shard
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if !n.dead {
		o.unlist(n)
	}
	o.records--
	if o.records == 0 {
		sh.floor = max(sh.floor, o.generation.Load())
		delete(sh.owners, o.name)
	}
}

func (o *owner) unlist(n *node) {
	end := len(o.live) - 1
	moved := o.live[end]
	o.live[n.place], moved.place = moved, n.place
	o.live[end] = nil
	o.live = o.live[:end]
	if c := cap(o.live); c >= 16 && end < c/4 {
		o.live = append(make([]*node, 0, c/2), o.live...)
	}
}

// List returns the IDs of the owner's live records, some of which may be past
// their deadline or of an older generation. It holds the lock of the owner's
// shard for about 10 ns per ID.
func (s *Store) List(ctx context.Context, owner string) ([]sojourn.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memstore: list: %w", err)
	}
	if owner == "" {
		return nil, nil
	}
	sh := s.ownerShard(owner)
	var ids []sojourn.ID
	for {
		sh.mu.Lock()
		o := sh.owners[owner]
		if o == nil {
			sh.mu.Unlock()
			return nil, nil
		}
		if n := len(o.live); n <= cap(ids) {
			ids = ids[:n]
			for i, n := range o.live {
				ids[i] = n.id // set before the node joined, cleared after it left
			}
			sh.mu.Unlock()
			return ids, nil
		}
		n := len(o.live)
		sh.mu.Unlock()
		ids = slices.Grow(ids[:0], n+n/8)
	}
}

// RevokeOwner raises the owner's generation. Nobody has none: for "" it does
// nothing and returns 0.
func (s *Store) RevokeOwner(ctx context.Context, owner string) (generation uint64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("memstore: revoke owner: %w", err)
	}
	if owner == "" {
		return 0, nil
	}
	sh := s.ownerShard(owner)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if o := sh.owners[owner]; o != nil {
		return o.generation.Add(1), nil
	}
	sh.floor++
	return sh.floor, nil
}
