package live_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A message is a frame as a page gets it.
type message struct {
	ID   string          `json:"id"`
	Type string          `json:"type"`
	CID  string          `json:"cid"`
	Rev  uint64          `json:"rev"`
	Data json.RawMessage `json:"data"`

	at time.Time // received
}

type greeting struct {
	Recovered bool            `json:"recovered"`
	Cursor    string          `json:"cursor"`
	Status    json.RawMessage `json:"status"`
}

// A link is a connection over any transport. frames is closed at its end, when
// code and reason say why.
type link struct {
	hello  greeting
	frames chan message
	code   int
	reason string
	ws     *websocket.Conn
	cancel context.CancelFunc
	done   chan struct{}
}

var transports = []string{"ws", "sse", "poll"}

// connect opens a link and waits for its hello; nil if it was refused, with an
// HTTP status, or a close code.
func (p *page) connect(transport, cursor string) (*link, int) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &link{frames: make(chan message, 4096), cancel: cancel, done: make(chan struct{})}
	var first message
	var refused int
	switch transport {
	case "ws":
		first, refused = p.connectWS(ctx, l, cursor)
	case "sse":
		first, refused = p.connectSSE(ctx, l, cursor)
	case "poll":
		refused = p.connectPoll(ctx, l, cursor)
		if refused == 0 {
			return l, 0
		}
	}
	if refused != 0 {
		cancel()
		return nil, refused
	}
	if first.Type != "hello" || json.Unmarshal(first.Data, &l.hello) != nil {
		p.t.Fatalf("%s: first frame %s %s", transport, first.Type, first.Data)
	}
	return l, 0
}

func (p *page) mustConnect(transport, cursor string) *link {
	p.t.Helper()
	l, refused := p.connect(transport, cursor)
	if l == nil {
		p.t.Fatalf("%s: refused with %d", transport, refused)
	}
	return l
}

// drop ends a link without saying so.
func (l *link) drop() {
	l.cancel()
	if l.ws != nil {
		l.ws.CloseNow()
	}
	<-l.done
}

// want returns the next frame, which must be of the type; pings are passed over.
func (l *link) want(t testing.TB, typ string) message {
	t.Helper()
	timeout := time.NewTimer(2 * time.Hour) // the test's own limit is met before; under a fake clock this is
	defer timeout.Stop()
	for {
		select {
		case m, ok := <-l.frames:
			switch {
			case !ok:
				t.Fatalf("closed with %d %q, want %s", l.code, l.reason, typ)
			case m.Type == typ:
				return m
			case m.Type == "ping", m.Type == "session.status":
				continue
			}
			t.Fatalf("frame %s %s, want %s", m.Type, m.Data, typ)
		case <-timeout.C:
			t.Fatalf("no frame, want %s", typ)
		}
	}
}

// closed waits for the end and returns what was still sent.
func (l *link) closed(t testing.TB) (rest []message) {
	t.Helper()
	for m := range l.frames {
		rest = append(rest, m)
	}
	return rest
}
