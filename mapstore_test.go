package sojourn_test

import (
	"context"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

// mapStore is the store contract in its plainest form, with hooks for faults.
type mapStore struct {
	mu   sync.Mutex
	recs map[sojourn.ID]sojourn.Record
	gens map[string]uint64
}

func newMapStore() *mapStore {
	return &mapStore{recs: map[sojourn.ID]sojourn.Record{}, gens: map[string]uint64{}}
}

func (m *mapStore) get(id sojourn.ID) (sojourn.Record, error) {
	r, ok := m.recs[id]
	r.OwnerGeneration = m.gens[r.Owner]
	if !ok || r.Dead {
		return r, sojourn.ErrNotFound
	}
	return r, nil
}
func (m *mapStore) Load(_ context.Context, id sojourn.ID) (sojourn.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.get(id)
}
func (m *mapStore) Create(_ context.Context, r *sojourn.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.recs[r.ID]; ok {
		return sojourn.ErrExists
	}
	r.Version, r.Generation, r.OwnerGeneration = 1, m.gens[r.Owner], m.gens[r.Owner]
	m.recs[r.ID] = *r
	return nil
}
func (m *mapStore) Update(_ context.Context, r *sojourn.Record) (sojourn.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	cur, err := m.get(r.ID)
	if err != nil {
		return cur, err
	}
	if cur.Version != r.Version {
		return cur, sojourn.ErrConflict
	}
	r.Version++
	n := *r
	n.Owner = cur.Owner
	if n.Expires.IsZero() {
		n.Expires = cur.Expires
	}
	m.recs[r.ID] = n
	return n, nil
}
func (m *mapStore) Touch(_ context.Context, r *sojourn.Record, at time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if cur, err := m.get(r.ID); err == nil && at.After(cur.Expires) {
		cur.Expires = at
		m.recs[r.ID] = cur
	}
	return nil
}
func (m *mapStore) Revoke(_ context.Context, r sojourn.RevokedRecord) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if cur, err := m.get(r.ID); err == nil {
		t := r.Tombstone()
		t.Version = cur.Version + 1
		m.recs[r.ID] = t
	}
	return nil
}
func (m *mapStore) List(_ context.Context, owner string) (ids []sojourn.ID, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, r := range m.recs {
		if r.Owner == owner && owner != "" && !r.Dead {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
func (m *mapStore) RevokeOwner(_ context.Context, owner string) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gens[owner]++
	return m.gens[owner], nil
}
