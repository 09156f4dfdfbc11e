package redisstore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/testenv"
)

// TestSlowStoreKeepsDeadlines: who waits no longer than his context, and takes
// nobody's connection down.
func TestSlowStoreKeepsDeadlines(t *testing.T) {
	p := testenv.StartProxy(t, server(t).Addr)
	s := open(t, "redis://"+p.Addr, nil)
	r := create(t, s, "owner "+random())
	connected(t, s, p)
	p.Delay(200 * time.Millisecond)
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		began := time.Now()
		_, err := s.Load(ctx, r.ID)
		cancel()
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 300*time.Millisecond {
			t.Errorf("Load in 30 ms of a store that takes 400: error %v after %v", err, took)
		}
	}
	if _, err := s.Load(t.Context(), r.ID); err != nil {
		t.Errorf("Load with all the time it takes: %v", err)
	}
	if p.Conns() == 0 { // one of them may be a survey's, which comes and goes
		t.Error("the timeouts closed all connections")
	}
}

// connected waits until the store has all its connections and they are quiet.
func connected(t *testing.T, s *Store, p *testenv.Proxy) {
	t.Helper()
	conns := 0
	testenv.Eventually(t, "the store is connected", 10*time.Second, func() error {
		for range 30 {
			if err := s.Ping(t.Context()); err != nil {
				return err
			}
		}
		was := conns
		if conns = p.Conns(); conns != was || s.guard.troubled.Load() {
			return errNotYet
		}
		return nil
	})
}

// TestSlowDialIsNotInVain: a connection that takes longer to make than any caller
// waits is made all the same.
func TestSlowDialIsNotInVain(t *testing.T) {
	p := testenv.StartProxy(t, server(t).Addr)
	s := open(t, "redis://"+p.Addr, nil)
	r := create(t, s, "owner "+random())
	p.Delay(100 * time.Millisecond) // HELLO takes 200 ms
	p.Cut()
	testenv.Eventually(t, "a Load in 250 ms, although a dial and a Load take 400", 10*time.Second, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
		defer cancel()
		_, err := s.Load(ctx, r.ID)
		return err
	})
}

// TestFrozenStorePilesNothingUp has a server that keeps its connections and
// answers nothing, as behind a broken switch. Every call returns in time, the
// goroutines stay within a bound, and with the server everything returns.
func TestFrozenStorePilesNothingUp(t *testing.T) {
	p := testenv.StartProxy(t, server(t).Addr)
	s := open(t, "redis://"+p.Addr, nil)
	r := create(t, s, "owner "+random())
	connected(t, s, p)
	before := runtime.NumGoroutine()
	p.Freeze()
	const callers, patience = 200, 10 * time.Millisecond
	var calls, answered, late atomic.Int64
	var most int
	until := time.Now().Add(1500 * time.Millisecond)
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for time.Now().Before(until) {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				began := time.Now()
				if _, err := s.Load(ctx, r.ID); err == nil {
					answered.Add(1)
				}
				cancel()
				calls.Add(1)
				if time.Since(began) > time.Second {
					late.Add(1)
				}
			}
		})
	}
	for time.Now().Before(until) {
		most = max(most, runtime.NumGoroutine())
		time.Sleep(time.Millisecond)
	}
	all.Wait()
	t.Logf("%d calls of 10 ms, %d late; at most %d goroutines", calls.Load(), late.Load(), most)
	if answered.Load() > 0 || late.Load() > 0 {
		t.Errorf("of a frozen store: %d answers, %d calls that took over a second", answered.Load(), late.Load())
	}
	// Callers, detours, and one for each command in a pipeline, of which there
	// are two connections at most here.
	if bound := before + callers + detours + 4*pipelineSlots + 100; most > bound {
		t.Errorf("%d goroutines, expected at most %d", most, bound)
	}
	p.Thaw()
	testenv.Eventually(t, "the store works again", 10*time.Second, func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Load(ctx, r.ID)
		return err
	})
	testenv.Eventually(t, "the goroutines have ended", 10*time.Second, func() error {
		if n := runtime.NumGoroutine(); n > before+10 {
			return fmt.Errorf("%d, before %d", n, before)
		}
		return nil
	})
}

// TestHangingDialHoldsNobodyUp: the server's host takes connections and says
// nothing, as when it is out of memory. The library has one caller dial and all
// others wait for him.
func TestHangingDialHoldsNobodyUp(t *testing.T) {
	p := testenv.StartProxy(t, server(t).Addr)
	s := open(t, "redis://"+p.Addr, nil)
	r := create(t, s, "owner "+random())
	p.Freeze()
	p.Cut()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range 5 {
				ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
				began := time.Now()
				_, err := s.Load(ctx, r.ID)
				cancel()
				if took := time.Since(began); err == nil || took > time.Second {
					t.Errorf("error %v after %v", err, took)
				}
			}
		})
	}
	all.Wait()
	p.Thaw()
	testenv.Eventually(t, "the store works again", 10*time.Second, func() error {
		_, err := s.Load(t.Context(), r.ID)
		return err
	})
}
