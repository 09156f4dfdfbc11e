package sojourn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sojournhq/sojourn/internal/foreign"
)

// List describes the owner's live sessions, the one seen last first. It costs
// one read per session. ErrUnsupported where the store keeps no index.
func (m *Manager) List(ctx context.Context, owner string) ([]Status, error) {
	list, err := m.list(ctx, owner)
	if err != nil {
		return nil, fmt.Errorf("sojourn: list: %w", err)
	}
	if s, err := From(ctx); err == nil {
		current, err := s.ID(ctx)
		for i := range list {
			list[i].Current = err == nil && list[i].ID == current
		}
	}
	slices.SortFunc(list, func(a, b Status) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

func (m *Manager) list(ctx context.Context, owner string) ([]Status, error) {
	if owner == "" {
		return nil, nil
	}
	var ids []ID
	err := m.call(ctx, m.opt.LoadTimeout, true, func(ctx context.Context) (err error) {
		ids, err = m.store.List(ctx, owner)
		return err
	})
	if err != nil {
		return nil, err
	}
	list := make([]Status, 0, len(ids))
	for _, id := range ids {
		st, err := m.Inspect(ctx, id)
		if err != nil {
			return nil, err
		}
		if st.State == StateActive && st.Owner == owner {
			list = append(list, st)
		}
	}
	return list, nil
}

// Devices describes all live sessions of this session's user: see Manager.List.
func (s *Session) Devices(ctx context.Context) ([]Status, error) {
	if err := s.known(ctx); err != nil {
		return nil, err
	}
	s.unlock()
	owner, err := s.Owner(ctx)
	if err != nil {
		return nil, err
	}
	return s.m.List(NewContext(ctx, s), owner)
}

// RevokeDevice ends one session of this session's user. ErrNotFound if it has
// ended, or is somebody else's.
func (s *Session) RevokeDevice(ctx context.Context, id ID) error {
	if err := s.useToWrite(ctx); err != nil {
		return err
	}
	s.unlock()
	owner, err := s.Owner(ctx)
	if err != nil {
		return err
	}
	own, err := s.ID(ctx)
	if err != nil {
		return err
	}
	if id == own && id != "" {
		return s.Revoke(ctx, ReasonRevoked)
	}
	if err := s.m.endOwn(ctx, id, owner, ReasonRevoked); err != nil {
		return fmt.Errorf("sojourn: revoke device: %w", err)
	}
	return nil
}

// RevokeOwner ends all sessions of an owner, also one that is just beginning.
func (m *Manager) RevokeOwner(ctx context.Context, owner string) error {
	if _, err := m.revokeOwner(ctx, owner, true); err != nil {
		return fmt.Errorf("sojourn: revoke owner: %w", err)
	}
	m.emit(ctx, Event{Kind: EventOwnerRevoked, Owner: owner, Reason: ReasonRevoked, At: m.now()})
	return nil
}

func (m *Manager) revokeOwner(ctx context.Context, owner string, repeat bool) (gen uint64, err error) {
	if owner == "" {
		return 0, fmt.Errorf("%w: owner, expected one that is not empty", ErrInvalid)
	}
	err = m.call(ctx, m.opt.CommitTimeout, repeat, func(ctx context.Context) (err error) {
		gen, err = m.store.RevokeOwner(ctx, owner)
		return err
	})
	return gen, err
}

// RevokeOthers ends all sessions of keep's owner but keep: first all of them,
// then keep, with what was changed so far, is lifted into the new generation. If the process dies in between,
// keep has ended too; another RevokeOwner that runs at the same time wins.
func (m *Manager) RevokeOthers(ctx context.Context, keep *Session) error {
	if err := keep.useToWrite(ctx); err != nil {
		return err
	}
	defer keep.unlock()
	if err := m.revokeOthers(ctx, keep); err != nil {
		if errors.Is(err, ErrUnavailable) {
			keep.failed = err
		}
		return fmt.Errorf("sojourn: revoke others: %w", err)
	}
	return nil
}

func (m *Manager) revokeOthers(ctx context.Context, keep *Session) error {
	if keep.state != StateActive {
		return ErrNotFound
	}
	// It may log in with this request: store that first. The record moves on
	// beneath what else is pending, so that goes along.
	if err := keep.commit(ctx); err != nil {
		return err
	}
	rec, err := m.load(ctx, keep.base.ID)
	if err != nil {
		return err
	}
	before := rec.OwnerGeneration
	if m.foreign != nil {
		ctx = foreign.Keep(ctx, string(rec.ID))
	}
	if rec.Owner == "" || rec.Generation < before {
		return ErrNotFound
	}
	gen, err := m.revokeOwner(ctx, rec.Owner, false) // a repetition would look like another one
	if err != nil {
		return err
	}
	done := Event{Kind: EventOwnerRevoked, Owner: rec.Owner, Reason: ReasonRevoked, At: m.now()}
	defer func() { m.emit(ctx, done) }() // after the lifting, so that nobody takes keep for dead
	for range commitAttempts {
		if gen != before+1 { // another one meant keep, too
			return ErrNotFound
		}
		rec.Generation, rec.OwnerGeneration = gen, gen
		deadline := rec.Expires
		rec.Expires = time.Time{}
		current, err := m.swap(ctx, &rec)
		if err == nil {
			rec.Expires = deadline
			keep.base, keep.redraw = rec, true
			done.ID = rec.ID
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return err
		}
		rec = current
	}
	return ErrConflict
}
