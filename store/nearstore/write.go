package nearstore

import (
	"context"
	"errors"
	"time"

	"github.com/sojournhq/sojourn"
)

// Writes go to the store; then, before they return, the cache is brought in
// line. A write whose answer was lost may have been done: what is kept of its
// record answers nobody any more.

// begin takes a ticket for a write.
func (s *Store) begin(id sojourn.ID) (*shard, ticket) {
	sh, fence := s.locate(id)
	now := s.clock()
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh, s.ticket(fence, now)
}

// end locks the shard and voids every other ticket of the record. It returns
// what is kept, and whether this ticket was valid until now.
func (s *Store) end(sh *shard, t ticket, id sojourn.ID) (e *entry, valid bool) {
	sh.mu.Lock()
	valid = s.valid(t)
	*t.fence++
	return sh.entries[id], valid
}

// Create stores r below, and keeps it.
func (s *Store) Create(ctx context.Context, r *sojourn.Record) error {
	if !s.caches() {
		return s.inner.Create(ctx, r)
	}
	sh, t := s.begin(r.ID)
	err := s.inner.Create(ctx, r)
	if err != nil && isFact(err) {
		return err
	}
	e, valid := s.end(sh, t, r.ID)
	defer sh.mu.Unlock()
	if sh.drop(e); err == nil && valid {
		sh.put(*r, t)
	}
	return err
}

// Update replaces the record below, and keeps the new version, or the current
// one of a conflict. The kept owner's generation stays as old as it was.
func (s *Store) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	if !s.caches() {
		return s.inner.Update(ctx, r)
	}
	sh, t := s.begin(r.ID)
	version := r.Version
	current, err := s.inner.Update(ctx, r)
	e, valid := s.end(sh, t, r.ID)
	defer sh.mu.Unlock()
	switch {
	case err == nil && valid && e != nil && !e.rec.Dead && e.rec.Version == version:
		next := *r
		next.OwnerGeneration, next.Cached = e.rec.OwnerGeneration, false
		if next.Expires.IsZero() {
			next.Expires = e.rec.Expires
		}
		sh.replace(e, next, e.began, e.flushes)
	case err == nil && r.Dead, errors.Is(err, sojourn.ErrNotFound):
		if sh.drop(e); valid && current.Dead {
			sh.put(current, t)
		}
	case errors.Is(err, sojourn.ErrConflict):
		if outdate(e); valid {
			sh.put(current, t)
		}
	case err == nil:
		outdate(e)
	case isFact(err):
	case r.Dead:
		sh.drop(e)
	default:
		outdate(e)
	}
	return current, err
}

// Touch moves the deadline below, and that of what is kept.
func (s *Store) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	if !s.caches() {
		return s.inner.Touch(ctx, r, expires)
	}
	sh, t := s.begin(r.ID)
	if err := s.inner.Touch(ctx, r, expires); err != nil {
		return err // a deadline that is kept may now be too early, which ends nothing
	}
	e, valid := s.end(sh, t, r.ID)
	defer sh.mu.Unlock()
	switch {
	case !valid:
		outdate(e)
	case e != nil && !e.rec.Dead && expires.After(e.rec.Expires):
		e.rec.Expires = time.UnixMilli(expires.UnixMilli())
	}
	return nil
}

// Revoke ends the session below. Once it has returned, even with an error,
// nothing that was kept of it is served.
func (s *Store) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	err := s.inner.Revoke(ctx, r)
	if s.caches() {
		s.happened(r.ID)
	}
	return err
}

// List asks the store below.
func (s *Store) List(ctx context.Context, owner string) ([]sojourn.ID, error) {
	return s.inner.List(ctx, owner)
}

// RevokeOwner raises the generation below. Once it has returned, even with an
// error, nothing that was kept of the owner is served.
func (s *Store) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	generation, err := s.inner.RevokeOwner(ctx, owner)
	if s.caches() {
		s.ownerHappened(owner)
	}
	return generation, err
}
