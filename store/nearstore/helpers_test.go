package nearstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/nearstore"
)

// clock is a time that moves only when told to.
type clock struct{ ns atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.ns.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

var errDown = errors.New("the source is down")

// source is the store that several nodes share. It counts loads, and a test may
// stand in the way of its calls: before they take effect, or on their way back.
type source struct {
	sojourn.Store
	loads         atomic.Int64
	before, after atomic.Pointer[func(ctx context.Context, op string) error]
}

func newSource() *source { return &source{Store: memstore.New(nil)} }

func (s *source) Unwrap() sojourn.Store { return s.Store }

// fail makes every call fail, before it takes effect; nil makes all well.
func (s *source) fail(err error) {
	s.on(&s.before, func(context.Context, string) error { return err })
}

func (s *source) on(where *atomic.Pointer[func(context.Context, string) error], f func(ctx context.Context, op string) error) {
	where.Store(&f)
}

func (s *source) do(ctx context.Context, op string, call func() error) error {
	if f := s.before.Load(); f != nil {
		if err := (*f)(ctx, op); err != nil {
			return err
		}
	}
	err := call()
	if f := s.after.Load(); f != nil {
		if lost := (*f)(ctx, op); lost != nil {
			return lost
		}
	}
	return err
}

func (s *source) Load(ctx context.Context, id sojourn.ID) (r sojourn.Record, err error) {
	s.loads.Add(1)
	err = s.do(ctx, "load", func() (err error) { r, err = s.Store.Load(ctx, id); return err })
	return r, err
}

func (s *source) Create(ctx context.Context, r *sojourn.Record) error {
	return s.do(ctx, "create", func() error { return s.Store.Create(ctx, r) })
}

func (s *source) Update(ctx context.Context, r *sojourn.Record) (current sojourn.Record, err error) {
	err = s.do(ctx, "update", func() (err error) { current, err = s.Store.Update(ctx, r); return err })
	return current, err
}

func (s *source) Touch(ctx context.Context, r *sojourn.Record, expires time.Time) error {
	return s.do(ctx, "touch", func() error { return s.Store.Touch(ctx, r, expires) })
}

func (s *source) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	return s.do(ctx, "revoke", func() error { return s.Store.Revoke(ctx, r) })
}

func (s *source) RevokeOwner(ctx context.Context, owner string) (g uint64, err error) {
	err = s.do(ctx, "revokeowner", func() (err error) { g, err = s.Store.RevokeOwner(ctx, owner); return err })
	return g, err
}

// node is a process: a near store before the shared source.
type node struct {
	*nearstore.Store
	t *testing.T
}

const bound = 500 * time.Millisecond

// nodes share a source and a clock.
func nodes(t *testing.T, n int, opt nearstore.Options) (*source, *clock, []node) {
	src, c := newSource(), newClock()
	opt.Clock = c.now
	all := make([]node, n)
	for i := range all {
		all[i] = node{nearstore.New(src, &opt), t}
	}
	return src, c, all
}

var records atomic.Int64

func (n node) create(owner string) sojourn.Record {
	n.t.Helper()
	r := sojourn.Record{ID: sojourn.ID(fmt.Sprint("record-", records.Add(1))), Owner: owner, Expires: time.UnixMilli(9e12), Payload: []byte("one")}
	if err := n.Create(n.t.Context(), &r); err != nil {
		n.t.Fatal(err)
	}
	return r
}

func (n node) load(id sojourn.ID) sojourn.Record {
	n.t.Helper()
	r, err := n.Load(n.t.Context(), id)
	if err != nil {
		n.t.Fatalf("load: %v", err)
	}
	return r
}

// alive reports what a node would let in: a live record of its owner's
// generation.
func (n node) alive(id sojourn.ID) bool {
	r, err := n.Load(n.t.Context(), id)
	if err != nil && !errors.Is(err, sojourn.ErrNotFound) {
		n.t.Errorf("load: %v", err)
	}
	return err == nil && !r.Dead && r.Generation >= r.OwnerGeneration
}

func (n node) revoke(r sojourn.Record) error {
	return n.Revoke(context.Background(), sojourn.RevokedRecord{ID: r.ID, Owner: r.Owner, Reason: sojourn.ReasonLogout, At: time.Now(), Until: time.Now().Add(time.Hour)})
}

// held stops calls of one operation, once they have read or written, until they
// are let go.
type held struct {
	arrived, release chan struct{}
	once             sync.Once
}

func (s *source) hold(op string) *held {
	h := &held{arrived: make(chan struct{}, 1000), release: make(chan struct{})}
	s.on(&s.after, func(ctx context.Context, o string) error {
		if o != op {
			return nil
		}
		select {
		case <-h.release:
			return nil
		default:
		}
		h.arrived <- struct{}{}
		<-h.release
		return nil
	})
	return h
}

func (h *held) free() {
	h.once.Do(func() {
		if h.release != nil {
			close(h.release)
		}
	})
}

// await waits until a call is held.
func (h *held) await(t *testing.T) {
	t.Helper()
	select {
	case <-h.arrived:
	case <-time.After(10 * time.Second):
		h.free()
		t.Fatal("the source is not asked")
	}
}
