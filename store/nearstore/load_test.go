package nearstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/nearstore"
)

// share starts n loads of which one leads, and waits until the others wait for it.
func share(t *testing.T, here node, h *held, id sojourn.ID, n int, load func(i int) error) func() []error {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	begin := here.Stats().Shared
	wg.Go(func() { errs[0] = load(0) })
	h.await(t)
	for i := 1; i < n; i++ {
		wg.Go(func() { errs[i] = load(i) })
	}
	for end := time.Now().Add(10 * time.Second); here.Stats().Shared-begin < uint64(n-1); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("only %d loads share", here.Stats().Shared)
		}
	}
	return func() []error { wg.Wait(); return errs }
}

func TestMissesShareOneLoad(t *testing.T) {
	src, c, n := nodes(t, 2, bounded)
	here, there := n[0], n[1]
	r := here.create("ada")
	h := src.hold("load")
	wait := share(t, there, h, r.ID, 100, func(i int) error {
		got, err := there.Load(t.Context(), r.ID)
		if err == nil && (string(got.Payload) != "one" || got.Cached != (i > 0)) {
			err = fmt.Errorf("%d: %+v", i, got)
		}
		return err
	})
	c.advance(bound) // too late to take part
	alone := make(chan error)
	go func() { _, err := there.Load(t.Context(), r.ID); alone <- err }()
	h.await(t)
	h.free()
	if err := errors.Join(append(wait(), <-alone)...); err != nil {
		t.Error(err)
	}
	if got := src.loads.Load(); got != 2 {
		t.Errorf("%d loads for 101 callers, expected 2", got)
	}
}

// Who leads may run out of time; the others have theirs.
func TestALeaderThatGivesUpFailsNobodyElse(t *testing.T) {
	src, _, n := nodes(t, 1, bounded)
	here := n[0]
	r := here.create("ada")
	here.changeElsewhere(src, r)
	h := &held{arrived: make(chan struct{}, 10)}
	src.on(&src.before, func(ctx context.Context, op string) error {
		if _, mortal := ctx.Deadline(); mortal {
			h.arrived <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	short, cancel := context.WithTimeout(t.Context(), time.Hour)
	wait := share(t, here, h, r.ID, 8, func(i int) error {
		if i == 0 {
			_, err := here.Load(short, r.ID)
			if !errors.Is(err, context.Canceled) {
				return fmt.Errorf("the leader: %w", err)
			}
			return nil
		}
		_, err := here.Load(t.Context(), r.ID)
		return err
	})
	cancel()
	if err := errors.Join(wait()...); err != nil {
		t.Error(err)
	}
}

// changeElsewhere leaves the node without a kept record.
func (n node) changeElsewhere(src *source, r sojourn.Record) {
	n.t.Helper()
	r = n.load(r.ID)
	stale := r
	if _, err := src.Store.Update(n.t.Context(), &r); err != nil {
		n.t.Fatal(err)
	}
	src.on(&src.after, func(_ context.Context, op string) error {
		if op == "update" {
			return errDown
		}
		return nil
	})
	if _, err := n.Update(n.t.Context(), &stale); !errors.Is(err, errDown) {
		n.t.Fatal(err)
	}
	src.on(&src.after, func(context.Context, string) error { return nil })
}

func TestWhoWaitsLeavesWithItsContext(t *testing.T) {
	src, c, n := nodes(t, 1, bounded)
	here := n[0]
	r := here.create("ada")
	c.advance(bound)
	h := src.hold("load")
	ctx, cancel := context.WithCancel(t.Context())
	wait := share(t, here, h, r.ID, 2, func(i int) error {
		if i == 0 {
			_, err := here.Load(t.Context(), r.ID)
			return err
		}
		_, err := here.Load(ctx, r.ID)
		h.free()
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("who waited: %w", err)
		}
		return nil
	})
	cancel()
	if err := errors.Join(wait()...); err != nil {
		t.Error(err)
	}
}

// "There is none" is not shared and not kept: a login elsewhere must be met.
func TestAbsenceIsNotKept(t *testing.T) {
	src, c, n := nodes(t, 2, bounded)
	here, there := n[0], n[1]
	r := here.create("ada")
	id := r.ID + "-new"
	if there.alive(id) {
		t.Fatal("alive before it was created")
	}
	h := src.hold("load")
	wait := share(t, there, h, id, 4, func(i int) error {
		_, err := there.Load(t.Context(), id)
		if i == 0 && errors.Is(err, sojourn.ErrNotFound) {
			return nil
		}
		return err
	})
	fresh := r
	fresh.ID = id
	if err := here.Create(t.Context(), &fresh); err != nil {
		t.Fatal(err)
	}
	h.free()
	if err := errors.Join(wait()...); err != nil {
		t.Errorf("a login was not met: %v", err)
	}
	_ = c
}

// The same for a panic: nobody waits for ever.
func TestALeaderThatPanics(t *testing.T) {
	src, c, n := nodes(t, 1, bounded)
	here := n[0]
	r := here.create("ada")
	c.advance(bound)
	h := &held{arrived: make(chan struct{}, 1), release: make(chan struct{})}
	src.on(&src.before, func(context.Context, string) error {
		h.arrived <- struct{}{}
		<-h.release
		panic("the driver has a defect")
	})
	wait := share(t, here, h, r.ID, 2, func(i int) error {
		if i == 0 {
			defer func() { recover() }()
		}
		_, err := here.Load(t.Context(), r.ID)
		if !errors.Is(err, sojourn.ErrUnavailable) {
			return fmt.Errorf("%d: %w", i, err)
		}
		return nil
	})
	h.free()
	if err := errors.Join(wait()...); err != nil {
		t.Error(err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	const limit = 1 << 20
	src, _, n := nodes(t, 1, nearstore.Options{Guarantee: nearstore.Bounded(bound), MaxBytes: limit})
	here := n[0]
	first := here.create("ada")
	for i := range 5000 {
		r := sojourn.Record{ID: sojourn.ID(fmt.Sprint("filler-", i)), Owner: fmt.Sprint(i % 50), Expires: time.UnixMilli(9e12), Payload: make([]byte, 600, 2000)}
		if err := here.Create(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		here.load(first.ID) // what is used stays
	}
	st := here.Stats()
	if st.Bytes > limit || st.Entries > limit/600 || st.Entries < limit/2500 || st.Evicted == 0 {
		t.Errorf("%+v with a limit of %d", st, limit)
	}
	if src.loads.Load() != 0 {
		t.Error("the record used all the time was evicted")
	}
	huge := sojourn.Record{ID: "huge", Expires: time.UnixMilli(9e12), Payload: make([]byte, limit)}
	if err := here.Create(t.Context(), &huge); err != nil {
		t.Fatal(err)
	}
	if after := here.Stats(); after.Entries != st.Entries || len(here.load("huge").Payload) != limit {
		t.Errorf("a record too large to keep changed %+v to %+v", st, after)
	}
	for i := range 50 {
		if _, err := here.RevokeOwner(t.Context(), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if st := here.Stats(); st.Entries != 1 {
		t.Errorf("%d entries are left after all owners but one were revoked", st.Entries)
	}
}
