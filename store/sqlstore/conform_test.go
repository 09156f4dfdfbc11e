package sqlstore_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore"
	"github.com/sojournhq/sojourn/store/storetest"
)

func TestConformance(t *testing.T) {
	var paths sync.Map // *sqlstore.Store → its file
	openAt := func(t *testing.T, path string) sojourn.Store {
		s, err := sqlstore.OpenSQLite(context.Background(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		paths.Store(s, path)
		t.Cleanup(func() { s.Close() })
		return s
	}
	open := func(t *testing.T) sojourn.Store { return openAt(t, filepath.Join(t.TempDir(), "sessions.db")) }
	storetest.RunWith(t, open, &storetest.Options{
		Torture: time.Second,
		// That a killed process loses nothing is TestP14WhatYouWriteSurvivesKill9.
		Reopen: func(t *testing.T, s sojourn.Store) sojourn.Store {
			path, _ := paths.Load(s)
			if err := s.(*sqlstore.Store).Close(); err != nil {
				t.Error(err)
			}
			return openAt(t, path.(string))
		},
	})
}
