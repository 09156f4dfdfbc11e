package redisstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/rueidis"
	"github.com/sojournhq/sojourn"
)

// fetch asks for a record and the generations of its tag: one round trip.
func (s *Store) fetch(ctx context.Context, id sojourn.ID) (pair []rueidis.RedisMessage, err error) {
	tag := tagOf(id)
	return s.do(ctx, call{name: "MGET", keys: []string{s.sessionKey(id, tag), s.generationKey(tag)}, again: true}).ToArray()
}

// read decodes the values of a record and of its generation. A dead record comes
// with ErrNotFound, and so does one that this process has ended, if the server
// has forgotten that.
func (s *Store) read(ctx context.Context, id sojourn.ID, pair []rueidis.RedisMessage) (sojourn.Record, error) {
	r, away, err := s.decode(id, pair)
	switch {
	case err != nil:
		return r, err
	case r.Dead:
		return r, sojourn.ErrNotFound
	}
	r.OwnerGeneration, err = s.ownerGeneration(ctx, &r, away, &pair[1])
	return r, err
}

// readAny is read for whoever looks at the dead, too: it fills their
// OwnerGeneration.
func (s *Store) readAny(ctx context.Context, id sojourn.ID) (r sojourn.Record, found bool, err error) {
	pair, err := s.fetch(ctx, id)
	if err != nil {
		return r, false, err
	}
	r, away, err := s.decode(id, pair)
	if errors.Is(err, sojourn.ErrNotFound) {
		return r, false, nil
	}
	if err == nil {
		r.OwnerGeneration, err = s.ownerGeneration(ctx, &r, away, &pair[1])
	}
	if err != nil {
		return r, false, fmt.Errorf("record %q: %w", id, err)
	}
	return r, true, nil
}

// decode is what the server has, or what this process knows better. ErrNotFound
// if there is nothing.
func (s *Store) decode(id sojourn.ID, pair []rueidis.RedisMessage) (r sojourn.Record, away bool, err error) {
	if len(pair) != 2 {
		return r, false, fmt.Errorf("%w: %d values instead of two", sojourn.ErrCorrupt, len(pair))
	}
	if pair[0].IsNil() {
		return r, false, sojourn.ErrNotFound
	}
	value, err := pair[0].AsBytes()
	if err != nil {
		return r, false, err
	}
	r, away, err = decode(id, value)
	if err == nil && !r.Dead {
		if tombstone, ended := s.journal.tombstone(id); ended {
			return tombstone, away, nil
		}
	}
	return r, away, err
}

// ownerGeneration finds it in the generations of the record's tag or, for an
// away record, where the owner's are.
func (s *Store) ownerGeneration(ctx context.Context, r *sojourn.Record, away bool, generations *rueidis.RedisMessage) (n uint64, err error) {
	if r.Owner == "" {
		return 0, nil
	}
	if away {
		answer := s.do(ctx, call{name: "GET", keys: []string{s.generationKey(homeOf(r.Owner))}, again: true})
		message, err := answer.ToMessage()
		if err != nil && !rueidis.IsRedisNil(err) {
			return 0, err
		}
		generations = &message
	}
	if !generations.IsNil() {
		value, err := generations.AsBytes()
		if err != nil {
			return 0, err
		}
		if n, err = generationIn(value, r.Owner); err != nil {
			return 0, err
		}
	}
	return max(n, s.journal.generation(r.Owner)), nil
}
