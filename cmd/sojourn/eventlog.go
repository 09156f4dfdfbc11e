package main

import (
	"context"
	"log/slog"

	"github.com/sojournhq/sojourn"
)

// eventLog writes the begins and ends of sessions to the log at level info.
// Warnings and, at level debug, all events are the Manager's own to log. An
// event holds no token and no value.
type eventLog struct{ logger *slog.Logger }

// Observe implements sojourn.Observer.
func (l eventLog) Observe(ctx context.Context, e sojourn.Event) {
	switch e.Kind {
	case sojourn.EventCreated, sojourn.EventEnded, sojourn.EventOwnerRevoked:
	default:
		return
	}
	if !l.logger.Enabled(ctx, slog.LevelInfo) || l.logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	var attrs []slog.Attr
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	text("id", string(e.ID))
	text("from", string(e.From))
	text("owner", e.Owner)
	text("reason", string(e.Reason))
	text("ip", e.IP)
	l.logger.LogAttrs(ctx, slog.LevelInfo, "session "+string(e.Kind), attrs...)
}
