package redisstore

import (
	"context"

	"github.com/sojournhq/sojourn"
)

// Revoke implements [sojourn.Store]: one round trip, two for an away record. One
// whose answer was lost is repeated in the background until the server has
// answered, or Options.Replay has passed.
func (s *Store) Revoke(ctx context.Context, rr sojourn.RevokedRecord) error {
	if storable(rr.ID, rr.Owner) != nil {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return wrap("revoke", err)
	}
	tombstone := rr.Tombstone()
	tombstone.Version = newVersion()
	was, err := s.revoke(ctx, tombstone)
	switch {
	case err != nil:
		s.journal.end(tombstone, false)
		return wrap("revoke", err)
	case was == live:
		s.journal.end(tombstone, true)
	}
	return nil
}

// What a session was before it was revoked.
const (
	absent = -1
	dead   = 0
	live   = 1
)

func (s *Store) revoke(ctx context.Context, tombstone sojourn.Record) (was int64, err error) {
	p := s.place(tombstone.ID, tombstone.Owner)
	was, err = s.do(ctx, runEnding(scriptRevoke, p.keys(),
		encode(&tombstone, tombstone.Version, p.away), ms(tombstone.Expires), p.member)).AsInt64()
	if err == nil && was == live {
		s.unindex(ctx, &p)
	}
	return was, err
}

// unindex takes an away record out of its owner's index, which the scripts could
// not reach. A failure is harmless: the index may hold what is dead.
func (s *Store) unindex(ctx context.Context, p *place) {
	if p.away {
		s.do(ctx, call{name: "ZREM", keys: []string{p.index}, args: []string{p.member}, again: true})
	}
}
