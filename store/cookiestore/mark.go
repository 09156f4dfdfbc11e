package cookiestore

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
)

// Marks are records of nobody in the other store. To it they are alive; what they
// mark is not:
//
//	of a session   it has ended. Payload: its tombstone's.
//	of an owner    all of the owner's sessions were revoked. Payload: the generation.
//
// A mark stays until every cookie that it refuses has expired by itself. None
// lasts longer than Options.MaxAge, so a session's mark stays that long after the
// end. An owner's mark also says which generation is current, so it stays that long
// after the last cookie that was sealed under it. Where it is missing although a
// cookie names a generation, the store has forgotten it, and the cookie is refused.

// slack covers clocks that differ between servers, and requests that were under
// way when the mark was made.
const slack = 2 * time.Minute

func sessionMark(id sojourn.ID) sojourn.ID { return markID("session", string(id)) }
func ownerMark(owner string) sojourn.ID    { return markID("owner", owner) }

func markID(kind, name string) sojourn.ID {
	sum := sha256.Sum256([]byte("sojourn cookiestore " + kind + "\x00" + name))
	return sojourn.ID(base64.RawURLEncoding.EncodeToString(sum[:]))
}

// ended returns the tombstone of a session that has ended.
func (s *Store) ended(ctx context.Context, r *sojourn.Record) (tombstone sojourn.Record, dead bool, err error) {
	mark, err := s.marks.Load(ctx, sessionMark(r.ID))
	switch {
	case errors.Is(err, sojourn.ErrNotFound):
		return tombstone, false, nil
	case err != nil:
		return tombstone, false, err
	}
	return sojourn.Record{ID: r.ID, Dead: true, Version: r.Version + 1, Expires: mark.Expires, Owner: r.Owner, Payload: mark.Payload}, true, nil
}

// end marks a session as ended. It reports whether it was this call that did.
func (s *Store) end(ctx context.Context, id sojourn.ID, payload []byte, until time.Time) (first bool, err error) {
	if least := s.opt.Clock().Add(s.opt.MaxAge + slack); until.Before(least) {
		until = least
	}
	err = s.marks.Create(ctx, &sojourn.Record{ID: sessionMark(id), Expires: until, Payload: payload})
	if errors.Is(err, sojourn.ErrExists) {
		return false, nil
	}
	return err == nil, err
}

// generation is an owner's as its mark tells it; zero without a mark.
type generation struct {
	value uint64
	until time.Time // of the mark
}

func (s *Store) generation(ctx context.Context, owner string) (generation, error) {
	mark, err := s.marks.Load(ctx, ownerMark(owner))
	switch {
	case errors.Is(err, sojourn.ErrNotFound):
		return generation{}, nil
	case err != nil:
		return generation{}, err
	}
	return readGeneration(&mark)
}

func readGeneration(mark *sojourn.Record) (generation, error) {
	if len(mark.Payload) != 8 {
		return generation{}, fmt.Errorf("%w: the mark of an owner: the store of revocations is used by somebody else", sojourn.ErrCorrupt)
	}
	return generation{binary.BigEndian.Uint64(mark.Payload), mark.Expires}, nil
}

// against is the owner's generation as a record sees it: one that is ahead of its
// owner's has lost its mark.
func (g generation) against(r *sojourn.Record) uint64 {
	if r.Generation > g.value {
		return r.Generation + 1
	}
	return g.value
}

// keep holds the owner's mark for as long as a cookie that is sealed now. g is the
// generation as last seen.
func (s *Store) keep(ctx context.Context, r *sojourn.Record, g *generation) (err error) {
	if r.Owner == "" || r.Generation == 0 {
		return nil
	}
	if g.value < r.Generation {
		if *g, err = s.generation(ctx, r.Owner); err != nil {
			return err
		}
	}
	now := s.opt.Clock()
	if !g.until.Before(now.Add(s.opt.MaxAge + slack)) {
		return nil
	}
	until := s.markUntil(now)
	if err = s.marks.Touch(ctx, &sojourn.Record{ID: ownerMark(r.Owner)}, until); err == nil {
		g.until = until
	}
	return err
}

// markUntil leaves room, so that not every request has to move it.
func (s *Store) markUntil(now time.Time) time.Time { return now.Add(s.opt.MaxAge*5/4 + slack) }

// RevokeOwner raises the owner's generation, which refuses every cookie sealed
// under an older one. It works without a request.
func (s *Store) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	if owner == "" {
		return 0, wrap("revoke owner", fmt.Errorf("%w: the empty owner has no generation", sojourn.ErrInvalid))
	}
	g, err := s.raise(ctx, owner)
	return g, wrap("revoke owner", err)
}

func (s *Store) raise(ctx context.Context, owner string) (uint64, error) {
	const attempts = 1000 // each that fails is somebody else's success
	id := ownerMark(owner)
	mark, err := s.marks.Load(ctx, id)
	for range attempts {
		until := s.markUntil(s.opt.Clock())
		switch {
		case errors.Is(err, sojourn.ErrNotFound):
			mark = sojourn.Record{ID: id, Expires: until, Payload: binary.BigEndian.AppendUint64(nil, 1)}
			if err = s.marks.Create(ctx, &mark); err == nil {
				return 1, nil
			}
			if errors.Is(err, sojourn.ErrExists) {
				mark, err = s.marks.Load(ctx, id)
			}
		case err == nil, errors.Is(err, sojourn.ErrConflict):
			g, bad := readGeneration(&mark)
			if bad != nil {
				return 0, bad
			}
			next := mark
			next.Payload = binary.BigEndian.AppendUint64(nil, g.value+1)
			next.Expires = until
			if mark.Expires.After(until) {
				next.Expires = mark.Expires
			}
			if mark, err = s.marks.Update(ctx, &next); err == nil {
				return g.value + 1, nil
			}
		default:
			return 0, err
		}
	}
	return 0, fmt.Errorf("the owner's mark changed %d times under a write", attempts)
}
