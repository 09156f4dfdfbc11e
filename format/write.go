package format

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/foreign"
)

// Create writes a new record.
func (s *Store) Create(ctx context.Context, r *sojourn.Record) error {
	return wrap("create", s.create(ctx, r))
}

func (s *Store) create(ctx context.Context, r *sojourn.Record) error {
	base, members, err := foreign.Split(r.Payload)
	if err != nil {
		return err
	}
	old := &view{doc: &Document{Life: s.d.Life}}
	if id := foreign.Origin(ctx); id != "" { // what JSON cannot say comes along in the old bytes
		if v, err := s.read(ctx, id); err == nil {
			old = v
		}
	}
	edit, own := s.differences(old.doc, members)
	edit.Owner, edit.Now = r.Owner, s.opt.Clock()
	edit.Expires = edit.Now.Add(old.doc.Life).Truncate(time.Millisecond)
	if s.d.InCookie && !edit.Expires.After(old.doc.Expires) { // its ID is a hash of it, and the old one's ends
		edit.Expires = old.doc.Expires.Add(time.Millisecond)
	}
	v, err := s.encode(string(r.ID), old.raw, edit, r.Owner)
	if err != nil {
		return err
	}
	err = s.swap(ctx, v, nil, s.until(v, v.expires))
	if errors.Is(err, sojourn.ErrConflict) {
		err = sojourn.ErrExists
	}
	if err == nil && s.opt.Beside {
		err = s.createBeside(ctx, v, base, own)
	}
	if err != nil {
		return err
	}
	return s.stored(r, v)
}

// stored gives r what it is as the store has it now.
func (s *Store) stored(r *sojourn.Record, v *view) error {
	is, err := s.record(v)
	if err == nil {
		*r = is
	}
	return err
}

// encode applies an edit, and reads what came out before anybody else has to.
func (s *Store) encode(id string, old []byte, e *Edit, owner string) (*view, error) {
	raw, err := s.f.Encode(old, e)
	if err != nil {
		return nil, err
	}
	if len(raw) > s.opt.MaxRecord {
		return nil, fmt.Errorf("%w: a record of %d bytes, Options.MaxRecord is %d", sojourn.ErrTooLarge, len(raw), s.opt.MaxRecord)
	}
	v, err := s.see(id, raw, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("%w: %s could not read what would be written: %w", sojourn.ErrUnsupported, s.d.System, err)
	}
	if v.doc.Owner != owner {
		return nil, fmt.Errorf("%w: a member that says who the user is; use Session.Login", sojourn.ErrUnsupported)
	}
	if !e.Expires.IsZero() {
		v.expires = e.Expires
	}
	return v, nil
}

// swap is the keeper's, and tells after a lost answer what has become of it.
func (s *Store) swap(ctx context.Context, v *view, old []byte, expires time.Time) error {
	key := s.f.Key(v.id)
	err := s.keep.Swap(ctx, key, old, v.raw, expires)
	if err == nil || verdict(err) || old != nil && errors.Is(err, sojourn.ErrConflict) {
		return err
	}
	again, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	stored, _, failed := s.keep.Read(again, key)
	switch {
	case failed == nil && bytes.Equal(stored, v.raw):
		return nil // it is ours
	case failed == nil && old != nil && bytes.Equal(stored, old), errors.Is(failed, sojourn.ErrNotFound) && old == nil, errors.Is(err, sojourn.ErrConflict):
		return err
	}
	// It may have been stored and changed since: repeating it could count twice.
	return fmt.Errorf("%w: %w: whether the change was stored is not known: %w", sojourn.ErrUnavailable, sojourn.ErrUnsupported, err)
}

func verdict(err error) bool {
	for _, v := range []error{sojourn.ErrNotFound, sojourn.ErrUnsupported, sojourn.ErrTooLarge, sojourn.ErrInvalid, sojourn.ErrCorrupt} {
		if errors.Is(err, v) {
			return true
		}
	}
	return false
}

// Update replaces the members that differ, in the record as it is now.
func (s *Store) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	current, err := s.update(ctx, r)
	return current, wrap("update", err)
}

func (s *Store) update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	v, tombstone, err := s.look(ctx, string(r.ID))
	if err != nil {
		return tombstone, err
	}
	if v.version() != r.Version {
		return s.conflict(v)
	}
	if r.Dead {
		return s.end(ctx, v, r)
	}
	base, members, err := foreign.Split(r.Payload)
	if err != nil {
		return sojourn.Record{}, err
	}
	edit, own := s.differences(v.doc, members)
	edit.Now, edit.Expires = s.opt.Clock(), r.Expires
	next := v
	if len(edit.Set)+len(edit.Delete) > 0 || s.d.Inner && !r.Expires.IsZero() {
		if next, err = s.encode(v.id, v.raw, edit, v.doc.Owner); err != nil {
			return sojourn.Record{}, err
		}
		next.beside = v.beside
		if r.Expires.IsZero() {
			next.expires = v.expires
		}
		err = s.swap(ctx, next, v.raw, s.until(next, r.Expires))
		if errors.Is(err, sojourn.ErrConflict) {
			if v, tombstone, err = s.look(ctx, v.id); err != nil {
				return tombstone, err
			}
			return s.conflict(v)
		}
	} else if !r.Expires.IsZero() {
		next.expires = r.Expires
		if !v.doc.Unending {
			err = s.keep.Touch(ctx, s.f.Key(v.id), r.Expires.Add(s.d.Slack))
		}
	}
	if err == nil && s.opt.Beside {
		var again bool
		written := len(edit.Set)+len(edit.Delete) > 0
		if again, err = s.updateBeside(ctx, next, r, base, own, written); again {
			if written { // repeating it would count twice in their record
				return sojourn.Record{}, fmt.Errorf("%w: %w: only what is %s's was stored, as our own members changed at the same time", sojourn.ErrUnavailable, sojourn.ErrUnsupported, s.d.System)
			}
			if v, tombstone, err = s.look(ctx, v.id); err != nil {
				return tombstone, err
			}
			return s.conflict(v)
		}
	}
	if err != nil {
		return sojourn.Record{}, err
	}
	return sojourn.Record{}, s.stored(r, next)
}

