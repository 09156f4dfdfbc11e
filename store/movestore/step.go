package movestore

import (
	"context"
	"time"

	"github.com/sojournhq/sojourn"
)

// change replaces a record's payload if nobody was quicker, and brings its sight
// up to date. A zero deadline keeps the stored one.
func change(ctx context.Context, s sojourn.Store, seen *sight, payload []byte, expires time.Time) error {
	r := seen.Record
	r.Payload, r.Expires = payload, expires
	if _, err := s.Update(ctx, &r); err != nil {
		return err
	}
	if expires.IsZero() {
		r.Expires = seen.Expires
	}
	*seen = sight{r, kindOf(&r)}
	return nil
}

// claim keeps everybody from changing the old record.
func (s *Store) claim(ctx context.Context, f *sight) error {
	return change(ctx, s.from, f, marked(markMoving, f.Payload), time.Time{})
}

// copy puts the session beside what counts, where nobody reads it yet. A marker
// that a move the other way has left there is replaced; the generation it is
// stamped with was read before the look, as that of a Create.
func (s *Store) copy(ctx context.Context, t, f *sight) error {
	payload := marked(markArriving, unmarked(&f.Record))
	if t.kind != absent {
		t.Generation = t.OwnerGeneration
		return change(ctx, s.to, t, payload, f.Expires)
	}
	r := sojourn.Record{ID: f.ID, Owner: f.Owner, Expires: f.Expires, Payload: payload}
	if err := s.to.Create(ctx, &r); err != nil {
		return err
	}
	*t = sight{r, arriving}
	return nil
}

// finish makes the new store's record count. It keeps the stamp of the copy.
func (s *Store) finish(ctx context.Context, t, f *sight) error {
	source, expires := t, time.Time{}
	if f.kind == moving { // what was claimed, should the copy be of an earlier claim
		source = f
		if f.Expires.After(t.Expires) {
			expires = f.Expires
		}
	}
	return change(ctx, s.to, t, unmarked(&source.Record), expires)
}

// forget drops the session from the old store, where it does not count any more,
// but for a marker. The marker is a live record: it can still be revoked by those
// who know only the old store.
func (s *Store) forget(ctx context.Context, f *sight) error {
	return change(ctx, s.from, f, []byte(markGone), time.Time{})
}

// end puts the other store's tombstone in place of a record. Where the other has
// none, a RevokeOwner or the end of the original ended the session.
func (s *Store) end(ctx context.Context, in sojourn.Store, seen, other *sight) error {
	r := seen.Record
	r.Dead = true
	r.Payload, r.Expires = other.Payload, other.Expires
	if other.kind != ended {
		now := s.opt.Clock()
		tombstone := sojourn.RevokedRecord{ID: seen.ID, Owner: seen.Owner, Reason: sojourn.ReasonRevoked,
			At: now, Until: now.Add(s.opt.TombstoneFor)}.Tombstone()
		r.Payload, r.Expires = tombstone.Payload, tombstone.Expires
	}
	if _, err := in.Update(ctx, &r); err != nil {
		return err
	}
	*seen = sight{r, ended}
	return nil
}
