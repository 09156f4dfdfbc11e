package sqlstore_test

import (
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/sqlstore"
	"github.com/sojournhq/sojourn/store/storetest/linear"
)

func TestLinearizable(t *testing.T) {
	linear.Run(t, func(t *testing.T) sojourn.Store {
		s, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "sessions.db"), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}, &linear.Options{Parallel: 32})
}
