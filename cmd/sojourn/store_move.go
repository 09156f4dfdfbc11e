package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/sojournhq/sojourn/store/movestore"
)

// open opens the store of a server, or the two it moves between.
func (f *serveFlags) open(ctx context.Context, logger *slog.Logger) (*openedStore, error) {
	to := storeRef{flag: "--store", url: f.store, log: logger, feed: f.near.caches()}
	if f.storeFrom == "" {
		return to.open(ctx, whatever)
	}
	return openMove(ctx, storeRef{flag: "--store-from", url: f.storeFrom, log: logger}, to, shared)
}

// differ refuses two names of one store.
func differ(from, to storeRef) error {
	if canonical(from.url) == canonical(to.url) {
		return fmt.Errorf("%s and %s name the same store; expected the old one and the new one", from.flag, to.flag)
	}
	return nil
}

// openMove opens two stores as one, which moves what it meets.
func openMove(ctx context.Context, from, to storeRef, need need) (_ *openedStore, err error) {
	if err := differ(from, to); err != nil {
		return nil, err
	}
	older, err := from.open(ctx, exists)
	if err != nil {
		return nil, err
	}
	newer, err := to.open(ctx, need)
	if err != nil {
		return nil, errors.Join(err, older.Close())
	}
	both := &openedStore{
		Store: movestore.New(older.Store, newer.Store, nil),
		name:  newer.name,
		older: older.Store,
		far:   newer.far,
		note:  "moving from " + older.name,
		close: func() error { return errors.Join(newer.Close(), older.Close()) },
	}
	if newer.note != "" {
		both.note = newer.note + ", " + both.note
	}
	return both, nil
}
