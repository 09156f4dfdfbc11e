package live

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/sojournhq/sojourn"
)

// Presence says that a session has come or gone: see Options.OnPresence.
type Presence struct {
	Session sojourn.ID
	Owner   string
	Present bool
}

// tellPresence calls the application. Its panic is its own: the connection is
// counted already, and the hub's goroutine serves everybody.
func (h *Hub) tellPresence(p Presence) {
	if h.opt.OnPresence == nil {
		return
	}
	defer func() {
		if cause := recover(); cause != nil {
			h.logger.LogAttrs(context.Background(), slog.LevelError, "live: OnPresence panicked", slog.Any("panic", cause), slog.String("stack", string(debug.Stack())))
		}
	}()
	h.opt.OnPresence(p)
}

// Present returns the sessions of a user, or of a topic, that have a page
// connected to any node, or had one in the last 10 s: a page that reloads or
// polls does not come and go.
func (h *Hub) Present(ctx context.Context, who Address) ([]sojourn.ID, error) {
	if !who.group() {
		return nil, fmt.Errorf("live: present: %w: address, expected an owner or a topic", sojourn.ErrInvalid)
	}
	ids, err := h.plane.Present(ctx, who.tag)
	if err != nil {
		return nil, fmt.Errorf("live: present: %w", err)
	}
	return ids, nil
}
