package memstore

import (
	"strings"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

// A node holds one record. Nodes live in chunks and refer to each other by
// number, which is half the size of a pointer and nothing to the garbage
// collector. Number 0 is no node.
type node struct {
	hash       uint32 // low half of the ID's hash
	chain      uint32 // next in the bucket, or in the free list
	id         sojourn.ID
	payload    []byte
	version    uint64
	expires    int64  // milliseconds since 1970
	owner      *owner // nil: nobody
	generation uint64
	next, prev uint32 // neighbours in the wheel
	place      uint32 // in owner.live; guarded by the owner's shard
	slot       uint16 // of the wheel, or slotFree
	dead       bool
}

// chunkLen nodes of 96 bytes fill an allocation class of the Go runtime (3072
// bytes) exactly.
const chunkLen = 32

// A shard keeps the records whose hash begins with its number. One that grew
// keeps its nodes (100 bytes each) for the next records when they leave; IDs and
// payloads are given back.
type shard struct {
	mu      sync.Mutex // guards everything below and the nodes
	chunks  []*[chunkLen]node
	used    uint32 // nodes ever used; numbers 1 to used
	free    uint32 // first of the free list
	live    uint32 // nodes in use
	index   index
	wheel   wheel
	swept   bool   // a Sweep is between two of its batches here
	version uint64 // last one given; never given twice, even if an ID comes back
	_       [64]byte
}

// node returns the node of a number, nil for 0.
func (sh *shard) node(i uint32) *node {
	if i == 0 {
		return nil
	}
	return &sh.chunks[i/chunkLen][i%chunkLen]
}

func (sh *shard) nextVersion() uint64 {
	sh.version++
	return sh.version
}

// insert adds a node for an ID that has none.
func (sh *shard) insert(hash uint32, id sojourn.ID, expires int64) *node {
	i := sh.free
	if i != 0 {
		sh.free = sh.node(i).chain
	} else {
		sh.used++
		i = sh.used
		if int(i/chunkLen) == len(sh.chunks) {
			sh.chunks = append(sh.chunks, new([chunkLen]node))
		}
	}
	sh.live++
	n := sh.node(i)
	// A copy: the caller's may be part of a token, which must not stay in memory.
	n.id = sojourn.ID(strings.Clone(string(id)))
	n.hash, n.expires = hash, expires
	sh.link(i)
	sh.schedule(i)
	return n
}

// remove takes a node out of everything it is in.
func (sh *shard) remove(i uint32) {
	sh.unschedule(i)
	sh.unlink(i)
	n := sh.node(i)
	n.leave()
	*n = node{slot: slotFree, chain: sh.free}
	sh.free = i
	sh.live--
}

// fill writes the record of n to r.
func (n *node) fill(r *sojourn.Record) {
	r.ID, r.Version, r.Dead = n.id, n.version, n.dead
	r.Expires = time.UnixMilli(n.expires).UTC()
	r.Generation, r.Payload = n.generation, n.payload
	if o := n.owner; o != nil {
		r.Owner, r.OwnerGeneration = o.name, o.generation.Load()
	}
}

// fit returns p without capacity, copied if it would waste memory.
func fit(p []byte) []byte {
	if cap(p)-len(p) > len(p)/4+32 {
		q := make([]byte, len(p))
		copy(q, p)
		return q
	}
	return p[:len(p):len(p)]
}
