package cookiestore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
)

// Load opens the record that the request has brought, and asks whether it has
// ended since.
func (s *Store) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	l, rec, err := s.brought(ctx, id)
	if err != nil {
		return sojourn.Record{}, wrap("load", err)
	}
	rec, err = s.current(ctx, l, rec)
	return rec, wrap("load", err)
}

// brought returns a copy of the request's record of id.
func (s *Store) brought(ctx context.Context, id sojourn.ID) (*luggage, sojourn.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, sojourn.Record{}, err
	}
	l, err := s.luggage(ctx)
	if err != nil {
		return nil, sojourn.Record{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := l.find(id)
	if err != nil {
		return l, sojourn.Record{}, err
	}
	return l, p.rec, nil
}

// current asks for both marks at once: the tombstone with ErrNotFound, or the
// record with its owner's generation.
func (s *Store) current(ctx context.Context, l *luggage, rec sojourn.Record) (sojourn.Record, error) {
	type answer struct {
		g   generation
		err error
	}
	var owner chan answer
	if rec.Owner != "" {
		owner = make(chan answer, 1)
		go func() {
			g, err := s.generation(ctx, rec.Owner)
			owner <- answer{g, err}
		}()
	}
	tombstone, dead, err := s.ended(ctx, &rec)
	var a answer
	if owner != nil {
		a = <-owner
	}
	switch {
	case err != nil:
		return sojourn.Record{}, err
	case dead:
		return tombstone, sojourn.ErrNotFound
	case a.err != nil:
		return sojourn.Record{}, a.err
	case rec.Owner != "":
		rec.OwnerGeneration = a.g.against(&rec)
		l.mu.Lock()
		if p := l.pieces[rec.ID]; p != nil {
			p.owner = a.g
		}
		l.mu.Unlock()
	}
	return rec, nil
}

// Create seals a new record into the answer.
func (s *Store) Create(ctx context.Context, r *sojourn.Record) error {
	return wrap("create", s.create(ctx, r))
}

func (s *Store) create(ctx context.Context, r *sojourn.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l, err := s.luggage(ctx)
	if err != nil {
		return err
	}
	next := sojourn.Record{ID: r.ID, Owner: r.Owner, Version: 1, Expires: r.Expires, Payload: r.Payload}
	var g generation
	if r.Owner != "" {
		if g, err = s.generation(ctx, r.Owner); err != nil {
			return err
		}
		next.Generation = g.value
		if err = s.keep(ctx, &next, &g); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := l.find(r.ID); err == nil {
		return sojourn.ErrExists
	}
	p := &piece{owner: g}
	if err := l.write(p, &next); err != nil {
		return err
	}
	l.put(r.ID, p)
	r.Version, r.Generation, r.OwnerGeneration = next.Version, next.Generation, next.Generation
	return nil
}

// Update seals the changed record into the answer, unless the session has ended.
func (s *Store) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	current, err := s.update(ctx, r)
	return current, wrap("update", err)
}

func (s *Store) update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	l, rec, err := s.brought(ctx, r.ID)
	if err != nil {
		return sojourn.Record{}, err
	}
	if tombstone, dead, err := s.ended(ctx, &rec); err != nil || dead {
		if dead {
			err = sojourn.ErrNotFound
		}
		return tombstone, err
	}
	err = s.swap(ctx, l, r)
	if errors.Is(err, sojourn.ErrConflict) {
		if _, rec, err = s.brought(ctx, r.ID); err == nil {
			if rec, err = s.current(ctx, l, rec); err == nil {
				err = sojourn.ErrConflict
			}
		}
		return rec, err
	}
	if errors.Is(err, sojourn.ErrNotFound) {
		if tombstone, dead, failed := s.ended(ctx, &rec); failed != nil || dead {
			return tombstone, errors.Join(failed, err)
		}
	}
	return sojourn.Record{}, err
}

// swap replaces the request's record if it is of r's version.
func (s *Store) swap(ctx context.Context, l *luggage, r *sojourn.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := l.find(r.ID)
	switch {
	case err != nil:
		return err
	case p.dead:
		return sojourn.ErrNotFound
	case p.rec.Version != r.Version:
		return sojourn.ErrConflict
	}
	next := p.rec // its owner never changes
	next.Version++
	next.Payload, next.Generation = r.Payload, r.Generation
	if !r.Expires.IsZero() {
		next.Expires = r.Expires
	}
	if r.Dead {
		first, err := s.end(ctx, r.ID, r.Payload, next.Expires)
		if err == nil && !first {
			err = sojourn.ErrNotFound
		}
		if err == nil {
			p.dead, r.Version = true, next.Version
		}
		return err
	}
	if err := s.keep(ctx, &next, &p.owner); err != nil {
		return err
	}
	if err := l.write(p, &next); err != nil {
		return err
	}
	r.Version = next.Version
	return nil
}

// Touch seals the record into the answer with a later deadline.
func (s *Store) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	l, _, err := s.brought(ctx, r.ID)
	switch {
	case errors.Is(err, sojourn.ErrNotFound):
		return nil
	case err != nil:
		return wrap("touch", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := l.find(r.ID)
	if err != nil || p.dead || !p.rec.Expires.Before(expires) {
		return wrap("touch", err)
	}
	next := p.rec
	next.Expires = expires
	if err = s.keep(ctx, &next, &p.owner); err == nil {
		err = l.write(p, &next)
	}
	return wrap("touch", err)
}

// Revoke ends any session by its ID, also without a request. Since nobody but its
// browser knows whether a session exists, it leaves a mark for one that does not,
// too: let nobody choose IDs freely.
func (s *Store) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	if err := ctx.Err(); err != nil {
		return wrap("revoke", err)
	}
	if _, err := s.end(ctx, r.ID, r.Tombstone().Payload, r.Until); err != nil {
		return wrap("revoke", err)
	}
	if l, ok := ctx.Value(luggageKey{s}).(*luggage); ok {
		l.mu.Lock()
		if p, err := l.find(r.ID); err == nil {
			p.dead = true
		}
		l.mu.Unlock()
	}
	return nil
}

// List is not possible: every record is in its browser. It returns
// sojourn.ErrUnsupported.
func (s *Store) List(ctx context.Context, _ string) ([]sojourn.ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, wrap("list", err)
	}
	return nil, wrap("list", fmt.Errorf("%w: every session is in its browser", sojourn.ErrUnsupported))
}
