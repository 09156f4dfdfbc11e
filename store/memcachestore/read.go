package memcachestore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/sojournhq/sojourn"
)

// entry is a record as it was read, with what a compare-and-swap needs.
type entry struct {
	rec sojourn.Record
	cas uint64
}

// Load returns the record of id. Its Payload belongs to no one else.
func (s *Store) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	key := s.keys.record(id)
	e, err := s.read(ctx, id, key)
	if err == nil {
		s.note(key, e)
		if e.rec.Dead {
			err = sojourn.ErrNotFound
		}
	}
	return e.rec, wrap("load", err)
}

// List is not possible: Memcached has no index. It returns sojourn.ErrUnsupported.
func (s *Store) List(ctx context.Context, _ string) ([]sojourn.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, wrap("list", err)
	}
	return nil, wrap("list", fmt.Errorf("%w: Memcached has no index", sojourn.ErrUnsupported))
}

// read gets a record and its owner's generation: the record first, so that a
// revocation in between is seen.
func (s *Store) read(ctx context.Context, id sojourn.ID, key string) (e entry, err error) {
	wanted, guess := []string{key}, s.keys.guess(key)
	if guess != "" {
		wanted = append(wanted, guess)
	}
	items, err := s.get(ctx, wanted)
	if err != nil {
		return e, err
	}
	item := items[key]
	if item == nil {
		return e, sojourn.ErrNotFound
	}
	rec, err := decodeRecord(id, item.Value)
	if err != nil {
		return e, err
	}
	if rec.Owner != "" {
		owner := s.keys.owner(rec.Owner)
		if owner != guess {
			if items, err = s.get(ctx, []string{owner}); err != nil {
				return e, err
			}
		}
		known, err := s.parse(owner, items[owner])
		if err != nil {
			return e, err
		}
		rec.OwnerGeneration = known.against(&rec)
	}
	return entry{rec, item.CasID}, nil
}

func (s *Store) get(ctx context.Context, wanted []string) (items map[string]*memcache.Item, err error) {
	err = s.pool.do(ctx, func(c *memcache.Client) (err error) {
		items, err = c.GetMulti(wanted)
		return err
	})
	return items, err
}

// note remembers what was read for a write that may follow.
func (s *Store) note(key string, e entry) {
	if !e.rec.Dead && len(e.rec.Payload) <= recentMaxSize {
		s.records.put(key, e)
	}
}

// tooLarge is how servers refuse an item above their -I. They keep the old one.
const tooLarge = "object too large for cache"

// wrap names the operation that met an error.
func wrap(verb string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sojourn.ErrNotFound):
		if verb == "load" {
			return errLoadNotFound
		}
	case strings.Contains(err.Error(), tooLarge):
		err = fmt.Errorf("%w for a server, whose option -I is smaller than Options.MaxItem: %w", sojourn.ErrTooLarge, err)
	}
	return fmt.Errorf("memcachestore: %s: %w", verb, err)
}

var errLoadNotFound = fmt.Errorf("memcachestore: load: %w", sojourn.ErrNotFound)

// milli is t as it will be read back.
func milli(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()) }
