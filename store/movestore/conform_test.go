package movestore_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/movestore"
	"github.com/sojournhq/sojourn/store/sqlstore"
	"github.com/sojournhq/sojourn/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) sojourn.Store {
		return movestore.New(memstore.New(nil), memstore.New(nil), nil)
	})
}

// TestConformanceOfCarried holds sessions to the contract that begin in the old
// store, a file, and are carried at their first load.
func TestConformanceOfCarried(t *testing.T) {
	storetest.RunWith(t, func(t *testing.T) sojourn.Store {
		from, err := sqlstore.OpenSQLite(context.Background(), filepath.Join(t.TempDir(), "old.db"), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { from.Close() })
		return &late{Store: movestore.New(from, memstore.New(nil), nil), from: from}
	}, &storetest.Options{Torture: time.Second})
}

// late creates in the old store, as a process does that knows no other. A
// RevokeOwner never comes between that and the carrying, which would end the
// session at once: TestInterrupted sees to that.
type late struct {
	*movestore.Store
	from sojourn.Store
	mu   sync.RWMutex
}

func (l *late) Create(ctx context.Context, r *sojourn.Record) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	own := *r
	if err := l.from.Create(ctx, &own); err != nil {
		return err
	}
	now, _, err := l.Carry(ctx, r.ID)
	if err == nil {
		r.Version, r.Generation, r.OwnerGeneration = now.Version, now.Generation, now.OwnerGeneration
	}
	return err
}

func (l *late) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Store.RevokeOwner(ctx, owner)
}
