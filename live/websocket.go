package live

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

const subprotocol = "session.v1"

// WebSocket answers GET /ws. A dead session, or one connection too many, is told
// by a close code, since a browser shows nothing of a refused handshake.
//
// The Manager has checked the Origin exactly, before: see Manager.Handler.
func (h *Hub) WebSocket(w http.ResponseWriter, r *http.Request) error {
	c, st, page, err := h.admit(r, nil)
	var dead *Ended
	switch {
	case errors.As(err, &dead):
		h.refuse(w, r, endCode(dead.Reason), closeText(dead.Reason))
		return nil
	case errors.Is(err, ErrTooMany):
		h.refuse(w, r, codeTooMany, "too many connections")
		return nil
	case errors.Is(err, ErrBusy) && !h.draining.Load():
		h.refuse(w, r, codeOverload, "overload")
		return nil
	case err != nil:
		return err
	}
	t, err := h.accept(w, r)
	if err != nil { // answered already
		c.drop()
		return nil
	}
	ws := t.ws
	if ws.Subprotocol() != subprotocol {
		c.drop()
		_ = ws.Close(websocket.StatusCode(codeProtocol), "expected subprotocol "+subprotocol)
		return nil
	}
	h.busy.Add(1)
	go c.read(t) // the handler returns, so that net/http keeps nothing of the request
	c.begin(t, h.greet(r, st, page), page.Events)
	return nil
}

func (h *Hub) accept(w http.ResponseWriter, r *http.Request) (*socket, error) {
	under := &slim{ResponseWriter: w}
	ws, err := websocket.Accept(under, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // checked by the Manager
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(int64(h.opt.MaxMessage) + 1<<10) // and what is around the data
	return &socket{ws, under.out, under.in}, nil
}

// refuse upgrades only to say why.
func (h *Hub) refuse(w http.ResponseWriter, r *http.Request, code code, reason string) {
	if t, err := h.accept(w, r); err == nil {
		t.close(code, reason)
	}
}

// read hears what the page says until the connection ends. It waits on a small
// stack; what comes is read on another one, which is larger and soon gone.
func (c *conn) read(t *socket) {
	defer c.s.hub.busy.Add(-1)
	heard := make(chan bool)
	for t.in.wait() {
		go c.readOne(t.ws, heard)
		if !<-heard {
			break
		}
	}
	c.drop()
	_ = t.ws.CloseNow()
}

func (c *conn) readOne(ws *websocket.Conn, heard chan<- bool) {
	typ, b, err := ws.Read(context.Background())
	if err == nil {
		if typ != websocket.MessageText {
			b = nil // as malformed
		}
		c.hear(b)
	}
	heard <- err == nil
}

// A socket is a WebSocket as a transport.
type socket struct {
	ws  *websocket.Conn
	out *outlet
	in  *inlet
}

func (s *socket) write(_ string, frames []frame) error {
	s.out.hold()
	var err error
	for i := range frames {
		if err = s.ws.Write(context.Background(), websocket.MessageText, frames[i].body); err != nil {
			break
		}
	}
	if e := s.out.release(); err == nil {
		err = e
	}
	return err
}

func (s *socket) close(code code, reason string) {
	s.in.close()
	_ = s.ws.Close(websocket.StatusCode(code), reason)
}

func (s *socket) abort()        { _ = s.ws.CloseNow() }
func (s *socket) answers() bool { return true }

// slim gives the connection small buffers of its own: those of net/http are
// 4 KiB each and would stay for as long as the connection does.
type slim struct {
	http.ResponseWriter
	out *outlet // once hijacked
	in  *inlet
}

const (
	slimReader = 256 // pages say little
	slimWriter = 16  // the outlet holds what belongs together
)

func (s *slim) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *slim) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, brw, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	s.out = &outlet{conn: conn}
	n := brw.Reader.Buffered()
	early, _ := brw.Reader.Peek(n)
	s.in = &inlet{Conn: conn}
	s.in.buffer = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(early)), s.in), max(n, slimReader))
	_, _ = s.in.buffer.Peek(n) // as buffered as it was
	return s.in, bufio.NewReadWriter(s.in.buffer, bufio.NewWriterSize(s.out, slimWriter)), nil
}
