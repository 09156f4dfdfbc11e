package format

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/foreign"
)

// A record beside holds what the other system's has no place for. Its ID names the
// owner, too, because the other system may log a user in without a new ID.

const besideStays = time.Hour // longer than the record it belongs to

func besideID(id, owner string) sojourn.ID {
	if owner == "" {
		return sojourn.ID(id + ".")
	}
	sum := sha256.Sum256([]byte(owner))
	return sojourn.ID(id + "." + base64.RawURLEncoding.EncodeToString(sum[:9]))
}

// lookBeside loads the record beside a view, or begins one for a session that was
// not seen before.
func (s *Store) lookBeside(ctx context.Context, v *view) error {
	r, err := s.side.Load(ctx, besideID(v.id, v.doc.Owner))
	if err == nil {
		v.beside = &r
		return nil
	}
	if !errors.Is(err, sojourn.ErrNotFound) {
		return fmt.Errorf("the store beside the records: %w", err)
	}
	if r.Dead {
		return sojourn.ErrNotFound
	}
	return s.createBeside(ctx, v, nil, nil)
}

func (s *Store) createBeside(ctx context.Context, v *view, base []byte, own []foreign.Member) error {
	payload, err := s.payloadBeside(v, base, own)
	if err != nil {
		return err
	}
	r := sojourn.Record{ID: besideID(v.id, v.doc.Owner), Owner: v.doc.Owner, Expires: v.expires.Add(besideStays), Payload: payload}
	err = s.side.Create(ctx, &r)
	if errors.Is(err, sojourn.ErrExists) { // another request was faster
		r, err = s.side.Load(ctx, r.ID)
	}
	if err != nil {
		return fmt.Errorf("the store beside the records: %w", err)
	}
	v.beside = &r
	return nil
}

func (s *Store) payloadBeside(v *view, base []byte, own []foreign.Member) ([]byte, error) {
	return foreign.Compose(base, foreign.Head{Idle: v.doc.Life, Cookie: v.doc.CookieLife}, own)
}

// updateBeside follows a write of the other system's record, if that was written.
// If the record beside has changed meanwhile, it is tried again; after a write,
// which must not be repeated, only for members of our own.
func (s *Store) updateBeside(ctx context.Context, v *view, r *sojourn.Record, base []byte, own []foreign.Member, written bool) (again bool, err error) {
	next := *v.beside
	if next.Payload, err = s.payloadBeside(v, base, own); err != nil {
		return false, err
	}
	next.Generation, next.Expires = r.Generation, v.expires.Add(besideStays)
	current, err := s.side.Update(ctx, &next)
	switch {
	case err == nil:
		next.OwnerGeneration = v.beside.OwnerGeneration
		v.beside = &next
		return false, nil
	case errors.Is(err, sojourn.ErrConflict):
		_, had, err := foreign.Split(v.beside.Payload)
		if err != nil || !written || !same(had, own) || r.Generation != v.beside.Generation {
			return true, err
		}
		v.beside = &current
		return false, nil
	case errors.Is(err, sojourn.ErrNotFound):
		return true, nil
	}
	return false, fmt.Errorf("%w: %w: the store beside the records: %w", sojourn.ErrUnavailable, sojourn.ErrUnsupported, err)
}

func same(a, b []foreign.Member) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Key != b[i].Key || string(a[i].Value) != string(b[i].Value) {
			return false
		}
	}
	return true
}

// List returns the sessions of a user that were seen here: [sojourn.ErrUnsupported]
// without Options.Beside.
func (s *Store) List(ctx context.Context, owner string) ([]sojourn.ID, error) {
	ids, err := s.list(ctx, owner)
	return ids, wrap("list", err)
}

func (s *Store) list(ctx context.Context, owner string) ([]sojourn.ID, error) {
	if !s.opt.Beside {
		return nil, fmt.Errorf("%w: %s has no list of a user's sessions; Options.Beside keeps one", sojourn.ErrUnsupported, s.d.System)
	}
	ids, err := s.side.List(ctx, owner)
	for i, id := range ids {
		if end := strings.LastIndexByte(string(id), '.'); end > 0 {
			ids[i] = id[:end]
		}
	}
	return ids, err
}

// RevokeOwner ends the sessions of a user that were seen here, and removes their
// records: [sojourn.ErrUnsupported] without Options.Beside.
func (s *Store) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	generation, err := s.revokeOwner(ctx, owner)
	return generation, wrap("revoke owner", err)
}

func (s *Store) revokeOwner(ctx context.Context, owner string) (uint64, error) {
	ids, err := s.list(ctx, owner)
	if err != nil {
		return 0, err
	}
	generation, err := s.side.RevokeOwner(ctx, owner)
	if err != nil {
		return 0, err
	}
	now := s.opt.Clock()
	keep := foreign.Kept(ctx)
	for _, id := range ids {
		if string(id) == keep {
			continue
		}
		v, err := s.read(ctx, string(id))
		if errors.Is(err, sojourn.ErrNotFound) || err == nil && v.doc.Owner != owner {
			continue
		}
		r := sojourn.RevokedRecord{ID: id, Owner: owner, Reason: sojourn.ReasonRevoked, At: now, Until: now.Add(10 * time.Minute)}
		if err := s.revoke(ctx, &r); err != nil {
			return 0, err
		}
	}
	return generation, nil
}
