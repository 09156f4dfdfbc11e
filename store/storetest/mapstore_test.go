package storetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

// docs/writing-a-store.md shows what follows, word for word.

// mapStore is the smallest store that keeps the contract.
type mapStore struct {
	mu          sync.Mutex
	records     map[sojourn.ID]sojourn.Record
	generations map[string]uint64
}

var (
	_ sojourn.Store   = (*mapStore)(nil)
	_ sojourn.Sweeper = (*mapStore)(nil)
	_ sojourn.Pinger  = (*mapStore)(nil)
)

func newMapStore() *mapStore {
	return &mapStore{records: map[sojourn.ID]sojourn.Record{}, generations: map[string]uint64{}}
}

// lock takes the mutex, unless the caller has gone already.
func (s *mapStore) lock(ctx context.Context, verb string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("mapstore: %s: %w", verb, err)
	}
	s.mu.Lock()
	return nil
}

// find returns the record of id as callers may see it. The mutex is held.
func (s *mapStore) find(id sojourn.ID) (sojourn.Record, error) {
	r, ok := s.records[id]
	if !ok {
		return sojourn.Record{}, sojourn.ErrNotFound
	}
	r.OwnerGeneration = s.generations[r.Owner]
	if r.Dead {
		return r, sojourn.ErrNotFound
	}
	return r, nil
}

func (s *mapStore) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if err := s.lock(ctx, "load"); err != nil {
		return sojourn.Record{}, err
	}
	defer s.mu.Unlock()
	return s.find(id)
}

func (s *mapStore) Create(ctx context.Context, r *sojourn.Record) error {
	if err := s.lock(ctx, "create"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, ok := s.records[r.ID]; ok {
		return sojourn.ErrExists
	}
	r.Version = 1
	r.Generation = s.generations[r.Owner] // under the same lock as the insertion
	r.OwnerGeneration = r.Generation
	s.records[r.ID] = *r
	return nil
}

func (s *mapStore) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	if err := s.lock(ctx, "update"); err != nil {
		return sojourn.Record{}, err
	}
	defer s.mu.Unlock()
	current, err := s.find(r.ID)
	if err != nil {
		return current, err
	}
	if current.Version != r.Version {
		return current, sojourn.ErrConflict
	}
	r.Version++
	next := *r // a copy: the caller may use its record again
	next.Owner = current.Owner
	if next.Expires.IsZero() { // a touch may have moved it since the caller loaded
		next.Expires = current.Expires
	}
	s.records[r.ID] = next
	return next, nil
}

func (s *mapStore) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	if err := s.lock(ctx, "touch"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if current, err := s.find(r.ID); err == nil && expires.After(current.Expires) {
		current.Expires = expires
		s.records[r.ID] = current
	}
	return nil
}

func (s *mapStore) Revoke(ctx context.Context, rr sojourn.RevokedRecord) error {
	if err := s.lock(ctx, "revoke"); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if current, err := s.find(rr.ID); err == nil {
		t := rr.Tombstone()
		t.Version = current.Version + 1
		s.records[rr.ID] = t
	}
	return nil
}

func (s *mapStore) List(ctx context.Context, owner string) ([]sojourn.ID, error) {
	if err := s.lock(ctx, "list"); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var ids []sojourn.ID
	for id, r := range s.records {
		if owner != "" && r.Owner == owner && !r.Dead {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (s *mapStore) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	if err := s.lock(ctx, "revoke owner"); err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	s.generations[owner]++
	return s.generations[owner], nil
}

func (s *mapStore) Sweep(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
	if err := s.lock(ctx, "sweep"); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var swept []sojourn.Record
	for id, r := range s.records {
		if len(swept) < limit && r.Expires.Before(before) {
			swept = append(swept, r)
			delete(s.records, id)
		}
	}
	return swept, nil
}

func (s *mapStore) Ping(ctx context.Context) error { return ctx.Err() }
