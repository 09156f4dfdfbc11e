// Package breakerstore keeps a failing store from taking its callers along: a
// wrapper that stops asking a store which keeps failing, and that bounds how
// many calls it has to bear at once.
//
//	m, err := sojourn.New(breakerstore.New(redis, nil), nil)
//
// While its circuit is open, a call returns ErrOpen at once instead of waiting
// for a timeout, so requests are answered 503 in microseconds and hold no
// goroutine. Twice a second one call is let through to see whether the store is
// back. Revocations are always tried: a store that fails every other call still
// ends sessions.
//
//	        10 failures in a row, or half of ≥ 20 calls in 2 s
//	closed ──────────────────────────────────────────────▶ open ◀─┐
//	   ▲                                             500 ms │      │ the probe fails
//	   │            the probe succeeds                      ▼      │
//	   └──────────────────────────────────────────────── half-open ┘
//
// Caveats. It relies on the store to return when a call's context ends, as the
// contract demands. What goes around it, found by sojourn.As (sweeps, pings,
// change feeds), is neither counted nor refused. Put a nearstore around it, not
// below.
package breakerstore

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/sojournhq/sojourn"
)

// Errors of calls that never reached the store. Both are sojourn.ErrUnavailable.
var (
	// ErrOpen: the store keeps failing and was not asked.
	ErrOpen = fmt.Errorf("breakerstore: the store keeps failing and is not asked: %w", sojourn.ErrUnavailable)
	// ErrBusy: too many calls are waiting already.
	ErrBusy = fmt.Errorf("breakerstore: too many calls at once: %w", sojourn.ErrUnavailable)
)

// Options set when a circuit opens and how much passes it. The zero value is
// meant for a store that serves one application server.
type Options struct {
	// Shards is the number of parts of the store that fail on their own, such as
	// the primaries of a cluster. Each has its own circuit and bounds. Default 1.
	Shards int
	// Shard tells which part, counted from 0, a call concerns: of List and
	// RevokeOwner only the owner is known, of Load only the id. Default: all
	// calls concern one part.
	Shard func(id sojourn.ID, owner string) int

	// Failures in a row open the circuit. Default 10.
	Failures int
	// Rate of failures within Window opens it too, if there were at least Calls.
	// Defaults 0.5, 2 s and 20.
	Rate   float64
	Window time.Duration
	Calls  int
	// Probe is how long an open circuit waits before it lets one call through.
	// Default 500 ms.
	Probe time.Duration

	// MaxCalls bounds the calls in the store at once, for each part. Default 256;
	// no use is made of more than the driver has connections, or can pipeline.
	MaxCalls int
	// MaxWaiting bounds the calls that wait until it is their turn, each for as
	// long as its context lasts; more are refused with ErrBusy. Default 1024.
	MaxWaiting int

	// Logger hears of circuits that open and close. Default: silence.
	Logger *slog.Logger
}

// A Store asks the store below unless that keeps failing. It is made by New and
// safe for parallel use.
type Store struct {
	inner  sojourn.Store
	shard  func(id sojourn.ID, owner string) int
	shards []*circuit
}

var _ sojourn.Store = (*Store)(nil)

// New wraps inner; nil stands for the defaults.
func New(inner sojourn.Store, opt *Options) *Store {
	var o Options
	if opt != nil {
		o = *opt
	}
	o.settle()
	s := &Store{inner: inner, shard: o.Shard, shards: make([]*circuit, o.Shards)}
	for i := range s.shards {
		s.shards[i] = newCircuit(i, &o)
	}
	return s
}

func (o *Options) settle() {
	for _, d := range []struct {
		v   *int
		def int
	}{{&o.Shards, 1}, {&o.Failures, 10}, {&o.Calls, 20}, {&o.MaxCalls, 256}, {&o.MaxWaiting, 1024}} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
	if o.Shard == nil {
		o.Shards = 1
	}
	if o.Rate <= 0 {
		o.Rate = 0.5
	}
	if o.Window <= 0 {
		o.Window = 2 * time.Second
	}
	if o.Probe <= 0 {
		o.Probe = 500 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Unwrap is the store below, so that sojourn.As finds what it offers besides.
func (s *Store) Unwrap() sojourn.Store { return s.inner }

// of finds the circuit of a call. A part that does not exist wraps around.
func (s *Store) of(id sojourn.ID, owner string) *circuit {
	if len(s.shards) == 1 {
		return s.shards[0]
	}
	n := s.shard(id, owner) % len(s.shards)
	if n < 0 {
		n += len(s.shards)
	}
	return s.shards[n]
}

// Load asks the store below.
func (s *Store) Load(ctx context.Context, id sojourn.ID) (r sojourn.Record, err error) {
	err = s.of(id, "").call(ctx, "load", func() (err error) { r, err = s.inner.Load(ctx, id); return err })
	return r, err
}

// Create asks the store below.
func (s *Store) Create(ctx context.Context, r *sojourn.Record) error {
	return s.of(r.ID, r.Owner).call(ctx, "create", func() error { return s.inner.Create(ctx, r) })
}

// Update asks the store below.
func (s *Store) Update(ctx context.Context, r *sojourn.Record) (current sojourn.Record, err error) {
	err = s.of(r.ID, r.Owner).call(ctx, "update", func() (err error) { current, err = s.inner.Update(ctx, r); return err })
	return current, err
}

// Touch asks the store below.
func (s *Store) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	return s.of(r.ID, r.Owner).call(ctx, "touch", func() error { return s.inner.Touch(ctx, r, expires) })
}

// List asks the store below.
func (s *Store) List(ctx context.Context, owner string) (ids []sojourn.ID, err error) {
	err = s.of("", owner).call(ctx, "list", func() (err error) { ids, err = s.inner.List(ctx, owner); return err })
	return ids, err
}

// Revoke asks the store below, also while the circuit is open.
func (s *Store) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	return s.of(r.ID, r.Owner).insist(ctx, "revoke", func() error { return s.inner.Revoke(ctx, r) })
}

// RevokeOwner asks the store below, also while the circuit is open.
func (s *Store) RevokeOwner(ctx context.Context, owner string) (generation uint64, err error) {
	err = s.of("", owner).insist(ctx, "revoke owner", func() (err error) { generation, err = s.inner.RevokeOwner(ctx, owner); return err })
	return generation, err
}

// Stats are the figures of one part of the store.
type Stats struct {
	Open    bool   // not asked now, but for a probe
	Calls   int    // in the store now
	Waiting int    // until it is their turn
	Refused uint64 // since New, with ErrOpen or ErrBusy
}

// Stats returns the figures of each part.
func (s *Store) Stats() []Stats {
	all := make([]Stats, len(s.shards))
	for i, c := range s.shards {
		all[i] = c.stats()
	}
	return all
}
