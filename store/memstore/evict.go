package memstore

import (
	"hash/maphash"
	"math/rand/v2"

	"github.com/sojournhq/sojourn"
)

// evictSample records are compared to choose the one that leaves a full store.
const evictSample = 16

// A rank says how easily a record is given up. Within a rank, the record that
// expires first goes first.
type rank uint8

const (
	rankEnded  rank = iota // a tombstone, past its deadline, or of an older generation
	rankNobody             // live, without an owner: a flood of visitors displaces visitors, not users
	rankOwned
	rankNone
)

// A victim is the best candidate for eviction found so far.
type victim struct {
	rank    rank
	expires int64
	id      sojourn.ID
}

// evict removes records, but not that of newcomer, until the store is within
// its bound again. It samples the newcomer's shard, and where this holds few
// records, the ones that follow. It holds one lock at a time.
func (s *Store) evict(newcomer sojourn.ID, now int64, trusted bool) {
	first := maphash.String(s.seed, string(newcomer)) >> shardShift
	for s.count.Load() > s.max {
		best := victim{rank: rankNone}
		want := uint32(evictSample)
		for k := uint64(0); k < shardCount && want > 0; k++ {
			want -= s.shards[(first+k)%shardCount].sample(want, &best, newcomer, now, trusted)
		}
		if best.rank == rankNone {
			return // only the newcomer is left, or others have just evicted
		}
		sh, hash := s.locate(best.id)
		sh.mu.Lock()
		i := sh.find(hash, best.id)
		if i != 0 {
			sh.remove(i)
		}
		sh.mu.Unlock()
		if i != 0 {
			s.count.Add(-1)
			s.evicted.Add(1)
		}
	}
}

// sample looks at up to want records, from a random one on, and returns how many
// it saw.
func (sh *shard) sample(want uint32, best *victim, newcomer sojourn.ID, now int64, trusted bool) (seen uint32) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.live == 0 {
		return 0
	}
	// Spread over the shard, since neighbours are often of one age; all of them,
	// if there are few. Unused nodes are skipped, but only so many.
	step := 1 + sh.used/want
	if sh.used <= want {
		step = 1
	}
	i := rand.Uint32N(sh.used)
	for tries := min(sh.used, 8*evictSample); tries > 0 && seen < want; tries-- {
		n := sh.node(i + 1)
		i = (i + step) % sh.used
		if n.slot == slotFree || n.id == newcomer {
			continue
		}
		seen++
		r := n.rank(now, trusted)
		if r < best.rank || r == best.rank && n.expires < best.expires {
			*best = victim{rank: r, expires: n.expires, id: n.id}
		}
	}
	return seen
}

func (n *node) rank(now int64, trusted bool) rank {
	o := n.owner
	switch {
	case n.dead, trusted && n.expires < now, o != nil && n.generation < o.generation.Load():
		return rankEnded
	case o == nil:
		return rankNobody
	}
	return rankOwned
}