// until is how long a keeper holds a record; zero: as it is.
func (s *Store) until(v *view, expires time.Time) time.Time {
	if expires.IsZero() || v.doc.Unending {
		return time.Time{}
	}
	return expires.Add(s.d.Slack)
}

func (s *Store) conflict(v *view) (sojourn.Record, error) {
	r, err := s.record(v)
	if err == nil {
		err = sojourn.ErrConflict
	}
	return r, err
}

// differences tells what has to become of a document so that it has these members,
// and which of them are kept beside it.
func (s *Store) differences(doc *Document, members []foreign.Member) (e *Edit, own []foreign.Member) {
	e = new(Edit)
	had := make(map[string][]byte, len(doc.Members))
	for _, m := range doc.Members {
		if !s.own(m.Key) {
			had[m.Key] = m.Value
		}
	}
	for _, m := range members {
		if s.own(m.Key) {
			own = append(own, m)
			continue
		}
		value, ok := had[m.Key]
		delete(had, m.Key)
		if !ok || !bytes.Equal(value, m.Value) {
			e.Set = append(e.Set, Member(m))
		}
	}
	for _, m := range doc.Members {
		if _, gone := had[m.Key]; gone {
			e.Delete = append(e.Delete, m.Key)
			delete(had, m.Key)
		}
	}
	return e, own
}

// end removes a record that is still what was looked at: its session has moved.
func (s *Store) end(ctx context.Context, v *view, r *sojourn.Record) (sojourn.Record, error) {
	err := s.keep.Swap(ctx, s.f.Key(v.id), v.raw, nil, time.Time{})
	switch {
	case errors.Is(err, sojourn.ErrConflict), errors.Is(err, sojourn.ErrNotFound):
		next, tombstone, err := s.look(ctx, v.id)
		if err != nil {
			return tombstone, err
		}
		return s.conflict(next)
	case err != nil:
		return sojourn.Record{}, err
	}
	// The record is gone, so from here on nothing may fail.
	if _, err := s.mark(ctx, v.id, r.Payload, r.Expires, v.expires); err != nil {
		s.opt.Logger.WarnContext(ctx, "a session has ended, but a slow request of the other system could bring it back", "session", sojourn.ID(v.id).Masked(), "error", err)
	}
	r.Version = v.version() + 2
	return sojourn.Record{}, nil
}

// Touch moves the deadline as the other system does when a session is used.
func (s *Store) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	if !s.d.Slides {
		return nil
	}
	id := string(r.ID)
	if s.opt.Beside {
		if err := s.side.Touch(ctx, &sojourn.Record{ID: besideID(id, r.Owner), Owner: r.Owner}, expires.Add(besideStays)); err != nil {
			return wrap("touch", err)
		}
	}
	if !s.d.Inner {
		return wrap("touch", s.keep.Touch(ctx, s.f.Key(id), expires.Add(s.d.Slack)))
	}
	v, _, err := s.look(ctx, id)
	if err == nil && v.expires.Before(expires) {
		var next *view
		if next, err = s.encode(id, v.raw, &Edit{Now: s.opt.Clock(), Expires: expires}, v.doc.Owner); err == nil {
			err = s.keep.Swap(ctx, s.f.Key(id), v.raw, next.raw, expires.Add(s.d.Slack))
		}
	}
	if errors.Is(err, sojourn.ErrNotFound) || errors.Is(err, sojourn.ErrConflict) { // ended, or written and so extended
		err = nil
	}
	return wrap("touch", err)
}

// Revoke ends a session here for good, and removes the other system's record.
func (s *Store) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	return wrap("revoke", s.revoke(ctx, &r))
}

func (s *Store) revoke(ctx context.Context, r *sojourn.RevokedRecord) error {
	id := string(r.ID)
	if id == "" || len(id) > maxID {
		return nil
	}
	v, err := s.read(ctx, id)
	if errors.Is(err, sojourn.ErrNotFound) {
		return nil
	}
	var expires time.Time
	if err == nil {
		expires = v.expires
	} else if !errors.Is(err, sojourn.ErrCorrupt) { // what cannot be read can be ended
		return err
	}
	if _, err := s.mark(ctx, id, r.Tombstone().Payload, r.Until, expires); err != nil {
		return err
	}
	return s.keep.Delete(ctx, s.f.Key(id))
}
