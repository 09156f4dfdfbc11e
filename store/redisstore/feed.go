package redisstore

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
)

const (
	// raises is how many generations may wait to be looked at. If more do,
	// everything may have changed.
	raises = 1 << 10
	// knownOwners bounds the memory of a feed: some 100 bytes each.
	knownOwners   = 1 << 16
	resolveWithin = 3 * time.Second
)

// A feed turns the keys that a server names into what has happened.
//
//	s{T}… ──────────────────────────────▶ changed(id, "")
//	g{T}  ──▶ queue ──▶ GET, compare ────▶ changed("", owner)
//	null, queue full, GET failed ────────▶ changed("", "")
type feed struct {
	store  *Store
	raised chan raise
	// known is the generations last seen: a key is also named when its expiry
	// moves, with every touch of an owner who was once revoked.
	known map[string]uint64

	mu      sync.Mutex
	changed func(id sojourn.ID, owner string)
	ended   bool
}

// A raise is a generations' key that somebody wrote, and the connection that
// told: to the server that has it.
type raise struct {
	conn rueidis.DedicatedClient
	key  string
}

// hear is called on the goroutine that reads the connection, so it waits for
// nothing. nil stands for all keys, and for the end of the connection.
func (f *feed) hear(conn rueidis.DedicatedClient, keys []rueidis.RedisMessage) {
	if keys == nil {
		f.tell("", "")
	}
	generations := f.store.opt.Prefix + "g{"
	for i := range keys {
		key, err := keys[i].ToString()
		if err != nil {
			f.tell("", "")
			continue
		}
		if strings.HasPrefix(key, generations) {
			select {
			case f.raised <- raise{conn, key}:
			default:
				f.tell("", "")
			}
		} else if id, ok := f.store.idOfKey(key); ok {
			f.tell(id, "")
		}
	}
}

func (f *feed) tell(id sojourn.ID, owner string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.changed(id, owner)
	}
}

// end waits for the last call of changed.
func (f *feed) end() {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
}

// resolve finds out whose generations were raised: of those whose keys wait, each
// once, in one round trip for each server.
func (f *feed) resolve(ctx context.Context, first raise) {
	waiting := map[rueidis.DedicatedClient]map[string]bool{first.conn: {first.key: true}}
	for n := len(f.raised); n > 0; n-- {
		r := <-f.raised
		if waiting[r.conn] == nil {
			waiting[r.conn] = map[string]bool{}
		}
		waiting[r.conn][r.key] = true
	}
	ctx, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	for conn, keys := range waiting {
		var gets rueidis.Commands
		for key := range keys {
			gets = append(gets, conn.B().Get().Key(key).Build())
		}
		for _, answer := range conn.DoMulti(ctx, gets...) {
			value, err := answer.AsBytes()
			if rueidis.IsRedisNil(err) {
				continue // with its last record, whose own key was named
			}
			if err == nil {
				err = f.compare(value)
			}
			if err != nil {
				f.tell("", "")
			}
		}
	}
}

// compare tells of each owner whose generation is not the one last seen.
func (f *feed) compare(value []byte) error {
	for len(value) > 0 {
		name, generation, rest, err := nextGeneration(value)
		if err != nil {
			return err
		}
		owner := string(name)
		if seen, ok := f.known[owner]; !ok || seen != generation {
			if len(f.known) >= knownOwners {
				clear(f.known)
			}
			f.known[owner] = generation
			f.tell("", owner)
		}
		value = rest
	}
	return nil
}
