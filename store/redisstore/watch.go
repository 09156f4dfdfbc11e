package redisstore

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/redisurl"
)

// Watch tells of changes that anybody makes, for caches: it listens until ctx
// ends, the store is closed, a connection breaks or another server becomes
// primary, and returns why. Then listen again. It calls changed
//
//	(id, "")     when a record was written, extended or removed
//	("", owner)  when an owner's sessions were ended all at once
//	("", "")     once it listens, and when it may have missed something
//
// one call at a time, never after it has returned. Reports come about a round
// trip after the change, two for an owner; some come twice, and some owners are
// named of whom nothing was ended. They cost every server a message per write and
// listener. A connection without a sign of life is given up after some four
// seconds; until then nothing tells that reports are missing.
//
// It uses the invalidation messages of client-side caching (CLIENT TRACKING in
// broadcast mode) on a connection of its own to each primary.
func (s *Store) Watch(ctx context.Context, changed func(id sojourn.ID, owner string)) error {
	ctx, cancel := s.whileOpen(ctx)
	defer cancel()
	f := &feed{store: s, changed: changed, raised: make(chan raise, raises), known: map[string]uint64{}}
	defer f.end()
	return wrap("watch", s.causeOf(ctx, s.listen(ctx, f)))
}

// watchEvery is how often the primaries are compared with those listened to.
const watchEvery = 500 * time.Millisecond

func (s *Store) listen(ctx context.Context, f *feed) error {
	following := s.serving.Load()
	nodes := s.primaryNodes(following)
	lost := make(chan error, len(nodes))
	for addr, node := range nodes {
		conn, _, err := dedicate(ctx, node)
		if err != nil {
			return fmt.Errorf("%s: %w", addr, err)
		}
		// What it still has to say is no concern of a next user. A server that does
		// not answer is waited for, but not here.
		defer func() { go conn.Close() }()
		broken := conn.SetOnInvalidations(func(keys []rueidis.RedisMessage) { f.hear(conn, keys) })
		if err := s.track(ctx, conn); err != nil {
			return fmt.Errorf("%s: %w", addr, explain(err))
		}
		go func() {
			err := <-broken // nil when it is released
			lost <- fmt.Errorf("%s: the connection broke: %w", addr, err)
		}()
	}
	f.tell("", "")
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-lost:
			return err
		case r := <-f.raised:
			f.resolve(ctx, r)
		case <-ticker.C:
			if now := s.serving.Load(); !same(following, now) || !maps.EqualFunc(nodes, s.primaryNodes(now), func(_, _ rueidis.Client) bool { return true }) {
				return fmt.Errorf("%w: other servers have become primary", sojourn.ErrUnavailable)
			}
		}
	}
}

// track has a connection told of what happens to records and generations.
func (s *Store) track(ctx context.Context, conn rueidis.DedicatedClient) error {
	return conn.Do(ctx, conn.B().Arbitrary("CLIENT", "TRACKING", "ON", "BCAST",
		"PREFIX", s.opt.Prefix+"s{", "PREFIX", s.opt.Prefix+"g{").Build()).Error()
}

// primaryNodes are those that serve, as far as the last survey knows.
func (s *Store) primaryNodes(serving *map[string]string) map[string]rueidis.Client {
	all := s.client.Nodes()
	if s.topology != redisurl.Cluster || serving == nil {
		return all // of other topologies the library names the primary only
	}
	primaries := map[string]rueidis.Client{}
	for addr, node := range all {
		if _, ok := (*serving)[addr]; ok {
			primaries[addr] = node
		}
	}
	return primaries
}

func same(a, b *map[string]string) bool {
	return a == b || a != nil && b != nil && maps.Equal(*a, *b)
}
