package sqlstore

import (
	"context"
	"runtime"
	"sync"
)

const (
	// maxBatch bounds how many operations one transaction holds, and with it how
	// long other processes wait for theirs: about 5 ms of work.
	maxBatch = 256
	// maxQueue bounds how many operations wait; further ones wait to be let in.
	maxQueue = 4 * maxBatch
)

// A durability says what an operation waits for.
type durability int

const (
	durable durability = iota // its transaction is synced to the disk
	relaxed                   // its transaction is visible to everyone
)

// An op is one write that waits for its turn. The writer's goroutine owns it
// until it sends on done.
type op struct {
	ctx   context.Context
	needs durability
	run   func(*tx) error // an error is the engine's; run may be called again
	done  chan error      // room for one, so that the writer never waits
}

// A writer commits operations in groups: while one transaction is on its way to
// the disk, the next operations gather, and they leave together. Each operation
// is answered after the commit it is part of.
//
//	do → queue → gather (≤ maxBatch) → commit → answer
type writer struct {
	commit func([]*op) // answers each of them
	queue  chan *op
	idle   chan struct{} // closed when the last operation is answered

	mu     sync.RWMutex // held for reading while sending to queue
	closed bool
}

func startWriter(commit func([]*op)) *writer {
	w := &writer{commit: commit, queue: make(chan *op, maxQueue), idle: make(chan struct{})}
	go w.loop()
	return w
}

// write runs a write of s and returns what it found once it is stored.
func write[T any](ctx context.Context, s *Store, needs durability, run func(*tx) (T, error)) (T, error) {
	var found, none T
	err := s.writes.do(ctx, needs, func(t *tx) (err error) {
		found, err = run(t)
		return err
	})
	if err != nil {
		return none, err // found may still be written to: the operation may be under way
	}
	return found, nil
}

// do waits until run was part of a commit, or ctx ends. In the latter case the
// operation may still be stored, unless its batch has not begun.
func (w *writer) do(ctx context.Context, needs durability, run func(*tx) error) error {
	o := &op{ctx: ctx, needs: needs, run: run, done: make(chan error, 1)}
	if err := w.send(o); err != nil {
		return err
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		select {
		case err := <-o.done: // both were ready: the better answer
			return err
		default:
			return ctx.Err()
		}
	}
}

func (w *writer) send(o *op) error {
	if err := o.ctx.Err(); err != nil {
		return err
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	select {
	case w.queue <- o:
		return nil
	case <-o.ctx.Done():
		return o.ctx.Err()
	}
}

// stop lets no more operations in and returns when the last is answered.
func (w *writer) stop() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	close(w.queue)
	<-w.idle
}

func (w *writer) stopped() bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.closed
}

func (w *writer) loop() {
	defer close(w.idle)
	batch := make([]*op, 0, maxBatch)
	for o := range w.queue {
		w.settle()
		batch = append(batch[:0], o)
		for n := min(len(w.queue), maxBatch-1); n > 0; n-- {
			batch = append(batch, <-w.queue) // nobody else receives
		}
		if batch = dropEnded(batch); len(batch) > 0 {
			w.commit(batch)
		}
		clear(batch) // keep no payload alive
	}
}

// settle yields to the callers that the last commit has just answered, for as
// long as they bring new operations. Without it the first of them would get a
// transaction of its own, and so a sync of its own, and the others the next.
func (w *writer) settle() {
	for n := -1; n < len(w.queue) && n < maxBatch; {
		n = len(w.queue)
		runtime.Gosched()
	}
}

// dropEnded answers the operations nobody waits for any more, and keeps the rest.
func dropEnded(batch []*op) []*op {
	kept := batch[:0]
	for _, o := range batch {
		if err := o.ctx.Err(); err != nil {
			o.done <- err
			continue
		}
		kept = append(kept, o)
	}
	return kept
}
