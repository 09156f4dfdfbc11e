package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/sqlstore"
)

func openMemory(_ context.Context, ref storeRef, need need) (*openedStore, error) {
	switch {
	case ref.url != "memory:":
		return nil, ref.refuse(errors.New("expected memory: and nothing behind it"))
	case need != whatever:
		return nil, &refusal{err: sojourn.ErrInvalid, text: ref.flag + " memory: keeps its sessions inside the running server, where no other process can see them; expected the durable store of a server, as in sqlite:sojourn.db"}
	}
	return &openedStore{Store: memstore.New(nil), name: "memory:", note: "gone when this process ends"}, nil
}

// sqlitePath takes the path out of what stands behind "sqlite:", also of
// sqlite:///var/lib/sojourn.db.
func sqlitePath(rest string) string { return strings.TrimPrefix(rest, "//") }

func openSQLite(ctx context.Context, ref storeRef, need need) (*openedStore, error) {
	_, rest, _ := strings.Cut(ref.url, ":")
	path := sqlitePath(rest)
	if path == "" {
		return nil, &refusal{err: sojourn.ErrInvalid, text: ref.flag + " sqlite: names no file; expected one, as in sqlite:sojourn.db"}
	}
	ref.url = "sqlite:" + path
	created := false
	switch _, err := os.Stat(path); {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		return nil, ref.refuse(fmt.Errorf("it cannot be reached (%w); expected a file in a folder of this machine", cause(err)))
	case need == exists:
		return nil, ref.refuse(errMissing)
	default:
		created = true
		if folder := filepath.Dir(path); !isFolder(folder) {
			return nil, ref.refuse(fmt.Errorf("there is no folder %s; create it, or choose another path", folder))
		}
	}
	s, err := sqlstore.OpenSQLite(ctx, path, nil)
	if err != nil {
		if inner := errors.Unwrap(err); inner != nil {
			err = inner // without the package and the path, which stand before it already
		}
		return nil, ref.refuse(err)
	}
	o := &openedStore{Store: s, name: ref.name()}
	if created {
		o.note = "created"
	}
	return o, nil
}

// errMissing: the store must exist and does not.
var errMissing = errors.New("there is no such file; expected the store of a server, as its start-up lines name it")

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
