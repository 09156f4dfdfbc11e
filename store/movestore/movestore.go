// Package movestore moves sessions from one store to another while they are in
// use: it reads both, carries each session over when it is first met, and keeps
// what ended in either of them ended.
//
//	store := movestore.New(from, to, nil)
//	sessions, err := sojourn.New(store, nil)
//
// The order of a move: put movestore into every process; when none is left that
// knows only the old store, run "sojourn migrate", or [Store.Carry] for all that
// the old store still holds; then give every process the new store alone. Each
// step may take as long as it likes, and each may be begun again: how far a
// session has come is written in the stores themselves, so processes that end
// half-way leave nothing undone for good. A move can also be turned round, with
// the stores in the other order.
//
// Any number of processes may use the same two stores through this package.
// Beside them,
//   - processes that know only the old store lose nothing and bring nothing
//     back, but they cannot read a session that has been carried: they answer
//     such requests 500 (sojourn.ErrCorrupt) and leave the cookie alone. What they
//     write to a session before it is carried comes along, and a session they
//     revoke is ended. Their RevokeOwner does not reach what has been carried.
//     So replace them quickly, or all at once.
//   - processes that know only the new store take sessions that have not been
//     carried for unknown, and log their users out. Start them only when the old
//     store holds nothing more to carry.
//
// Caveats:
//   - While it lasts, a Load asks both stores (at the same time), Create, Touch
//     and the revocations also write to both, and both have to be up.
//   - Versions and generations are those of the new store. A session found in the
//     old one is therefore carried by Load already, not by its first change; the
//     load that does it takes about seven round trips.
//   - The old store keeps a marker for each session that was carried, which
//     expires as the session would have.
//   - A session that the new store refuses, for its size, cannot be loaded.
package movestore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
)

// Options are the settings of a [Store]. The zero value is right.
type Options struct {
	// Clock tells when a session ended that a RevokeOwner had reached before it
	// was carried. Default time.Now. Set it where the core has one of its own.
	Clock func() time.Time
	// TombstoneFor is how long such a session's tombstone stays. Default 10 min,
	// like that of sojourn.Options.
	TombstoneFor time.Duration
}

// A Store keeps sessions in a new store and fetches them from an old one. It is
// made by [New] and safe for parallel use.
type Store struct {
	from, to sojourn.Store
	opt      Options
}

var (
	_ sojourn.Store  = (*Store)(nil)
	_ sojourn.Pinger = (*Store)(nil)
)

// New joins the old store with the new one; nil stands for the default options.
// It does no I/O. Closing the two stores stays with those who opened them.
func New(from, to sojourn.Store, opt *Options) *Store {
	s := &Store{from: from, to: to}
	if opt != nil {
		s.opt = *opt
	}
	if s.opt.Clock == nil {
		s.opt.Clock = time.Now
	}
	if s.opt.TombstoneFor <= 0 {
		s.opt.TombstoneFor = 10 * time.Minute
	}
	return s
}

// Load implements [sojourn.Store]. A session found in the old store only is
// carried over first.
func (s *Store) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	r, _, err := s.settle(ctx, id)
	return r, wrap("load", err)
}

// Create implements [sojourn.Store]: in the new store, if neither has the ID.
func (s *Store) Create(ctx context.Context, r *sojourn.Record) error {
	f, err := look(ctx, s.from, r.ID)
	if err != nil {
		return wrap("create", err)
	}
	if f.kind != absent {
		return wrap("create", sojourn.ErrExists)
	}
	return wrap("create", s.to.Create(ctx, r))
}

// Update implements [sojourn.Store]. A version is the new store's, so whoever
// has one has loaded, and the session has been carried.
func (s *Store) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	current, err := s.to.Update(ctx, r)
	switch {
	case err == nil:
		return current, nil
	case errors.Is(err, sojourn.ErrConflict) && kindOf(&current) == live,
		errors.Is(err, sojourn.ErrNotFound) && current.Dead,
		!errors.Is(err, sojourn.ErrConflict) && !errors.Is(err, sojourn.ErrNotFound):
		return current, wrap("update", err)
	}
	if current, _, err = s.settle(ctx, r.ID); err == nil {
		err = sojourn.ErrConflict
	}
	return current, wrap("update", err)
}

// Touch implements [sojourn.Store], in both stores: the marker of a carried
// session lives as long as the session.
func (s *Store) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	return wrap("touch", errors.Join(s.to.Touch(ctx, r, expires), s.from.Touch(ctx, r, expires)))
}

// Revoke implements [sojourn.Store], in both stores. The old one comes first:
// whoever is carrying the session looks there between its copy in the new store
// and that copy's becoming valid, so either it sees the end, or the new store's
// revocation meets the copy.
func (s *Store) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	if err := s.from.Revoke(ctx, r); err != nil {
		return wrap("revoke", err)
	}
	return wrap("revoke", s.to.Revoke(ctx, r))
}

// List implements [sojourn.Store]: what either store lists. It is supported if
// both support it.
func (s *Store) List(ctx context.Context, owner string) ([]sojourn.ID, error) {
	ids, err := s.to.List(ctx, owner)
	if err != nil {
		return nil, wrap("list", err)
	}
	older, err := s.from.List(ctx, owner)
	if err != nil {
		return nil, wrap("list", err)
	}
	known := make(map[sojourn.ID]bool, len(ids))
	for _, id := range ids {
		known[id] = true
	}
	for _, id := range older {
		if !known[id] {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// RevokeOwner implements [sojourn.Store], in both stores, the old one first for
// the reason given at Revoke. The generation is the new store's.
func (s *Store) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	if _, err := s.from.RevokeOwner(ctx, owner); err != nil {
		return 0, wrap("revoke owner", err)
	}
	generation, err := s.to.RevokeOwner(ctx, owner)
	return generation, wrap("revoke owner", err)
}

// Ping implements [sojourn.Pinger]: it asks those of the two that can be asked.
func (s *Store) Ping(ctx context.Context) error {
	for _, one := range []sojourn.Store{s.to, s.from} {
		if p, ok := sojourn.As[sojourn.Pinger](one); ok {
			if err := p.Ping(ctx); err != nil {
				return wrap("ping", err)
			}
		}
	}
	return nil
}

func wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("movestore: %s: %w", verb, err)
}
