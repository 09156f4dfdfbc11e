package sojourn

import (
	"context"
	"sync"
	"time"
)

// A deadline gives one store call its own time limit. It keeps the values of
// the request's context and ignores its cancellation: a client that leaves
// must not cut a commit in half. The timer starts only when a store asks for
// it, so a store in memory pays one small allocation.
type deadline struct {
	context.Context // for values
	limit           time.Duration

	mu    sync.Mutex
	until time.Time
	done  chan struct{}
	err   error
	timer *time.Timer
}

func withDeadline(ctx context.Context, limit time.Duration) *deadline {
	return &deadline{Context: ctx, limit: limit}
}

func (d *deadline) Deadline() (time.Time, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.arm(), true
}

func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.arm()
	return d.done
}

func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

func (d *deadline) arm() time.Time {
	if d.done == nil {
		d.done = make(chan struct{})
		if d.err != nil {
			close(d.done)
		} else {
			d.until = time.Now().Add(d.limit)
			d.timer = time.AfterFunc(d.limit, func() { d.end(context.DeadlineExceeded) })
		}
	}
	return d.until
}

func (d *deadline) end(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return
	}
	d.err = err
	if d.done != nil {
		close(d.done)
		d.timer.Stop()
	}
}

// stop releases the timer; the context counts as cancelled afterwards.
func (d *deadline) stop() { d.end(context.Canceled) }
