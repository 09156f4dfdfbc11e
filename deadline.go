package sojourn

import (
	"context"
	"sync"
	"time"

	"github.com/sojournhq/sojourn/internal/fresh"
)

// A deadline gives one store call its own time limit. It keeps the values of
// the request's context and ignores its cancellation: a client that leaves
// must not cut a commit in half. The timer starts only when a store asks for
// it, so a store in memory pays for one small object, part of another.
type deadline struct {
	context.Context // for values
	limit           time.Duration
	fresh           bool // nothing cached will do

	mu    sync.Mutex
	ended ending
	armed *armed
}

type ending uint8

const (
	running ending = iota
	stopped        // the call returned
	expired
)

type armed struct {
	until time.Time
	done  chan struct{}
	timer *time.Timer
}

func withDeadline(ctx context.Context, limit time.Duration) *deadline {
	return &deadline{Context: ctx, limit: limit}
}

// Value holds one of its own: whether a store must ask its source.
func (d *deadline) Value(key any) any {
	if d.fresh && key == (fresh.Key{}) {
		return true
	}
	return d.Context.Value(key)
}

func (d *deadline) Deadline() (time.Time, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.arm().until, true
}

func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.arm().done
}

func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch d.ended {
	case stopped:
		return context.Canceled
	case expired:
		return context.DeadlineExceeded
	}
	return nil
}

func (d *deadline) arm() *armed {
	if d.armed == nil {
		d.armed = &armed{until: time.Now().Add(d.limit), done: make(chan struct{})}
		if d.ended != running {
			close(d.armed.done)
		} else {
			d.armed.timer = time.AfterFunc(d.limit, func() { d.end(expired) })
		}
	}
	return d.armed
}

func (d *deadline) end(how ending) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended != running {
		return
	}
	d.ended = how
	if d.armed != nil {
		close(d.armed.done)
		d.armed.timer.Stop()
	}
}

// stop releases the timer; the context counts as cancelled afterwards.
func (d *deadline) stop() { d.end(stopped) }
