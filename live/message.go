package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/sojournhq/sojourn"
)

// A Message is what a page sent.
type Message struct {
	Session sojourn.ID
	Owner   string // "" for nobody
	Type    string // begins with "app."
	// ID is the page's own name for the message, "" if it wants no answer. A
	// message that is sent again has the same.
	ID   string
	Data json.RawMessage // as sent: check it
}

// Receive hands a message of a page to Options.OnMessage and returns the reply
// as JSON. The session is read first: one that has ended says nothing more.
func (h *Hub) Receive(ctx context.Context, m Message) (json.RawMessage, error) {
	if h.opt.OnMessage == nil || !appType(m.Type) || len(m.ID) > maxCID {
		return nil, ErrRejected
	}
	s, err := h.manager.Open(ctx, m.Session)
	if err != nil {
		return nil, fmt.Errorf("live: message: %w", err)
	}
	ctx = sojourn.NewContext(ctx, s)
	if m.Owner, err = s.Owner(ctx); err != nil {
		return nil, fmt.Errorf("live: message: %w", err)
	}
	reply, err := h.handle(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("live: message %s: %w", m.Type, err)
	}
	if err := s.Save(ctx); err != nil {
		return nil, fmt.Errorf("live: message %s: %w", m.Type, err)
	}
	if reply == nil {
		return nil, nil
	}
	raw, err := json.Marshal(reply)
	if err == nil && len(raw) > h.opt.MaxMessage {
		err = sojourn.ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("live: reply to %s: %w", m.Type, err)
	}
	return raw, nil
}

// handle calls the application. It runs on no goroutine of net/http, where a
// panic would end one request only, so it has to see to that itself.
func (h *Hub) handle(ctx context.Context, m Message) (reply any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return h.opt.OnMessage(ctx, m)
}

// hear takes one frame of a page. What is no frame closes the connection.
func (c *conn) hear(b []byte) {
	f, ok := decodeFrame(b)
	s := c.s
	s.mu.Lock()
	c.heard = time.Now()
	if !ok {
		c.close(codeProtocol, "malformed frame", true)
	}
	s.mu.Unlock()
	switch {
	case !ok, f.typ == "pong":
	case f.typ == "activity":
		s.activity(f.ago)
	case appType(f.typ):
		reply, err := s.hub.Receive(context.Background(), Message{Session: s.id, Type: f.typ, ID: f.cid, Data: f.data})
		switch {
		case err != nil:
			c.reply(answer("error", f.cid, errorBody{s.hub.errorCode(err)}))
		case f.cid != "":
			c.reply(answer("ack", f.cid, reply))
		}
	default:
		c.reply(answer("error", f.cid, errorBody{"unknown_type"}))
	}
}

func (c *conn) reply(f frame) {
	c.s.mu.Lock()
	c.push(f)
	c.s.mu.Unlock()
}

// errorCode is what a page is told of a failure; the log is told the rest.
func (h *Hub) errorCode(err error) string {
	switch {
	case errors.Is(err, ErrRejected):
		return "rejected"
	case errors.Is(err, sojourn.ErrInvalid):
		return "invalid"
	case errors.Is(err, sojourn.ErrTooLarge):
		return "too_large"
	case errors.Is(err, sojourn.ErrNotFound):
		return "session_ended"
	case errors.Is(err, sojourn.ErrUnavailable), errors.Is(err, sojourn.ErrConflict):
		return "store_unavailable"
	}
	h.logger.LogAttrs(context.Background(), slog.LevelError, "live: message failed", slog.Any("error", err))
	return "internal"
}

// activity takes a page's report that its user did something that long ago. It
// counts as Extend does, at most once per twentieth of the idle timeout, or 15 s
// where that is more, so that many tabs of a busy user cost few writes.
func (s *session) activity(ago time.Duration) {
	now := time.Now()
	s.mu.Lock()
	if now.Before(s.activeAt) || s.ended {
		s.mu.Unlock()
		return
	}
	s.activeAt = now.Add(15 * time.Second)
	s.mu.Unlock()
	ctx := context.Background()
	open, err := s.hub.manager.Open(ctx, s.id)
	if err == nil {
		var st sojourn.Status
		if st, err = open.Status(ctx); err == nil {
			s.mu.Lock()
			s.activeAt = now.Add(max(st.Idle/20, min(15*time.Second, st.Idle/4)))
			s.mu.Unlock()
			if st.ActivityCounts(ago) {
				err = open.Extend(ctx)
			}
		}
	}
	if err != nil && !errors.Is(err, sojourn.ErrNotFound) && !errors.Is(err, sojourn.ErrAbsoluteLimit) {
		s.hub.logger.LogAttrs(ctx, slog.LevelWarn, "live: activity could not be counted", slog.Any("error", err))
	}
}
