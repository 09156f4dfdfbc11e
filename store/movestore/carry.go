package movestore

import (
	"context"
	"errors"

	"github.com/sojournhq/sojourn"
)

// Carry moves one session over now, if that is still to be done: for all that a
// walk through the old store meets. It returns the new store's record as it was
// then, and whether this call carried it; ErrNotFound if the session has ended.
// Doing it again is harmless, also after an error.
func (s *Store) Carry(ctx context.Context, id sojourn.ID) (r sojourn.Record, carried bool, err error) {
	r, carried, err = s.settle(ctx, id)
	if err != nil && !errors.Is(err, sojourn.ErrNotFound) {
		return sojourn.Record{}, carried, wrap("carry", err)
	}
	return r, carried, err
}
