package sojourn

import (
	"crypto/rand"
	"encoding/binary"
	"hash/maphash"
	"sync"
)

// A combiner keeps at most one commit per session under way in this process.
// Those that arrive meanwhile leave together in the next one, based on the
// record just written: six parallel writers cost two round trips and no
// conflict instead of a dozen.
//
// The first commit of a session leads; it hands the lead, with the new record,
// to the first that waits. Waiting is bounded by the deadlines of the store
// calls ahead.
type combiner struct {
	shards [64]combinerShard
}

// batchMax commits leave together at most. If their answer is lost, the nonces
// of all must still be in the record, also after a batch of another process.
const batchMax = nonceMax / 2

type combinerShard struct {
	mu    sync.Mutex
	leads map[ID]*commit
	_     [40]byte // a cache line each
}

var combinerSeed = maphash.MakeSeed()

func (cb *combiner) shard(id ID) *combinerShard {
	return &cb.shards[maphash.String(combinerSeed, string(id))%uint64(len(cb.shards))]
}

func (cb *combiner) run(c *commit) {
	if c.s.m.carried {
		c.self[0] = c
		c.s.m.flush(c.self[:], c.s.base)
		return
	}
	id := c.s.base.ID
	shard := cb.shard(id)
	shard.mu.Lock()
	if lead := shard.leads[id]; lead != nil {
		c.ready = make(chan struct{})
		lead.behind = append(lead.behind, c)
		shard.mu.Unlock()
		<-c.ready
		if !c.lead {
			return
		}
	} else {
		if shard.leads == nil {
			shard.leads = make(map[ID]*commit)
		}
		shard.leads[id] = c
		shard.mu.Unlock()
		c.self[0] = c
		c.batch, c.base = c.self[:], &c.s.base
	}

	current := *c.base
	defer func() { shard.release(id, c, current) }() // also if a store panics
	current = c.s.m.flush(c.batch, current)
}

// release ends c's lead: those that left with it are told, the first that
// waits takes over.
func (shard *combinerShard) release(id ID, c *commit, current Record) {
	shard.mu.Lock()
	var next *commit
	if n := min(len(c.behind), batchMax); n > 0 {
		next = c.behind[0]
		next.batch, next.behind = c.behind[:n:n], c.behind[n:]
		next.base, next.lead = new(Record), true
		*next.base = current
		shard.leads[id] = next
	} else {
		delete(shard.leads, id)
	}
	shard.mu.Unlock()
	fail(c.batch, current, ErrUnavailable) // those not settled: the store panicked
	for _, done := range c.batch {
		if done != c {
			close(done.ready)
		}
	}
	if next != nil {
		close(next.ready)
	}
}

// newNonce marks a commit so that its retry finds it. Never zero.
func newNonce() uint32 {
	var b [4]byte
	for {
		rand.Read(b[:])
		if n := binary.BigEndian.Uint32(b[:]); n != 0 {
			return n
		}
	}
}
