package breakerstore_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/breakerstore"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/storetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(*testing.T) sojourn.Store { return breakerstore.New(memstore.New(nil), nil) })
}

// With a shard for each owner and hardly any room, too.
func TestConformanceOfManyShards(t *testing.T) {
	t.Parallel()
	opt := &breakerstore.Options{Shards: 7, MaxCalls: 2, Shard: func(id sojourn.ID, owner string) int {
		return len(id) - 3*len(owner)
	}}
	storetest.RunWith(t, func(*testing.T) sojourn.Store { return breakerstore.New(memstore.New(nil), opt) },
		&storetest.Options{Torture: 500 * time.Millisecond})
}

var errDown = errors.New("the engine is down")

// engine counts the calls that reach it and does as a test tells it.
type engine struct {
	sojourn.Store
	calls, inside, most atomic.Int64
	do                  atomic.Pointer[func(ctx context.Context, n int64) error]
}

func newEngine() *engine { return &engine{Store: memstore.New(nil)} }

func (e *engine) set(f func(ctx context.Context, n int64) error) { e.do.Store(&f) }

func (e *engine) call(ctx context.Context) error {
	n := e.calls.Add(1)
	defer e.inside.Add(-1)
	for in := e.inside.Add(1); ; {
		if most := e.most.Load(); in <= most || e.most.CompareAndSwap(most, in) {
			break
		}
	}
	if f := e.do.Load(); f != nil && *f != nil {
		return (*f)(ctx, n)
	}
	return nil
}

func (e *engine) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if err := e.call(ctx); err != nil {
		return sojourn.Record{}, err
	}
	return e.Store.Load(ctx, id)
}

func (e *engine) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	if err := e.call(ctx); err != nil {
		return sojourn.Record{}, err
	}
	return e.Store.Update(ctx, r)
}

func (e *engine) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	if err := e.call(ctx); err != nil {
		return err
	}
	return e.Store.Revoke(ctx, r)
}

func (e *engine) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	if err := e.call(ctx); err != nil {
		return 0, err
	}
	return e.Store.RevokeOwner(ctx, owner)
}

func down(context.Context, int64) error { return errDown }
func hang(ctx context.Context, _ int64) error {
	<-ctx.Done()
	return ctx.Err()
}

// expect loads and checks how that ends.
func expect(t *testing.T, s sojourn.Store, id sojourn.ID, want error) {
	t.Helper()
	if _, err := s.Load(t.Context(), id); !errors.Is(err, want) {
		t.Errorf("load: %v, expected %v", err, want)
	}
}

func TestOpensAfterFailuresInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e := newEngine()
		s := breakerstore.New(e, &breakerstore.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		e.set(down)
		for range 9 {
			expect(t, s, "a", errDown)
		}
		e.set(nil)
		expect(t, s, "a", sojourn.ErrNotFound) // an answer, which ends the row
		e.set(down)
		for range 10 {
			expect(t, s, "a", errDown)
		}
		asked := e.calls.Load()
		for range 100 {
			expect(t, s, "a", breakerstore.ErrOpen)
			expect(t, s, "a", sojourn.ErrUnavailable)
		}
		if e.calls.Load() != asked {
			t.Errorf("an open circuit asked %d times", e.calls.Load()-asked)
		}
		if st := s.Stats()[0]; !st.Open || st.Refused != 200 || st.Calls != 0 || st.Waiting != 0 {
			t.Errorf("%+v", st)
		}

		time.Sleep(501 * time.Millisecond) // a probe, which fails
		expect(t, s, "a", errDown)
		expect(t, s, "a", breakerstore.ErrOpen)
		time.Sleep(501 * time.Millisecond) // one that succeeds
		e.set(nil)
		expect(t, s, "a", sojourn.ErrNotFound)
		expect(t, s, "a", sojourn.ErrNotFound)
		if s.Stats()[0].Open {
			t.Error("still open")
		}
		for _, state := range []string{"is open", "is half-open", "is closed"} {
			if !strings.Contains(log.String(), state) {
				t.Errorf("the log lacks %q:\n%s", state, log.String())
			}
		}
	})
}

func TestOpensAtARateOfFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine()
		s := breakerstore.New(e, nil)
		half := func(_ context.Context, n int64) error {
			if n%2 == 0 {
				return errDown
			}
			return nil
		}
		e.set(half)
		for range 19 {
			s.Load(t.Context(), "a")
		}
		if s.Stats()[0].Open {
			t.Error("open after too few calls to judge by")
		}
		time.Sleep(3 * time.Second) // those are forgotten
		for range 19 {
			s.Load(t.Context(), "a")
		}
		if s.Stats()[0].Open {
			t.Error("open by failures of long ago")
		}
		s.Load(t.Context(), "a")
		s.Load(t.Context(), "a")
		if !s.Stats()[0].Open {
			t.Error("not open although half of 20 calls failed")
		}
	})
}

