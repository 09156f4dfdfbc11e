package sojourn

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
)

// Members returns all members as raw JSON, and the data revision: it counts
// commits that changed members, and is 0 where there is no session.
func (s *Session) Members(ctx context.Context) (map[string]json.RawMessage, uint64, error) {
	if err := s.known(ctx); err != nil {
		return nil, 0, err
	}
	defer s.unlock()
	if s.state != StateActive {
		return nil, 0, nil
	}
	return s.draft.members(), s.draft.head.about().rev, nil
}

// Patch sets members to raw JSON, a nil one is deleted, and commits at once. If
// ifRevision is given and not the data revision at that moment, nothing is
// stored: ErrConflict. It returns the revision that holds now, in that case
// too. ErrNotFound without a session.
func (s *Session) Patch(ctx context.Context, changes map[string]json.RawMessage, ifRevision *uint64) (revision uint64, err error) {
	trimmed := make(map[string]json.RawMessage, len(changes))
	for key, raw := range changes {
		if raw != nil && !json.Valid(raw) {
			return 0, fmt.Errorf("%w: member %q, expected JSON", ErrInvalid, key)
		}
		trimmed[key] = bytes.Clone(bytes.TrimSpace(raw))
	}
	err = s.live(ctx, "patch", func() error {
		if err := s.commit(ctx); err != nil { // what this request changed before is no conflict
			return err
		}
		if err := s.load(ctx); err != nil {
			return err
		}
		o := op{kind: opFunc, fn: func(d *draft) error {
			if revision = d.head.about().rev; ifRevision != nil && *ifRevision != revision {
				return ErrConflict
			}
			for key, raw := range trimmed {
				if raw == nil {
					d.delete(key)
				} else if err := d.set(key, raw); err != nil {
					return err
				}
			}
			return nil
		}}
		if err := s.record(o); err != nil {
			return err
		}
		if err := s.commit(ctx); err != nil {
			return err
		}
		if s.m.foreign != nil { // its revisions do not count
			err := s.load(ctx)
			revision = s.draft.head.about().rev
			return err
		}
		revision++ // of this change alone: parallel ones that left with it have their own
		return nil
	})
	return revision, err
}
