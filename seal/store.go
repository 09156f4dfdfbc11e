package seal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
)

// A Store seals what another one keeps. It is made by [New] and safe for parallel
// use. What the inner store offers besides the contract is found through it by
// [sojourn.As] where that is safe: Sweep, Scan, Watch, Ping, Close and Carried.
// Anything else could go around the seal, and is not.
type Store struct {
	inner sojourn.Store
	ring  *Ring
	next  sojourn.Store // of the chain that Unwrap begins
	failures

	live, dead, reason *Sealer
}

var _ sojourn.Store = (*Store)(nil)

// New seals inner with the keys of ring. inner stays the caller's; nothing else
// may write to its records. It does no I/O.
func New(inner sojourn.Store, ring *Ring) (*Store, error) {
	switch {
	case inner == nil:
		return nil, fmt.Errorf("%w: seal: New: the inner store is nil", sojourn.ErrInvalid)
	case ring == nil || ring.keys.Load() == nil:
		return nil, fmt.Errorf("seal: New: %w", errNoRing)
	}
	s := &Store{inner: inner, ring: ring}
	s.live = ring.Sealer("live record")
	s.dead = ring.Sealer("dead record")
	s.reason = ring.Sealer("reason of a revocation")
	s.next = chain(s)
	return s, nil
}

// Load implements [sojourn.Store]. A record that does not open is returned without
// its payload, with [sojourn.ErrCorrupt].
func (s *Store) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	r, err := s.inner.Load(ctx, id)
	return s.found("load", r, err)
}

// found opens what the inner store has returned together with err.
func (s *Store) found(verb string, r sojourn.Record, err error) (sojourn.Record, error) {
	missing := errors.Is(err, sojourn.ErrNotFound)
	if err != nil && !(missing && r.Dead) && !errors.Is(err, sojourn.ErrConflict) {
		return r, err
	}
	var bad error
	if r.Payload, bad = s.open(&r); bad == nil {
		return r, err
	}
	if missing { // whatever the tombstone says, the session has ended
		return r, fmt.Errorf("seal: %s %s: %w: %w", verb, r.ID, sojourn.ErrNotFound, bad)
	}
	return r, fmt.Errorf("seal: %s %s: %w", verb, r.ID, bad)
}

// open returns the payload of a record as the core wrote it.
func (s *Store) open(r *sojourn.Record) (plain []byte, err error) {
	switch {
	case !r.Dead:
		plain, err = s.live.Open(string(r.ID), r.Payload, r.Owner)
	case len(r.Payload) > 0 && r.Payload[0] == formatByte:
		plain, err = s.dead.Open(string(r.ID), r.Payload, r.Owner)
	default:
		plain, err = s.openTombstone(r)
	}
	s.count(err)
	return plain, err
}

// sealed is a copy of r as the inner store may see it.
func (s *Store) sealed(r *sojourn.Record) (sojourn.Record, error) {
	out, sealer := *r, s.live
	if r.Dead {
		sealer = s.dead
	}
	var err error
	out.Payload, err = sealer.Seal(string(r.ID), r.Payload, r.Owner)
	return out, err
}

// Create implements [sojourn.Store].
func (s *Store) Create(ctx context.Context, r *sojourn.Record) error {
	in, err := s.sealed(r)
	if err != nil {
		return fmt.Errorf("seal: create: %w", err)
	}
	if err := s.inner.Create(ctx, &in); err != nil {
		return err
	}
	r.Version, r.Generation, r.OwnerGeneration = in.Version, in.Generation, in.OwnerGeneration
	return nil
}

// Update implements [sojourn.Store]. It seals with the active key, whichever the
// record was sealed with before. r.Owner must be the stored one, as it is in every
// record that was loaded: under another the record would not open any more.
func (s *Store) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	in, err := s.sealed(r)
	if err != nil {
		return sojourn.Record{}, fmt.Errorf("seal: update: %w", err)
	}
	current, err := s.inner.Update(ctx, &in)
	if err != nil {
		return s.found("update", current, err)
	}
	r.Version = in.Version
	return sojourn.Record{}, nil
}

// Touch implements [sojourn.Store]. The inner store sees no payload at all.
func (s *Store) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	in := *r
	in.Payload = nil
	return s.inner.Touch(ctx, &in, expires)
}

// Revoke implements [sojourn.Store].
func (s *Store) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	sealed, err := s.sealReason(r)
	if err != nil {
		return fmt.Errorf("seal: revoke: %w", err)
	}
	return s.inner.Revoke(ctx, sealed)
}

// List implements [sojourn.Store].
func (s *Store) List(ctx context.Context, owner string) ([]sojourn.ID, error) {
	return s.inner.List(ctx, owner)
}

// RevokeOwner implements [sojourn.Store].
func (s *Store) RevokeOwner(ctx context.Context, owner string) (generation uint64, err error) {
	return s.inner.RevokeOwner(ctx, owner)
}
