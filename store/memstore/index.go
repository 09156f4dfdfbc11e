package memstore

import "github.com/sojournhq/sojourn"

// An index finds nodes by the hash of their ID. It is a linear hash table
// (Litwin 1980): it grows by one bucket at a time, so that no insertion ever
// rehashes all nodes under the lock, and costs 8 bytes per node with the chain.
// It never shrinks.
type index struct {
	buckets []uint32 // first node of each chain
	mask    uint32   // the smallest 2^k-1 that covers the buckets
}

func (x *index) bucket(hash uint32) uint32 {
	b := hash & x.mask
	if b >= uint32(len(x.buckets)) {
		b &= x.mask >> 1 // not split yet
	}
	return b
}

// find returns the number of the node with that ID, or 0.
func (sh *shard) find(hash uint32, id sojourn.ID) uint32 {
	if len(sh.index.buckets) == 0 {
		return 0
	}
	i := sh.index.buckets[sh.index.bucket(hash)]
	for i != 0 {
		n := sh.node(i)
		if n.hash == hash && n.id == id {
			break
		}
		i = n.chain
	}
	return i
}

// link enters a node into the index, with hash and ID set. There is a bucket
// for every node in use.
func (sh *shard) link(i uint32) {
	if sh.live > uint32(len(sh.index.buckets)) {
		sh.split()
	}
	n := sh.node(i)
	head := &sh.index.buckets[sh.index.bucket(n.hash)]
	n.chain, *head = *head, i
}

// unlink takes a node out of the index.
func (sh *shard) unlink(i uint32) {
	n := sh.node(i)
	at := &sh.index.buckets[sh.index.bucket(n.hash)]
	for *at != i {
		at = &sh.node(*at).chain
	}
	*at = n.chain
}

// split adds one bucket and moves to it what belongs there from the one bucket
// that has stood in for it.
func (sh *shard) split() {
	x := &sh.index
	last := uint32(len(x.buckets))
	x.buckets = append(x.buckets, 0)
	if last == 0 {
		return
	}
	if last > x.mask {
		x.mask = x.mask<<1 | 1
	}
	at := &x.buckets[last&(x.mask>>1)]
	for i := *at; i != 0; i = *at {
		n := sh.node(i)
		if n.hash&x.mask == last {
			*at = n.chain
			n.chain, x.buckets[last] = x.buckets[last], i
		} else {
			at = &n.chain
		}
	}
}
