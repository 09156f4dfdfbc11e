package live

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Events answers GET /events with a stream of server-sent events. Over HTTP/1.1
// it takes the connection over and returns, so that an idle stream costs a
// socket and one sleeping goroutine; over HTTP/2 it returns when the stream
// ends.
func (h *Hub) Events(w http.ResponseWriter, r *http.Request) error {
	if err := crossSite(r); err != nil {
		return err
	}
	c, st, page, err := h.admit(r, nil)
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Accel-Buffering", "no") // nginx would hold events back
	greeting := h.greet(r, st, page)
	rc := http.NewResponseController(w)
	if r.ProtoMajor == 1 {
		raw, brw, err := rc.Hijack()
		switch {
		case err == nil:
			if brw.Reader.Buffered() > 0 { // a request behind this one would wait for ever
				raw.Close()
				c.drop()
				return nil
			}
			h.busy.Add(1)
			c.park(raw, header)
			c.begin(&parked{raw}, greeting, page.Events)
			return nil
		case !errors.Is(err, http.ErrNotSupported): // answered: the session could not be committed
			c.drop()
			return nil
		}
	}
	t := &stream{w: w, rc: rc, done: make(chan struct{})}
	if err := rc.Flush(); err != nil {
		c.drop()
		return fmt.Errorf("live: events: %w", err)
	}
	c.begin(t, greeting, page.Events)
	select {
	case <-t.done:
	case <-r.Context().Done():
		t.abort()
	}
	c.drop()
	t.mu.Lock() // a write under way ends before the handler does
	defer t.mu.Unlock()
	return nil
}

// park sends the head of the answer and waits for the client to go.
func (c *conn) park(raw net.Conn, header http.Header) {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\n")
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	header.Set("Connection", "close") // the end of the body is the end of the connection
	_ = header.Write(&b)
	b.WriteString("\r\n")
	_ = raw.SetWriteDeadline(time.Now().Add(writeWithin))
	_, _ = raw.Write(b.Bytes()) // what fails here fails again at the first event
	go c.listen(raw)
}

func (c *conn) listen(raw net.Conn) {
	defer c.s.hub.busy.Add(-1)
	var b [1]byte
	_, _ = raw.Read(b[:]) // a client of a stream says nothing until it closes
	c.drop()
	raw.Close()
}

// appendEvent writes a frame as a server-sent event. Bodies are JSON without
// line breaks.
func appendEvent(b []byte, f *frame) []byte {
	if f.id != "" {
		b = append(append(append(b, "id: "...), f.id...), '\n')
	}
	b = append(append(append(b, "event: "...), f.typ...), '\n')
	b = append(append(append(b, "data: "...), f.body...), '\n', '\n')
	return b
}

func appendEvents(frames []frame) []byte {
	size := 0
	for i := range frames {
		size += len(frames[i].body) + 80
	}
	b := make([]byte, 0, size)
	for i := range frames {
		b = appendEvent(b, &frames[i])
	}
	return b
}

type closeBody struct {
	Code   code   `json:"code"`
	Reason string `json:"reason"`
}

// lastWords take the place of a close code.
func lastWords(code code, reason string) []frame {
	return []frame{control("close", closeBody{code, reason})}
}

// parked is a stream whose connection was taken over from net/http.
type parked struct{ conn net.Conn }

func (p *parked) write(_ string, frames []frame) error {
	_ = p.conn.SetWriteDeadline(time.Now().Add(writeWithin))
	_, err := p.conn.Write(appendEvents(frames))
	return err
}

func (p *parked) close(code code, reason string) {
	_ = p.write("", lastWords(code, reason))
	p.conn.Close()
}

func (p *parked) abort()        { p.conn.Close() }
func (p *parked) answers() bool { return false }

// A stream is an answer of net/http whose handler waits.
type stream struct {
	mu   sync.Mutex // net/http must not be written to once the handler has returned
	w    http.ResponseWriter
	rc   *http.ResponseController
	done chan struct{}
	over bool
}

func (s *stream) write(_ string, frames []frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return context.Canceled
	}
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeWithin))
	defer s.rc.SetWriteDeadline(time.Time{}) // an idle stream outlives the server's WriteTimeout; HTTP/2 resets one at its deadline
	if _, err := s.w.Write(appendEvents(frames)); err != nil {
		return err
	}
	return s.rc.Flush()
}

func (s *stream) close(code code, reason string) {
	_ = s.write("", lastWords(code, reason))
	s.abort()
}

func (s *stream) abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over = true
		close(s.done)
	}
}

func (s *stream) answers() bool { return false }
