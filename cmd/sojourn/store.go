package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/sqlstore"
)

const defaultStore = "sqlite:sojourn.db"

// storeForms is how stores are named, for texts.
const storeForms = "sqlite:PATH (as in sqlite:sojourn.db) or memory:"

const storeUsage = "where sessions rest: `sqlite:PATH` or memory:"

// An openedStore is a store and what there is to say about it.
type openedStore struct {
	sojourn.Store
	name string // as people should see it
	note string // what is special about it, "" for nothing
}

// Close closes the engine.
func (s *openedStore) Close() error {
	if c, ok := sojourn.As[io.Closer](s.Store); ok {
		return c.Close()
	}
	return nil
}

// openStore opens the store of that name; what a durable one needs is created
// unless it must exist already.
func openStore(ctx context.Context, name string, mustExist bool) (*openedStore, error) {
	scheme, rest, ok := strings.Cut(name, ":")
	switch {
	case ok && scheme == "memory" && rest == "":
		if mustExist {
			return nil, errors.New("--store memory: keeps its sessions inside the running server, where no other process can see them; expected the durable store of a server, as in sqlite:sojourn.db")
		}
		return &openedStore{Store: memstore.New(nil), name: "memory:", note: "gone when this process ends"}, nil
	case ok && scheme == "sqlite":
		return openSQLite(ctx, rest, mustExist)
	}
	return nil, fmt.Errorf("--store %q: expected %s", name, storeForms)
}

func openSQLite(ctx context.Context, path string, mustExist bool) (*openedStore, error) {
	path = strings.TrimPrefix(path, "//") // sqlite:///var/lib/sojourn.db
	if path == "" {
		return nil, errors.New("--store sqlite: names no file; expected one, as in sqlite:sojourn.db")
	}
	created := false
	switch _, err := os.Stat(path); {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("--store sqlite:%s: cannot be reached (%w); expected a file in a folder of this machine", path, cause(err))
	case mustExist:
		return nil, fmt.Errorf("--store sqlite:%s: there is no such file; expected the store of a server, as its start-up lines name it", path)
	default:
		created = true
		if folder := filepath.Dir(path); !isFolder(folder) {
			return nil, fmt.Errorf("--store sqlite:%s: there is no folder %s; create it, or choose another path", path, folder)
		}
	}
	s, err := sqlstore.OpenSQLite(ctx, path, nil)
	if err != nil {
		if inner := errors.Unwrap(err); inner != nil {
			err = inner // without the package and the path, which stand before it already
		}
		return nil, fmt.Errorf("--store sqlite:%s: %w", path, err)
	}
	o := &openedStore{Store: s, name: "sqlite:" + path}
	if created {
		o.note = "created"
	}
	return o, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// cause is the reason without the operation and path that os puts before it.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
