package redisstore

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
)

// List implements [sojourn.Store]: one round trip.
func (s *Store) List(ctx context.Context, owner string) ([]sojourn.ID, error) {
	if owner == "" || len(owner) > maxOwner {
		return nil, nil
	}
	home := homeOf(owner)
	members, err := s.do(ctx, call{name: "ZRANGEBYSCORE", keys: []string{s.indexKey(home, owner)},
		args: []string{ms(time.Now().Add(-s.opt.Linger)), "+inf"}, again: true}).AsStrSlice()
	if err != nil {
		return nil, wrap("list", err)
	}
	ids := make([]sojourn.ID, 0, len(members))
	for _, m := range members {
		if id, ok := idOf(m, home); ok {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// RevokeOwner implements [sojourn.Store]: one round trip. The empty owner and
// one of more than 255 bytes are refused with ErrInvalid: they own no records.
func (s *Store) RevokeOwner(ctx context.Context, owner string) (generation uint64, err error) {
	if owner == "" || len(owner) > maxOwner {
		return 0, wrap("revoke owner", invalid("owner of %d bytes: expected 1 to %d", len(owner), maxOwner))
	}
	generation, err = s.raise(ctx, owner, 0)
	if err != nil {
		return 0, wrap("revoke owner", err)
	}
	s.journal.raise(owner, generation)
	return generation, nil
}

// raise raises the owner's generation, to least if it is given and the stored
// one is not there yet.
func (s *Store) raise(ctx context.Context, owner string, least uint64) (uint64, error) {
	home, wanted := homeOf(owner), ""
	if least > 0 {
		wanted = strconv.FormatUint(least, 10)
	}
	return s.do(ctx, runEnding(scriptRevokeOwner, []string{s.generationKey(home), s.indexKey(home, owner)},
		owner, wanted, s.linger())).AsUint64()
}

// home tells the owner's slot of a record in another one, and returns the
// owner's generation.
func (s *Store) home(ctx context.Context, p *place, owner string, expires time.Time, enter bool) (uint64, error) {
	mode := ""
	if enter {
		mode = "1"
	}
	message, err := s.do(ctx, run(scriptHome, []string{p.generation, p.index},
		ms(expires), s.last(expires), p.member, s.linger(), mode)).ToMessage()
	if rueidis.IsRedisNil(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	value, err := message.AsBytes()
	if err != nil {
		return 0, err
	}
	return generationIn(value, owner)
}
