package memcachestore

import (
	"hash/maphash"
	"sync"
)

// recent remembers what was read last, with the compare-and-swap number that the
// server gave with it, so that a write need not read again. Nothing rests on it:
// if the item has changed since, the server refuses the write.
//
// It holds at most 1024 items of at most 16 KiB, whichever come.
type recent[T any] struct {
	seed   maphash.Seed
	shards [16]struct {
		mu sync.Mutex
		m  map[string]T
		_  [40]byte // a cache line each
	}
}

const (
	recentPerShard = 64
	recentMaxSize  = 16 << 10
)

func newRecent[T any]() *recent[T] { return &recent[T]{seed: maphash.MakeSeed()} }

func (r *recent[T]) put(key string, v T) {
	s := &r.shards[maphash.String(r.seed, key)%uint64(len(r.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = make(map[string]T)
	}
	if _, ok := s.m[key]; !ok && len(s.m) >= recentPerShard {
		for other := range s.m { // any
			delete(s.m, other)
			break
		}
	}
	s.m[key] = v
}

// take also forgets: after the write it is for, the number is another.
func (r *recent[T]) take(key string) (v T, ok bool) {
	s := &r.shards[maphash.String(r.seed, key)%uint64(len(r.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok = s.m[key]; ok {
		delete(s.m, key)
	}
	return v, ok
}
