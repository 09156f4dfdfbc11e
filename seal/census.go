package seal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
)

// A Census counts stored records by the key that sealed them.
type Census struct {
	// ByKey counts, by the ID of a key, also of keys that the ring lacks.
	ByKey map[string]int
	// Old is how many are sealed with another key than the active one. At zero,
	// the old keys of the ring have served their time. Tombstones stay as they are
	// until they are swept, ten minutes after the end by default.
	Old int
	// Unsealed is how many bear no seal, and do not open.
	Unsealed int
}

// Census reads all records, tombstones too, and opens none. It costs as much as the
// store is large. [sojourn.ErrUnsupported] where the inner store has no Scan.
func (s *Store) Census(ctx context.Context) (Census, error) {
	c := Census{ByKey: map[string]int{}}
	active := s.ring.keys.Load().list[0].id
	err := s.walk(ctx, func(r *sojourn.Record) error {
		id, ok := keyOf(sealedPart(r))
		switch {
		case !ok:
			c.Unsealed++
			return nil
		case id != active:
			c.Old++
		}
		c.ByKey[id.String()]++
		return nil
	})
	return c, wrap("census", err)
}

// Reseal seals every live record that bears an old key with the active one, and
// returns how many. It may run beside requests: a record that one of them writes
// meanwhile is sealed anew by that. Tombstones and what does not open stay as they
// are. [sojourn.ErrUnsupported] where the inner store has no Scan.
func (s *Store) Reseal(ctx context.Context) (resealed int, err error) {
	err = s.walk(ctx, func(r *sojourn.Record) error {
		id, ok := keyOf(r.Payload)
		if r.Dead || !ok || id == s.ring.keys.Load().list[0].id {
			return nil
		}
		plain, err := s.open(r)
		if err != nil {
			return nil // counted
		}
		r.Payload, r.Expires = plain, time.Time{} // the deadline stays as it is
		_, err = s.Update(ctx, r)
		switch {
		case err == nil:
			resealed++
		case errors.Is(err, sojourn.ErrConflict), errors.Is(err, sojourn.ErrNotFound), errors.Is(err, sojourn.ErrCorrupt):
			return nil // somebody was faster
		}
		return err
	})
	return resealed, wrap("reseal", err)
}

// SealAll seals the live records that were stored before sealing began, and returns
// how many. It trusts what it finds, so it is for one time, while no server runs on
// the store; a server never takes an unsealed record for a session. Tombstones stay
// as they are: what has ended stays ended, without its reason.
// [sojourn.ErrUnsupported] where the inner store has no Scan.
func (s *Store) SealAll(ctx context.Context) (sealed int, err error) {
	err = s.walk(ctx, func(r *sojourn.Record) error {
		if _, ok := keyOf(r.Payload); r.Dead || ok {
			return nil
		}
		r.Expires = time.Time{} // stays as it is
		_, err := s.Update(ctx, r)
		if err == nil {
			sealed++
		}
		return err
	})
	return sealed, wrap("seal all", err)
}

const walkStep = 256

// walk visits every record as the inner store has it.
func (s *Store) walk(ctx context.Context, visit func(*sojourn.Record) error) error {
	all, ok := sojourn.As[scanner](s.inner)
	if !ok {
		return sojourn.ErrUnsupported
	}
	for after := sojourn.ID(""); ; {
		records, err := all.Scan(ctx, after, walkStep)
		if err != nil {
			return err
		}
		for i := range records {
			after = records[i].ID
			if err := visit(&records[i]); err != nil {
				return err
			}
		}
		if len(records) < walkStep {
			return ctx.Err()
		}
	}
}

func wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("seal: %s: %w", verb, err)
}
