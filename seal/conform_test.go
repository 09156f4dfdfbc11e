package seal_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/sqlstore"
	"github.com/sojournhq/sojourn/store/storetest"
)

var waived = map[string]string{
	"UpdateKeepsOwner": "a record is sealed for its owner, so an Update under another owner, which no caller should make, leaves one that does not open",
}

func TestConformanceOverMemory(t *testing.T) {
	r := newRing(t, seal.GenerateKey())
	storetest.RunWith(t, func(t *testing.T) sojourn.Store { return newStore(t, memstore.New(nil), r) },
		&storetest.Options{Waived: waived, Torture: time.Second})
}

func TestConformanceOverSQLite(t *testing.T) {
	r := newRing(t, seal.GenerateKey())
	var inner, paths sync.Map
	openAt := func(t *testing.T, path string) sojourn.Store {
		in := openSQLite(t, path)
		s := newStore(t, in, r)
		inner.Store(s, in)
		paths.Store(s, path)
		return s
	}
	storetest.RunWith(t, func(t *testing.T) sojourn.Store { return openAt(t, filepath.Join(t.TempDir(), "s.db")) },
		&storetest.Options{Waived: waived, Torture: time.Second, Reopen: func(t *testing.T, s sojourn.Store) sojourn.Store {
			in, _ := inner.Load(s)
			if err := in.(*sqlstore.Store).Close(); err != nil {
				t.Error(err)
			}
			path, _ := paths.Load(s)
			return openAt(t, path.(string))
		}})
}

// What is waived: the record fails closed.
func TestUpdateUnderAnotherOwner(t *testing.T) {
	s := newStore(t, memstore.New(nil), newRing(t, seal.GenerateKey()))
	r := create(t, s, "ada", "hers")
	r.Owner = "mallory"
	if _, err := s.Update(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	got, err := s.Load(t.Context(), r.ID)
	unreadable(t, "Load", got, err, seal.ErrForged)
	if got.Owner != "ada" {
		t.Errorf("its owner is %q", got.Owner)
	}
}

func TestNewRefuses(t *testing.T) {
	r := newRing(t, seal.GenerateKey())
	for what, f := range map[string]func() (*seal.Store, error){
		"no store":   func() (*seal.Store, error) { return seal.New(nil, r) },
		"no ring":    func() (*seal.Store, error) { return seal.New(memstore.New(nil), nil) },
		"empty ring": func() (*seal.Store, error) { return seal.New(memstore.New(nil), new(seal.Ring)) },
	} {
		if s, err := f(); s != nil || !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%s: %v, %v", what, s, err)
		}
	}
}
