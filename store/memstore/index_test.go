package memstore

import (
	"math/rand/v2"
	"testing"
)

// The index agrees with a map over random insertions and removals, also where
// whole hashes collide.
func TestIndexModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var sh shard
	hash := func(n int) uint32 { return uint32(n/3) * 2654435761 } // three IDs each
	model := map[int]bool{}
	for range 30_000 {
		n := rng.IntN(2000)
		i := sh.find(hash(n), testID(n))
		if (i != 0) != model[n] {
			t.Fatalf("find(%d) = %d, want present %v", n, i, model[n])
		}
		switch {
		case i == 0:
			sh.insert(hash(n), testID(n), int64(n))
			model[n] = true
		case sh.node(i).expires != int64(n):
			t.Fatalf("find(%d) found another", n)
		default:
			sh.remove(i)
			delete(model, n)
		}
		if int(sh.live) != len(model) {
			t.Fatalf("%d nodes in use, want %d", sh.live, len(model))
		}
	}
	if sh.used > 2000 {
		t.Errorf("%d nodes for at most 2000 records", sh.used)
	}
}
