package memcachestore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/sojournhq/sojourn"
)

// Create adds the record. Its version begins with a random number, so that a
// writer who remembers an evicted record of the same ID does not take the new
// one for it.
func (s *Store) Create(ctx context.Context, r *sojourn.Record) error {
	next := *r
	next.Generation = 0
	next.Version = rand.Uint64()>>2 + 1
	next.Expires = milli(r.Expires)
	item, err := s.item(s.keys.record(r.ID), &next)
	if err != nil {
		return wrap("create", err)
	}
	if r.Owner != "" {
		if next.Generation, err = s.generation(ctx, r.Owner); err != nil {
			return wrap("create", err)
		}
	}
	restamp(item.Value, next.Generation)
	err = s.pool.do(ctx, func(c *memcache.Client) error { return c.Add(item) })
	if errors.Is(err, memcache.ErrNotStored) {
		return wrap("create", sojourn.ErrExists)
	}
	if err != nil {
		return wrap("create", err)
	}
	r.Version, r.Generation, r.OwnerGeneration = next.Version, next.Generation, next.Generation
	return nil
}

// Update replaces the record if it is live and of r's version.
func (s *Store) Update(ctx context.Context, r *sojourn.Record) (current sojourn.Record, err error) {
	key := s.keys.record(r.ID)
	met, err := s.replace(ctx, r.ID, func(now *sojourn.Record, sure bool) (next sojourn.Record, v verdict, err error) {
		switch {
		case !sure && (now.Dead || now.Version != r.Version):
			return next, unsure, nil
		case now.Dead:
			return next, done, sojourn.ErrNotFound
		case now.Version != r.Version:
			return next, done, sojourn.ErrConflict
		}
		next = *now // its owner never changes
		next.Version++
		next.Payload, next.Dead, next.Generation = r.Payload, r.Dead, r.Generation
		if !r.Expires.IsZero() {
			next.Expires = milli(r.Expires)
		}
		return next, write, nil
	})
	switch {
	case err == nil:
		r.Version = met.rec.Version
		return current, nil
	case errors.Is(err, sojourn.ErrConflict):
		s.note(key, met) // the next attempt is based on it
		fallthrough
	case errors.Is(err, sojourn.ErrNotFound):
		current = met.rec
	}
	return current, wrap("update", err)
}

// Touch moves the deadline of a live record forward.
func (s *Store) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	expires = milli(expires)
	_, err := s.replace(ctx, r.ID, func(now *sojourn.Record, sure bool) (next sojourn.Record, v verdict, err error) {
		switch {
		case !now.Dead && now.Expires.Before(expires):
			next = *now
			next.Expires = expires
			return next, write, nil
		case !sure:
			return next, unsure, nil
		}
		return next, done, nil
	})
	return wrap("touch", found(err))
}

// Revoke puts the tombstone of r in the place of a live record.
func (s *Store) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	_, err := s.replace(ctx, r.ID, func(now *sojourn.Record, sure bool) (next sojourn.Record, v verdict, err error) {
		switch {
		case !now.Dead:
			next = r.Tombstone()
			next.Expires = milli(next.Expires)
			next.Version, next.Owner, next.Generation = now.Version+1, now.Owner, now.Generation
			return next, write, nil
		case !sure:
			return next, unsure, nil
		}
		return next, done, nil
	})
	return wrap("revoke", found(err))
}

// found takes "no such record" for nothing to do.
func found(err error) error {
	if errors.Is(err, sojourn.ErrNotFound) {
		return nil
	}
	return err
}

// verdict is what to do about a record as it stands.
type verdict int

const (
	done   verdict = iota // nothing is to be written
	write                 // write next, if the record is still this one
	unsure                // read it first
)

// replaceAttempts bounds how often a record may change between being read and
// being written. Each such change is somebody else's success.
const replaceAttempts = 1000

// replace reads a record and swaps it for what decide makes of it, again if it
// changed meanwhile. It begins with what this process read last, of which decide
// is told that it is not sure. It returns what it stored or, with the error of
// decide, what it met.
func (s *Store) replace(ctx context.Context, id sojourn.ID, decide func(now *sojourn.Record, sure bool) (sojourn.Record, verdict, error)) (entry, error) {
	key := s.keys.record(id)
	e, seen := s.records.take(key)
	for range replaceAttempts {
		sure := !seen
		if sure {
			var err error
			if e, err = s.read(ctx, id, key); err != nil {
				return e, err
			}
		}
		seen = false
		next, v, err := decide(&e.rec, sure)
		switch v {
		case unsure:
			continue
		case done:
			return e, err
		}
		item, err := s.item(key, &next)
		if err != nil {
			return e, err
		}
		item.CasID = e.cas
		err = s.pool.do(ctx, func(c *memcache.Client) error { return c.CompareAndSwap(item) })
		switch {
		case err == nil:
			return entry{rec: next}, nil
		case errors.Is(err, memcache.ErrCASConflict), errors.Is(err, memcache.ErrCacheMiss):
			continue
		}
		return e, err
	}
	return e, fmt.Errorf("the record changed %d times under a write", replaceAttempts)
}

// item is the record as it is sent, if it is small enough.
func (s *Store) item(key string, r *sojourn.Record) (*memcache.Item, error) {
	item := &memcache.Item{Key: key, Value: encodeRecord(r), Expiration: lifetime(r.Expires, s.opt.Clock())}
	if n := len(item.Value); n > s.opt.MaxItem {
		return nil, fmt.Errorf("%w: a record of %d bytes, expected at most %d, Options.MaxItem", sojourn.ErrTooLarge, n, s.opt.MaxItem)
	}
	return item, nil
}
