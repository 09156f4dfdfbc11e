package live

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// Drain prepares for the end of the process: new connections are refused, and
// those there are told to come back, to another server, at moments spread over
// Options.DrainOver, when they are closed. It returns when all have gone; if ctx
// ends before, they are closed at once and it returns ctx's error. Stop sending
// requests here before (readiness), and call http.Server.Shutdown afterwards,
// which does not know of these connections.
func (h *Hub) Drain(ctx context.Context) error {
	h.draining.Store(true)
	h.drainOnce.Do(func() { close(h.hurry) })
	over := h.opt.DrainOver
	h.each(func(s *session) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, c := range s.conns {
			c.drain(over)
		}
	})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for h.busy.Load() > 0 || h.tended() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			h.each(func(s *session) {
				s.mu.Lock()
				defer s.mu.Unlock()
				for _, c := range s.conns {
					c.close(codeRestart, "restart", true)
					if c.t != nil {
						go c.t.abort()
					}
				}
			})
			return fmt.Errorf("live: drain: %w", ctx.Err())
		}
	}
	return nil
}

func (h *Hub) tended() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tending
}

type drainBody struct {
	After int64 `json:"after_ms"`
}

// drain tells a page when to come back and closes its connection then.
func (c *conn) drain(over time.Duration) {
	after := rand.N(over)
	if c.signal != nil {
		c.after = after
		c.close(codeRestart, "restart", true)
		return
	}
	if !c.live {
		return // begin closes it
	}
	c.push(control("drain", drainBody{after.Milliseconds()}))
	time.AfterFunc(after, func() {
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		c.close(codeRestart, "restart", false)
	})
}
