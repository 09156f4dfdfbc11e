package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/sojournhq/sojourn"
)

var errEngine = errors.New("engine failed")

// fakeEngine answers each batch and notes how many operations it held.
type fakeEngine struct {
	batches []int
	gate    chan struct{} // nil: open
}

func (e *fakeEngine) commit(batch []*op) {
	if e.gate != nil {
		<-e.gate
	}
	e.batches = append(e.batches, len(batch))
	for _, o := range batch {
		o.done <- o.run(nil)
	}
}

func nothing(*tx) error { return nil }

func TestWaitingOperationsShareACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{gate: make(chan struct{})}
		w := startWriter(e.commit)
		var failed atomic.Int64
		for range 1 + maxBatch + 10 {
			go func() {
				if w.do(t.Context(), durable, nothing) != nil {
					failed.Add(1)
				}
			}()
			synctest.Wait() // the first is being committed, the others gather
		}
		close(e.gate)
		w.stop()
		if got := fmt.Sprint(e.batches); got != fmt.Sprint([]int{1, maxBatch, 10}) || failed.Load() != 0 {
			t.Errorf("batches of %v, %d failed: expected 1, %d and 10, and none failed", got, failed.Load(), maxBatch)
		}
	})
}

func TestAnOperationWhoseContextEndedIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{gate: make(chan struct{})}
		w := startWriter(e.commit)
		go w.do(t.Context(), durable, nothing)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		ran := false
		answer := make(chan error, 1)
		go func() {
			answer <- w.do(ctx, durable, func(*tx) error { ran = true; return nil })
		}()
		synctest.Wait()
		cancel()
		if err := <-answer; !errors.Is(err, context.Canceled) {
			t.Errorf("the waiter got %v: expected its context's error", err)
		}
		close(e.gate)
		w.stop()
		if ran {
			t.Error("the operation ran although nobody waited for it before its batch began")
		}
	})
}

func TestAFullQueueHoldsCallersBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{gate: make(chan struct{})}
		w := startWriter(e.commit)
		go w.do(t.Context(), durable, nothing)
		synctest.Wait()
		for range maxQueue {
			go w.do(t.Context(), durable, nothing)
		}
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		answer := make(chan error, 1)
		go func() { answer <- w.do(ctx, durable, nothing) }()
		synctest.Wait()
		if n := len(w.queue); n != maxQueue {
			t.Errorf("%d operations wait: expected %d", n, maxQueue)
		}
		cancel()
		if err := <-answer; !errors.Is(err, context.Canceled) {
			t.Errorf("a caller that was not let in got %v: expected its context's error", err)
		}
		close(e.gate)
		w.stop()
	})
}

func TestStopFinishesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{gate: make(chan struct{})}
		w := startWriter(e.commit)
		answers := make(chan error, 10)
		for range cap(answers) {
			go func() { answers <- w.do(t.Context(), durable, nothing) }()
		}
		synctest.Wait()
		go func() { close(e.gate) }()
		w.stop()
		for range cap(answers) {
			if err := <-answers; err != nil {
				t.Errorf("an operation that waited got %v", err)
			}
		}
		if err := w.do(t.Context(), durable, nothing); !errors.Is(err, ErrClosed) {
			t.Errorf("an operation after stop got %v: expected ErrClosed", err)
		}
	})
}

// An engine's error in one operation undoes the transaction; the others must
// not share its fate.
func TestAFailedOperationFailsAlone(t *testing.T) {
	s := open(t)
	const n = 20
	failing := func(i int) bool { return i%7 == 3 }
	answers := make([]error, n)
	batch := make([]*op, n)
	for i := range batch {
		batch[i] = &op{ctx: t.Context(), done: make(chan error, 1), run: func(tx *tx) error {
			if _, err := tx.exec(s.dialect.revokeOwner, fmt.Sprint("owner-", i)); err != nil {
				return err
			}
			if failing(i) {
				return errEngine
			}
			return nil
		}}
	}
	b := borrowBatcher(t, s)
	b.commit(batch)
	for i, o := range batch {
		answers[i] = <-o.done
	}
	for i, err := range answers {
		if failing(i) != errors.Is(err, errEngine) {
			t.Errorf("operation %d got %v", i, err)
		}
		gen, err := s.RevokeOwner(t.Context(), fmt.Sprint("owner-", i))
		if err != nil {
			t.Fatal(err)
		}
		want := uint64(2)
		if failing(i) {
			want = 1
		}
		if gen != want {
			t.Errorf("operation %d: generation is %d: expected %d", i, gen, want)
		}
	}
}

// A lost race is an answer, not a failure: the transaction goes on.
func TestAConflictLeavesItsBatchAlone(t *testing.T) {
	s := open(t)
	records := make([]sojourn.Record, 64)
	for i := range records {
		records[i] = create(t, s, numbered(i), "")
	}
	each(len(records), func(i int) {
		r := records[i]
		if i%2 == 1 {
			r.Version++
		}
		current, err := s.Update(t.Context(), &r)
		switch {
		case i%2 == 0 && (err != nil || r.Version != records[i].Version+1):
			t.Errorf("update of the right version: %v", err)
		case i%2 == 1 && (!errors.Is(err, sojourn.ErrConflict) || current.Version != records[i].Version):
			t.Errorf("update of a wrong version: %v with version %d: expected a conflict with %d", err, current.Version, records[i].Version)
		}
	})
}

// borrowBatcher makes a second batcher on the connection of s that writes, which
// must be idle meanwhile.
func borrowBatcher(t *testing.T, s *Store) *batcher {
	t.Helper()
	var b *batcher
	err := s.writes.do(t.Context(), durable, func(tx *tx) error {
		b = &batcher{tx: *tx, synced: true}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
