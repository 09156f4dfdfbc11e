package format

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

// luggage is what a request brings, and takes home where the cookie is the record.
type luggage struct {
	mu        sync.Mutex
	looked    bool
	presented Presented
	records   map[string][]byte // InCookie: by key; nil for one that is gone
	changed   map[string]bool
}

type luggageKey struct{ store *Store }

func (s *Store) luggage(ctx context.Context) *luggage {
	l, _ := ctx.Value(luggageKey{s}).(*luggage)
	return l
}

// jar is the keeper of records that are cookies: they exist in their own request
// only.
type jar struct{ s *Store }

func (j jar) open(ctx context.Context) (*luggage, error) {
	if l := j.s.luggage(ctx); l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("%w: a session of %s is its cookie, so it exists in its own request only", sojourn.ErrUnsupported, j.s.d.System)
}

func (j jar) Read(ctx context.Context, key string) ([]byte, time.Time, error) {
	l, err := j.open(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	record, ok := l.records[key]
	switch {
	case record != nil:
		return bytes.Clone(record), time.Time{}, nil
	case ok:
		return nil, time.Time{}, sojourn.ErrNotFound
	}
	return nil, time.Time{}, fmt.Errorf("%w: the record of another client's session is that client's cookie", sojourn.ErrUnsupported)
}

func (j jar) Swap(ctx context.Context, key string, old, record []byte, _ time.Time) error {
	l, err := j.open(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch stored := l.records[key]; {
	case stored == nil && old != nil:
		return sojourn.ErrNotFound
	case !bytes.Equal(stored, old):
		return sojourn.ErrConflict
	}
	if l.records == nil {
		l.records, l.changed = map[string][]byte{}, map[string]bool{}
	}
	l.records[key] = bytes.Clone(record)
	l.changed[key] = true
	return nil
}

// Touch has nothing to do: deadlines of cookies are inside them.
func (j jar) Touch(context.Context, string, time.Time) error { return nil }

func (j jar) Delete(ctx context.Context, key string) error {
	if l := j.s.luggage(ctx); l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.records[key] != nil {
			l.records[key] = nil
		}
	}
	return nil
}

// take returns the record of a key, and whether it was changed since it came.
func (l *luggage) take(key string) (record []byte, changed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.records[key], l.changed[key]
}
