package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sojournhq/sojourn"
)

const (
	probeOwner   = "sojourn doctor"
	probeTimeout = 5 * time.Second // of each call
	probeBudget  = 3 * time.Second // of each kind of call
)

// longPast is when tombstones of probes expire, so that a sweep up to then finds
// nothing else.
var longPast = time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC)

// A probe is a session of the doctor's own.
type probe struct {
	store  sojourn.Store
	record sojourn.Record
}

// newProbe takes its ID and payload from a real session.
func newProbe(ctx context.Context, store sojourn.Store) (*probe, error) {
	p := &probe{store: store}
	m, err := sojourn.New(notedStore{store, &p.record}, nil)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	_, _, err = m.Create(ctx, probeOwner)
	return p, err
}

// notedStore notes what is created.
type notedStore struct {
	sojourn.Store
	created *sojourn.Record
}

func (s notedStore) Create(ctx context.Context, r *sojourn.Record) error {
	err := s.Store.Create(ctx, r)
	*s.created = *r
	return err
}

func (p *probe) load(ctx context.Context) error {
	r, err := p.store.Load(ctx, p.record.ID)
	if err == nil && (r.Owner != p.record.Owner || !bytes.Equal(r.Payload, p.record.Payload)) {
		err = errors.New("what was read is not what was written")
	}
	if err == nil {
		p.record = r
	}
	return err
}

func (p *probe) update(ctx context.Context) error {
	r := p.record
	if _, err := p.store.Update(ctx, &r); err != nil {
		return err
	}
	p.record.Version = r.Version
	return nil
}

func (p *probe) touch(ctx context.Context) error {
	next := p.record.Expires.Add(time.Minute)
	if err := p.store.Touch(ctx, &p.record, next); err != nil {
		return err
	}
	p.record.Expires = next
	return nil
}

func (p *probe) list(ctx context.Context) error {
	ids, err := p.store.List(ctx, probeOwner)
	if err == nil && !slices.Contains(ids, p.record.ID) {
		err = errors.New("the list of its user lacks the session")
	}
	return err
}

func (p *probe) revoke(ctx context.Context) error {
	err := p.store.Revoke(ctx, sojourn.RevokedRecord{ID: p.record.ID, Owner: p.record.Owner,
		Reason: sojourn.ReasonRevoked, At: time.Now(), Until: longPast})
	if err != nil {
		return err
	}
	if _, err := p.store.Load(ctx, p.record.ID); !errors.Is(err, sojourn.ErrNotFound) {
		return fmt.Errorf("the revoked session is still there (%v)", err)
	}
	return nil
}

func (p *probe) revokeOwner(ctx context.Context) error {
	generation, err := p.store.RevokeOwner(ctx, probeOwner)
	if err == nil && generation <= p.record.Generation {
		err = errors.New("the generation of its user did not rise")
	}
	return err
}

func (p *probe) remove(ctx context.Context) error {
	s, ok := sojourn.As[sojourn.Sweeper](p.store)
	if !ok {
		return nil // the engine does it, in its own time
	}
	if _, err := s.Sweep(ctx, longPast.Add(time.Second), 100); err != nil {
		return err
	}
	r, err := p.store.Load(ctx, p.record.ID)
	if errors.Is(err, sojourn.ErrNotFound) && !r.Dead {
		return nil
	}
	return fmt.Errorf("the ended session was not removed (%v)", err)
}

// permissions does all a server does to a session of its own. What one step finds
// wrong it reports, and stops.
func (d *doctor) permissions(store *openedStore) bool {
	var p *probe
	steps := []struct {
		name string
		do   func(context.Context) error
	}{
		{"create", func(ctx context.Context) (err error) { p, err = newProbe(ctx, store.Store); return err }},
		{"load", func(ctx context.Context) error { return p.load(ctx) }},
		{"update", func(ctx context.Context) error { return p.update(ctx) }},
		{"touch", func(ctx context.Context) error { return p.touch(ctx) }},
		{"list", func(ctx context.Context) error { return p.list(ctx) }},
		{"revoke", func(ctx context.Context) error { return p.revoke(ctx) }},
		{"revoke all of a user", func(ctx context.Context) error { return p.revokeOwner(ctx) }},
		{"remove", func(ctx context.Context) error { return p.remove(ctx) }},
	}
	lists := true
	for _, step := range steps {
		ctx, cancel := context.WithTimeout(d.ctx, probeTimeout)
		err := step.do(ctx)
		cancel()
		switch {
		case err == nil:
		case step.name == "list" && errors.Is(err, sojourn.ErrUnsupported):
			lists = false
		default:
			d.report("operations", "cannot "+step.name+" a session",
				fmt.Errorf("%w; a server needs this: give its user the permission, or repair the store", err))
			return false
		}
	}
	d.report("operations", "a session was created, loaded, updated, touched, revoked and removed", nil)
	if !lists {
		d.report("device lists", "no", warn("this kind of store keeps no lists: users cannot see where else they are logged in"))
	}
	return true
}
