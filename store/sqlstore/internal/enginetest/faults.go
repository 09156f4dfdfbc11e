package enginetest

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// CutCommits loses the answers of writes on their way. That is no verdict, the
// write happened once, and it can be repeated (P3).
func CutCommits(t *testing.T, e *Engine) {
	p := testenv.StartProxy(t, e.Addr)
	s := e.Open(t, p.Addr, 1)
	direct := e.Open(t, e.Addr, 1)
	cut := func(op string, f func() error) {
		t.Helper()
		warm(t, s) // else the answer to what a new connection asks first is lost
		done := p.CutAnswer()
		err := f()
		<-done
		if err == nil || verdict(err) {
			t.Errorf("%s with a lost answer gives %v: expected an error that is no verdict", op, err)
		}
	}
	owner := unique("owner")
	r := create(t, s, owner)
	changed := r
	changed.Payload = []byte("changed")
	cut("Update", func() error { _, err := s.Update(t.Context(), &changed); return err })
	if changed.Version != r.Version {
		t.Errorf("an update without an answer set the version to %d", changed.Version)
	}
	current, err := s.Update(t.Context(), &changed)
	if !errors.Is(err, sojourn.ErrConflict) || string(current.Payload) != "changed" || current.Version != r.Version+1 {
		t.Errorf("the repeated update gives %+v, %v: expected a conflict with what it has stored itself", current, err)
	}
	fresh := newRecord(owner)
	cut("Create", func() error { c := fresh; return s.Create(t.Context(), &c) })
	if err := s.Create(t.Context(), &fresh); !errors.Is(err, sojourn.ErrExists) {
		t.Errorf("the repeated create gives %v: expected ErrExists", err)
	}
	cut("Touch", func() error { return s.Touch(t.Context(), &r, in(2*time.Hour)) })
	cut("RevokeOwner", func() error { _, err := s.RevokeOwner(t.Context(), owner); return err })
	cut("Load", func() error { _, err := s.Load(t.Context(), r.ID); return err })
	got, err := direct.Load(t.Context(), r.ID)
	if err != nil || got.OwnerGeneration != 1 || !got.Expires.After(r.Expires) {
		t.Errorf("after a touch and a revocation without answers: %+v, %v", got, err)
	}
	cut("Revoke", func() error { return s.Revoke(t.Context(), revocation(r)) })
	if _, err := direct.Load(t.Context(), r.ID); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("revoked without an answer: load gives %v", err)
	}
}

// warm makes a connection do everything once.
func warm(t *testing.T, s sojourn.Store) {
	t.Helper()
	r := create(t, s, unique("owner"))
	_, loaded := s.Load(t.Context(), r.ID)
	_, updated := s.Update(t.Context(), &r)
	_, raised := s.RevokeOwner(t.Context(), r.Owner)
	if err := errors.Join(loaded, updated, raised, s.Touch(t.Context(), &r, in(time.Minute)), s.Revoke(t.Context(), revocation(r))); err != nil {
		t.Fatal(err)
	}
}

// SlowServer lets many callers meet a server that has stopped to answer: each is
// told when its time is over, and none leaves anything behind.
func SlowServer(t *testing.T, e *Engine) {
	const callers, deadline = 100, 100 * time.Millisecond
	p := testenv.StartProxy(t, e.Addr)
	s := e.Open(t, p.Addr, 8)
	r := create(t, s, "")
	busy(t, s, r.ID, 8)
	idle := runtime.NumGoroutine()
	p.Freeze()
	most := 0
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			for n := range 5 {
				ctx, cancel := context.WithTimeout(t.Context(), deadline)
				began := time.Now()
				var err error
				if c := r; (i+n)%2 == 0 {
					_, err = s.Load(ctx, r.ID)
				} else {
					_, err = s.Update(ctx, &c)
				}
				took := time.Since(began)
				cancel()
				if !errors.Is(err, context.DeadlineExceeded) || verdict(err) {
					t.Errorf("a server that does not answer: %v: expected that the deadline was exceeded", err)
				}
				if took > deadline+2*time.Second {
					t.Errorf("an operation with a deadline of %v took %v", deadline, took)
				}
				mu.Lock()
				most = max(most, runtime.NumGoroutine())
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if limit := idle + callers + 20*8; most > limit { // some for each connection and caller, none for each call
		t.Errorf("%d goroutines while the server did not answer: expected at most %d", most, limit)
	}
	p.Thaw()
	testenv.Eventually(t, "the store recovers", 10*time.Second, func() error { return load(t, s, r.ID) })
	busy(t, s, r.ID, 8)
	p.Refuse(true)
	p.Cut()
	if err := load(t, s, r.ID); err == nil || verdict(err) {
		t.Errorf("a server that refuses connections: %v: expected an error that is no verdict", err)
	}
	p.Refuse(false)
	testenv.Eventually(t, "the store recovers again", 10*time.Second, func() error { return load(t, s, r.ID) })
}

// Restarts ends the server while connections rest, and starts it again: nobody
// notices.
func Restarts(t *testing.T, e *Engine) {
	s := e.Open(t, e.Addr, 8)
	r := create(t, s, "")
	busy(t, s, r.ID, 8)
	e.Server.Kill()
	e.Server.Start()
	for i := range 20 {
		if err := load(t, s, r.ID); err != nil {
			t.Fatalf("load %d after a restart: %v", i, err)
		}
		if err := s.Touch(t.Context(), &r, in(time.Hour)); err != nil {
			t.Fatalf("touch %d after a restart: %v", i, err)
		}
	}
}

func load(t *testing.T, s sojourn.Store, id sojourn.ID) error {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := s.Load(ctx, id)
	return err
}

// busy makes a store open its connections.
func busy(t *testing.T, s sojourn.Store, id sojourn.ID, conns int) {
	var wg sync.WaitGroup
	for range conns {
		wg.Go(func() {
			for range 20 {
				if err := load(t, s, id); err != nil {
					t.Errorf("load: %v", err)
				}
			}
		})
	}
	wg.Wait()
}
