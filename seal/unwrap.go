package seal

import (
	"context"
	"io"
	"time"

	"github.com/sojournhq/sojourn"
)

// Unwrap begins a chain of stores, each of which is this one and offers one thing
// more that the inner store can do, sealed or harmless. The inner store itself is
// not in it.
func (s *Store) Unwrap() sojourn.Store { return s.next }

func chain(s *Store) (first sojourn.Store) {
	if in, ok := sojourn.As[scanner](s.inner); ok {
		first = &scanning{link{s, first}, in}
	}
	if in, ok := sojourn.As[sojourn.Sweeper](s.inner); ok {
		first = &sweeping{link{s, first}, in}
	}
	if in, ok := sojourn.As[sojourn.Pinger](s.inner); ok {
		first = &pinging{link{s, first}, in}
	}
	if in, ok := sojourn.As[io.Closer](s.inner); ok {
		first = &closing{link{s, first}, in}
	}
	if in, ok := sojourn.As[watcher](s.inner); ok {
		first = &watching{link{s, first}, in}
	}
	if in, ok := sojourn.As[carrier](s.inner); ok {
		first = &carrying{link{s, first}, in}
	}
	return first
}

type link struct {
	sojourn.Store
	next sojourn.Store
}

func (l *link) Unwrap() sojourn.Store { return l.next }

// scanner is a store that can walk through all its records in the order of their
// IDs, live or not, beginning behind after. Fewer than limit are the last.
type scanner interface {
	Scan(ctx context.Context, after sojourn.ID, limit int) ([]sojourn.Record, error)
}

// watcher is a store that tells which records changed, not how.
type watcher interface {
	Watch(ctx context.Context, changed func(id sojourn.ID, owner string)) error
}

// carrier is a store whose records travel with the answers.
type carrier interface{ Carried() }

type (
	sweeping struct {
		link
		in sojourn.Sweeper
	}
	scanning struct {
		link
		in scanner
	}
	pinging struct {
		link
		sojourn.Pinger
	}
	closing struct {
		link
		io.Closer
	}
	watching struct {
		link
		watcher
	}
	carrying struct {
		link
		carrier
	}
)

// Sweep implements [sojourn.Sweeper]. What does not open is returned without its
// payload: it is gone, and its end should be told.
func (w *sweeping) Sweep(ctx context.Context, before time.Time, limit int) ([]sojourn.Record, error) {
	gone, err := w.in.Sweep(ctx, before, limit)
	w.Store.(*Store).openAll(gone)
	return gone, err
}

// Scan returns the next records, opened. What does not open has no payload.
func (w *scanning) Scan(ctx context.Context, after sojourn.ID, limit int) ([]sojourn.Record, error) {
	records, err := w.in.Scan(ctx, after, limit)
	w.Store.(*Store).openAll(records)
	return records, err
}

func (s *Store) openAll(records []sojourn.Record) {
	for i := range records {
		records[i].Payload, _ = s.open(&records[i])
	}
}
