package breakerstore_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/breakerstore"
)

const (
	maxCalls, maxWaiting = 64, 128
	loadTimeout          = 250 * time.Millisecond // the core's default
)

// crowd is a site over an engine behind a breaker, and a visitor's cookie.
func crowd(t *testing.T) (e *engine, s *breakerstore.Store, ask func() (code int)) {
	e = newEngine()
	s = breakerstore.New(e, &breakerstore.Options{MaxCalls: maxCalls, MaxWaiting: maxWaiting})
	m, err := sojourn.New(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := m.Create(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	h := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, _ := sojourn.From(r.Context())
		s.Owner(r.Context())
	}))
	return e, s, func() int {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", "__Host-sojourn="+token.Reveal())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
}

// goroutines counts those there are, exactly: runtime.NumGoroutine is off while
// many come and go.
func goroutines() int {
	stacks := make([]byte, 64<<20)
	return bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("\ngoroutine ")) + 1
}

// Ten thousand requests at once meet a store that hangs: a bounded number of
// them waits, the rest is answered at once, and all are by the first deadline.
func TestP9TenThousandRequestsBeforeAHangingStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, s, ask := crowd(t)
		e.set(hang)
		const requests = 10_000
		var answered atomic.Int64
		var group sync.WaitGroup
		before, begin := goroutines(), time.Now()
		for range requests {
			group.Go(func() {
				if code := ask(); code != 503 {
					t.Errorf("%d, expected 503", code)
				}
				answered.Add(1)
			})
		}
		synctest.Wait()
		if held := goroutines() - before; held > maxCalls+maxWaiting {
			t.Errorf("%d goroutines are held, expected at most %d", held, maxCalls+maxWaiting)
		}
		if got := answered.Load(); got != requests-maxCalls-maxWaiting {
			t.Errorf("%d of %d requests were answered at once", got, requests)
		}
		if st := s.Stats()[0]; st.Calls != maxCalls || st.Waiting != maxWaiting {
			t.Errorf("%+v", st)
		}
		group.Wait()
		if took := time.Since(begin); took > loadTimeout {
			t.Errorf("the last answer came after %v, expected %v", took, loadTimeout)
		}
		if e.most.Load() > maxCalls || e.calls.Load() > maxCalls+10 {
			t.Errorf("%d calls in all, %d at once, expected at most %d", e.calls.Load(), e.most.Load(), maxCalls)
		}
	})
}

// The same crowd over ten seconds: the circuit opens and almost nobody waits.
// When the store is back, it is used again within the time of a probe.
func TestP9ACrowdThatKeepsComing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _, ask := crowd(t)
		e.set(hang)
		const requests, gap = 10_000, time.Millisecond
		var group sync.WaitGroup
		var slow atomic.Int64
		var held atomic.Int64
		var most int64
		for range requests {
			group.Go(func() {
				begin := time.Now()
				held.Add(1)
				defer held.Add(-1)
				if code := ask(); code != 503 {
					t.Errorf("%d, expected 503", code)
				}
				if took := time.Since(begin); took > 2*loadTimeout {
					t.Errorf("answered after %v", took)
				} else if took > 0 {
					slow.Add(1)
				}
			})
			time.Sleep(gap)
			most = max(most, held.Load())
		}
		group.Wait()
		if most > maxCalls+maxWaiting {
			t.Errorf("%d requests held at once, expected at most %d", most, maxCalls+maxWaiting)
		}
		if n := slow.Load(); n > 300 {
			t.Errorf("%d of %d requests had to wait", n, requests)
		}
		e.set(nil)
		time.Sleep(600 * time.Millisecond)
		for range 100 {
			if code := ask(); code != 200 {
				t.Fatalf("%d after the store came back", code)
			}
		}
	})
}

// A crowd before a store that works but is slow waits its turn and gets it.
func TestACrowdBeforeASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, s, ask := crowd(t)
		e.set(func(context.Context, int64) error { time.Sleep(10 * time.Millisecond); return nil })
		var group sync.WaitGroup
		for range maxCalls + maxWaiting {
			group.Go(func() {
				if code := ask(); code != 200 {
					t.Errorf("%d, expected 200", code)
				}
			})
		}
		group.Wait()
		if st := s.Stats()[0]; st.Refused != 0 || e.most.Load() != maxCalls {
			t.Errorf("%+v, %d at once", st, e.most.Load())
		}
	})
}

// Who waits leaves with its own context; a full queue refuses.
func TestWaitingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine()
		s := breakerstore.New(e, &breakerstore.Options{MaxCalls: 1, MaxWaiting: 1})
		e.set(hang)
		inside, leave := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { s.Load(inside, "a") })
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		group.Go(func() {
			_, err := s.Load(short, "a")
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
				t.Errorf("%v after %v", err, time.Since(begin))
			}
		})
		synctest.Wait()
		if err := s.Revoke(t.Context(), sojourn.RevokedRecord{ID: "a"}); !errors.Is(err, breakerstore.ErrBusy) || !errors.Is(err, sojourn.ErrUnavailable) {
			t.Errorf("a full queue: %v", err)
		}
		time.Sleep(time.Second)
		leave()
		group.Wait()
		if st := s.Stats()[0]; st.Calls != 0 || st.Waiting != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// Revocations that hang before an open circuit hold nobody else up.
func TestAnOpenCircuitIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine()
		s := breakerstore.New(e, &breakerstore.Options{MaxCalls: 1})
		e.set(down)
		for range 10 {
			expect(t, s, "a", errDown)
		}
		e.set(hang)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var group sync.WaitGroup
		group.Go(func() {
			if err := s.Revoke(ctx, sojourn.RevokedRecord{ID: "a"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("revoke: %v", err)
			}
		})
		synctest.Wait()
		group.Go(func() { // it waits its turn
			if _, err := s.RevokeOwner(ctx, "ada"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("revoke owner: %v", err)
			}
		})
		synctest.Wait()
		begin := time.Now()
		expect(t, s, "a", breakerstore.ErrOpen)
		if took := time.Since(begin); took != 0 {
			t.Errorf("refused after %v", took)
		}
		group.Wait()
	})
}