// One call probes; the others are refused until it has an answer.
func TestOneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine()
		s := breakerstore.New(e, nil)
		e.set(down)
		for range 10 {
			expect(t, s, "a", errDown)
		}
		time.Sleep(501 * time.Millisecond)
		release := make(chan struct{})
		e.set(func(context.Context, int64) error { <-release; return nil })
		asked := e.calls.Load()
		probed := make(chan error)
		go func() { _, err := s.Load(t.Context(), "a"); probed <- err }()
		synctest.Wait()
		for range 100 {
			expect(t, s, "a", breakerstore.ErrOpen)
		}
		if got := e.calls.Load() - asked; got != 1 {
			t.Errorf("%d probes at once", got)
		}
		close(release)
		if err := <-probed; !errors.Is(err, sojourn.ErrNotFound) {
			t.Error(err)
		}
		expect(t, s, "a", sojourn.ErrNotFound)
	})
}

// Answers are no failures, and a caller who leaves is none of the store's.
func TestWhatIsNoFailure(t *testing.T) {
	e := newEngine()
	s := breakerstore.New(e, nil)
	for _, fact := range []error{sojourn.ErrNotFound, sojourn.ErrConflict, sojourn.ErrExists, sojourn.ErrUnsupported, sojourn.ErrTooLarge, sojourn.ErrInvalid, context.Canceled} {
		e.set(func(context.Context, int64) error { return fact })
		for range 50 {
			expect(t, s, "a", fact)
		}
	}
	if s.Stats()[0].Open {
		t.Error("open")
	}
	e.set(func(context.Context, int64) error { return context.DeadlineExceeded })
	for range 10 {
		expect(t, s, "a", context.DeadlineExceeded)
	}
	expect(t, s, "a", breakerstore.ErrOpen)
}

// P1: an open circuit keeps nobody from ending sessions.
func TestP1RevocationsAreAlwaysTried(t *testing.T) {
	e := newEngine()
	s := breakerstore.New(e, nil)
	r := sojourn.Record{ID: "a", Owner: "ada", Expires: time.Now().Add(time.Hour)}
	if err := s.Create(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	e.set(down)
	for range 10 {
		expect(t, s, "a", errDown)
	}
	rr := sojourn.RevokedRecord{ID: "a", Owner: "ada", Reason: sojourn.ReasonLogout, At: time.Now(), Until: time.Now().Add(time.Hour)}
	if err := s.Revoke(t.Context(), rr); !errors.Is(err, errDown) {
		t.Errorf("revoke: %v, expected the store's own failure", err)
	}
	e.set(nil)
	if err := s.Revoke(t.Context(), rr); err != nil {
		t.Errorf("revoke: %v", err)
	}
	if g, err := s.RevokeOwner(t.Context(), "ada"); err != nil || g != 1 {
		t.Errorf("revoke owner: %d %v", g, err)
	}
	expect(t, s, "a", breakerstore.ErrOpen)
	if _, err := e.Store.Load(t.Context(), "a"); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("the session lives: %v", err)
	}
}

func TestShardsFailAlone(t *testing.T) {
	e := newEngine()
	s := breakerstore.New(e, &breakerstore.Options{Shards: 2, Shard: func(id sojourn.ID, owner string) int {
		if owner == "" {
			owner = string(id[:3])
		}
		return map[string]int{"ada": 0, "bob": -1}[owner]
	}})
	e.set(down)
	for range 10 {
		expect(t, s, "ada-1", errDown)
	}
	e.set(nil)
	expect(t, s, "ada-2", breakerstore.ErrOpen)
	expect(t, s, "bob-1", sojourn.ErrNotFound)
	if _, err := s.List(t.Context(), "ada"); !errors.Is(err, breakerstore.ErrOpen) {
		t.Errorf("list: %v", err)
	}
	if st := s.Stats(); !st[0].Open || st[1].Open {
		t.Errorf("%+v", st)
	}
}

// A store that panics keeps no slot, and counts as failing.
func TestPanicsReleaseTheirSlot(t *testing.T) {
	e := newEngine()
	s := breakerstore.New(e, &breakerstore.Options{MaxCalls: 1})
	e.set(func(context.Context, int64) error { panic("a defect") })
	for range 10 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			s.Load(t.Context(), "a")
		}()
	}
	if st := s.Stats()[0]; st.Calls != 0 || !st.Open {
		t.Errorf("%+v", st)
	}
}
