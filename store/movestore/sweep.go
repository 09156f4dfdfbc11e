package movestore

import (
	"context"
	"time"

	"github.com/sojournhq/sojourn"
)

// Unwrap lets sojourn.As find what the new store offers besides. The store it
// returns sweeps both, if either wants sweeping.
func (s *Store) Unwrap() sojourn.Store {
	to, _ := sojourn.As[sojourn.Sweeper](s.to)
	from, _ := sojourn.As[sojourn.Sweeper](s.from)
	if to == nil && from == nil {
		return s.to
	}
	return &sweeping{s.to, to, from}
}

// sweeping is the new store with a Sweep for both.
type sweeping struct {
	sojourn.Store
	to, from sojourn.Sweeper // nil: the engine removes expired records by itself
}

var _ sojourn.Sweeper = (*sweeping)(nil)

func (s *sweeping) Unwrap() sojourn.Store { return s.Store }

// Sweep implements [sojourn.Sweeper]. Of the old store it returns sessions that
// expired there. Its markers go in silence, since their sessions have moved, and
// so do its tombstones: where a session was revoked in both stores, the new one's
// speaks for both.
func (s *sweeping) Sweep(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
	swept, err := sweep(ctx, s.to, before, limit, func(k kind) bool { return k == live || k == ended })
	if err == nil {
		var old []sojourn.Record
		old, err = sweep(ctx, s.from, before, limit-len(swept), func(k kind) bool { return k == live })
		swept = append(swept, old...)
	}
	return swept, wrap("sweep", err)
}

// sweep removes until it has limit records to tell of, or none are left.
func sweep(ctx context.Context, from sojourn.Sweeper, before time.Time, limit int, tell func(kind) bool) (told []sojourn.Record, err error) {
	for from != nil && len(told) < limit {
		asked := limit - len(told)
		records, err := from.Sweep(ctx, before, asked)
		for i := range records {
			if tell(kindOf(&records[i])) {
				told = append(told, records[i])
			}
		}
		if err != nil || len(records) < asked {
			return told, err
		}
	}
	return told, nil
}
