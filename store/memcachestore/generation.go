package memcachestore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/sojournhq/sojourn"
)

// generations are those of one tag's owners, as they were read. Two owners share
// a tag once in 2^48, so there is nearly always one; each is found by its full
// name.
type generations struct {
	all []generation // never changed in place
	cas uint64       // zero: there is no item
}

// find returns where the owner's generation is, -1 for nowhere.
func (g *generations) find(owner string) int {
	for i := range g.all {
		if g.all[i].owner == owner {
			return i
		}
	}
	return -1
}

// against is the owner's generation as a record sees it. A record whose owner
// has none outlived it: the item was evicted, and with it perhaps the news that
// the record was revoked. One that is ahead of its owner has met a generation
// begun anew by a slower clock. Both count as revoked.
func (g *generations) against(r *sojourn.Record) uint64 {
	if i := g.find(r.Owner); i >= 0 && r.Generation <= g.all[i].value {
		return g.all[i].value
	}
	return r.Generation + 1
}

// RevokeOwner raises the owner's generation.
func (s *Store) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	if owner == "" {
		return 0, wrap("revoke owner", fmt.Errorf("%w: the empty owner has no generation", sojourn.ErrInvalid))
	}
	key := s.keys.owner(owner)
	g, seen := s.owners.take(key)
	value, err := s.settle(ctx, key, owner, g, seen, 1)
	return value, wrap("revoke owner", err)
}

// generation returns the owner's, beginning one if there is none. It always asks
// the server: a new session must not be born under an old generation.
func (s *Store) generation(ctx context.Context, owner string) (uint64, error) {
	return s.settle(ctx, s.keys.owner(owner), owner, generations{}, false, 0)
}

// settle adds to the owner's generation, or begins one, and returns it.
func (s *Store) settle(ctx context.Context, key, owner string, g generations, seen bool, add uint64) (uint64, error) {
	for range replaceAttempts {
		if !seen {
			items, err := s.get(ctx, []string{key})
			if err == nil {
				g, err = s.decode(items[key])
			}
			if err != nil {
				return 0, err
			}
		}
		seen = false
		i := g.find(owner)
		if i >= 0 && add == 0 {
			return g.all[i].value, nil
		}
		all := append(make([]generation, 0, len(g.all)+1), g.all...)
		if i < 0 {
			i = len(all)
			all = append(all, generation{owner, s.begin()})
		} else {
			all[i].value += add
		}
		item := &memcache.Item{Key: key, Value: encodeGenerations(all), CasID: g.cas}
		err := s.pool.do(ctx, func(c *memcache.Client) error {
			if g.cas == 0 {
				return c.Add(item)
			}
			return c.CompareAndSwap(item)
		})
		switch {
		case err == nil:
			return all[i].value, nil
		case errors.Is(err, memcache.ErrNotStored), errors.Is(err, memcache.ErrCASConflict), errors.Is(err, memcache.ErrCacheMiss):
			continue
		}
		return 0, err
	}
	return 0, fmt.Errorf("the generation changed %d times under a write", replaceAttempts)
}

// begin is a generation unlike any before it: milliseconds since 1970 and 20
// random bits. It stays below 2^63 until the year 2248.
func (s *Store) begin() uint64 {
	return uint64(s.opt.Clock().UnixMilli())<<20 | rand.Uint64N(1<<20)
}

// parse decodes generations and remembers them for a RevokeOwner that may follow.
func (s *Store) parse(key string, item *memcache.Item) (generations, error) {
	g, err := s.decode(item)
	if err == nil && g.cas != 0 && len(item.Value) <= recentMaxSize {
		s.owners.put(key, g)
	}
	return g, err
}

func (s *Store) decode(item *memcache.Item) (g generations, err error) {
	if item == nil {
		return g, nil
	}
	g.cas = item.CasID
	g.all, err = decodeGenerations(item.Value)
	return g, err
}
