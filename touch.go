package sojourn

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// A toucher moves idle deadlines off the request's way: one touch per session
// at a time, and a bounded number in all. One that finds no room is left to
// the next request of the session.
type toucher struct {
	mu      sync.Mutex
	pending map[ID]struct{}
	group   sync.WaitGroup
}

const touchesAtOnce = 256

func (t *toucher) wait() { t.group.Wait() }

func (m *Manager) touch(ctx context.Context, rec Record, expires time.Time) {
	if m.carried {
		m.touchNow(ctx, &rec, expires)
		return
	}
	t := &m.touches
	t.mu.Lock()
	_, busy := t.pending[rec.ID]
	if busy || len(t.pending) >= touchesAtOnce {
		t.mu.Unlock()
		return
	}
	if t.pending == nil {
		t.pending = make(map[ID]struct{})
	}
	t.pending[rec.ID] = struct{}{}
	t.group.Add(1)
	t.mu.Unlock()
	ctx = context.WithoutCancel(ctx)
	go func() {
		defer t.group.Done()
		defer func() {
			if cause := recover(); cause != nil { // of a store or an observer; net/http does not see it here
				m.opt.Logger.LogAttrs(ctx, slog.LevelError, "session touch panicked", slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
			}
			t.mu.Lock()
			delete(t.pending, rec.ID)
			t.mu.Unlock()
		}()
		m.touchNow(ctx, &rec, expires)
	}()
}

func (m *Manager) touchNow(ctx context.Context, rec *Record, expires time.Time) {
	err := m.call(ctx, m.opt.CommitTimeout, true, func(ctx context.Context) error { return m.store.Touch(ctx, rec, expires) })
	if err != nil {
		m.opt.Logger.LogAttrs(ctx, slog.LevelWarn, "session touch failed; its deadline stays where it was",
			slog.String("session", rec.ID.Masked()), slog.Any("error", err))
	}
}
