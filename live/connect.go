package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/sojournhq/sojourn"
)

// admit goes the way of every connection from the request to the hello:
//
//	session of the cookie → registered, events wait → session read again →
//	log read after the cursor
//
// The second reading is what makes a revocation between the first one and the
// registration felt. The connection is registered but not live: begin or drop
// it. An error means that nothing is registered and nothing was answered.
func (h *Hub) admit(r *http.Request, signal chan struct{}) (c *conn, st sojourn.Status, page Page, err error) {
	ctx := r.Context()
	cookie, err := sojourn.From(ctx)
	if err != nil {
		return nil, st, page, err
	}
	cookie.Passive() // an open connection is no sign of life
	if err := h.enter(ctx); err != nil {
		return nil, st, page, err
	}
	defer func() { <-h.connecting }()
	if st, err = cookie.Status(ctx); err != nil {
		return nil, st, page, err
	}
	if st.State != sojourn.StateActive {
		return nil, st, page, &Ended{st.State, st.Reason}
	}
	if h.draining.Load() {
		return nil, st, page, ErrBusy
	}
	tags := h.tags(r, st) // the application's: it may panic
	if h.connections.Add(1) > int64(h.opt.MaxConnections) {
		h.connections.Add(-1)
		return nil, st, page, ErrBusy
	}
	h.busy.Add(1)
	s, err := h.follow(ctx, st, tags)
	if err != nil {
		err = h.deafTo(r, err)
	} else {
		c = &conn{s: s, signal: signal}
		if err = s.join(c); err != nil {
			s.release()
		}
	}
	if err != nil {
		h.connections.Add(-1)
		h.busy.Add(-1)
		return nil, st, page, err
	}
	if st, page, err = h.catchUp(r, c); err != nil {
		c.drop()
		return nil, st, page, err
	}
	return c, st, page, nil
}

// enter waits for a place among those who connect: when many come at once, more
// of them would only make all wait for the store, requests of the application too.
func (h *Hub) enter(ctx context.Context) error {
	select {
	case h.connecting <- struct{}{}:
		return nil
	default:
	}
	patience := time.NewTimer(enterWithin)
	defer patience.Stop()
	select {
	case h.connecting <- struct{}{}:
		return nil
	case <-patience.C:
		return ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// spread is over how long the pages of this process are to come back.
func (h *Hub) spread() time.Duration {
	return max(minSpread, time.Duration(h.connections.Load())*time.Second/perSecond)
}

// deafTo turns a failure of the backplane into ErrBusy: another node may reach
// it. The end of a session stays what it is.
func (h *Hub) deafTo(r *http.Request, err error) error {
	if dead := (*Ended)(nil); errors.As(err, &dead) {
		return err
	}
	h.logger.LogAttrs(r.Context(), slog.LevelError, "live: backplane failed", slog.Any("error", err))
	return fmt.Errorf("%w: %w", ErrBusy, err)
}

// catchUp reads the session again, and what it missed since the cursor.
func (h *Hub) catchUp(r *http.Request, c *conn) (st sojourn.Status, page Page, err error) {
	s := c.s
	s.mu.Lock()
	from := s.tail.position() // what follows waits in the tail
	s.mu.Unlock()
	if st, err = h.manager.Inspect(r.Context(), s.id); err != nil {
		return st, page, err
	}
	if st.State != sojourn.StateActive {
		return st, page, &Ended{st.State, st.Reason}
	}
	s.learn(st)
	page = Page{Position: from}
	if cursor, ok := ParsePosition(cursorOf(r)); ok {
		ctx, cancel := context.WithTimeout(r.Context(), readWithin)
		page, err = h.plane.Read(ctx, s.id, cursor)
		cancel()
		if err != nil {
			return st, page, h.deafTo(r, err)
		}
		if !page.Recovered && page.Position.Epoch != from.Epoch {
			page = Page{Position: from} // else the log's own: this node may be behind what the page has seen at another
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if page.Position.Epoch != s.tail.epoch { // the log ended, or began anew, meanwhile
		if s.ended {
			return st, page, &Ended{sojourn.StateEnded, s.reason}
		}
		page = Page{Position: s.tail.position()}
	}
	c.next = page.Position.Offset + 1
	return st, page, nil
}

// cursorOf finds the cursor of a request; a browser's EventSource sends it as
// Last-Event-ID when it reconnects by itself, which is newer.
func cursorOf(r *http.Request) string {
	if last := r.Header.Get("Last-Event-Id"); last != "" {
		return last
	}
	q, _ := url.ParseQuery(r.URL.RawQuery)
	return q.Get("cursor")
}

// greet makes the hello.
func (h *Hub) greet(r *http.Request, st sojourn.Status, page Page) frame {
	start := page.Position
	if page.Recovered {
		start, _ = ParsePosition(cursorOf(r))
	}
	return control("hello", hello{
		Recovered: page.Recovered,
		Cursor:    start.String(),
		Status:    h.face.Status(st),
		Ping:      h.opt.Ping.Milliseconds(),
		MaxAge:    h.opt.MaxAge.Milliseconds(),
		Spread:    h.spread().Milliseconds(),
	})
}

// crossSite refuses streams and polls of other sites. Pages of our own origin
// send no Origin with a GET; upgrades are checked by the Manager, exactly.
func crossSite(r *http.Request) error {
	if site := r.Header["Sec-Fetch-Site"]; site != nil && (len(site) != 1 || site[0] != "same-origin") {
		return sojourn.ErrCrossSite
	}
	if origin := r.Header["Origin"]; origin != nil {
		u, err := url.Parse(origin[0])
		if err != nil || len(origin) != 1 || u.Host != r.Host || u.Scheme != "https" && u.Scheme != "http" {
			return sojourn.ErrCrossSite
		}
	}
	return nil
}
