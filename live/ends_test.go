package live_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// An old connection is ended so that it is made anew with all checks.
func TestMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, settings{pipes: true, rules: sojourn.Options{Policy: sojourn.Policy{Idle: 4 * time.Hour}}})
		p := s.login("ada")
		began := time.Now()
		for _, transport := range []string{"ws", "sse"} {
			l := p.mustConnect(transport, "")
			l.closed(t)
			if took := time.Since(began); l.code != 1012 || took < 24*time.Minute || took > 36*time.Minute+time.Second {
				t.Errorf("%s: %d after %v", transport, l.code, took)
			}
			began = time.Now()
		}
	})
}

// A page that answers no ping is given up.
func TestNoPong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, settings{pipes: true})
		p := s.login("ada")
		ws, _, err := websocket.Dial(t.Context(), s.base+"/_session/v1/ws", &websocket.DialOptions{HTTPClient: s.client, Subprotocols: []string{"session.v1"},
			HTTPHeader: http.Header{"Cookie": {p.cookie}, "Origin": {s.base}}})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for err == nil {
			_, _, err = ws.Read(t.Context())
		}
		if took := time.Since(began); websocket.CloseStatus(err) != 4009 || took > 70*time.Second {
			t.Errorf("%v after %v", err, took)
		}
	})
}

func TestDrainSpreadsReconnects(t *testing.T) {
	s := newSite(t, settings{hub: live.Options{DrainOver: 400 * time.Millisecond}})
	var links []*link
	p := s.login("ada")
	q := s.login("bob")
	for range 10 {
		links = append(links, p.mustConnect("ws", ""), p.mustConnect("sse", ""))
	}
	poll := q.mustConnect("poll", q.cursor())
	drained := make(chan error)
	began := time.Now()
	go func() { drained <- s.hub.Drain(t.Context()) }()
	var first, last time.Duration
	for i, l := range links {
		m := l.want(t, "drain")
		if !strings.Contains(string(m.Data), "after_ms") {
			t.Errorf("%s", m.Data)
		}
		l.closed(t)
		if l.code != 1012 {
			t.Errorf("%d: closed with %d", i, l.code)
		}
		last = time.Since(began)
		if i == 0 {
			first = last
		}
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
	if last > 3*time.Second {
		t.Errorf("from %v to %v", first, last)
	}
	poll.closed(t)
	for _, transport := range transports {
		if l, refused := q.connect(transport, ""); l != nil || refused != 503 {
			t.Errorf("%s while draining: %d", transport, refused)
		}
	}
	if poll.code != 503 {
		t.Errorf("the poll went on with %d", poll.code)
	}
}

// Over HTTP/2 a stream stays a request; it outlives the server's WriteTimeout.
func TestEventsOverHTTP2(t *testing.T) {
	s := newSite(t, settings{server: func(server *http.Server, transport *http.Transport) {
		server.Protocols, transport.Protocols = new(http.Protocols), new(http.Protocols)
		server.Protocols.SetUnencryptedHTTP2(true)
		transport.Protocols.SetUnencryptedHTTP2(true)
		server.WriteTimeout = 300 * time.Millisecond
	}})
	p := s.login("ada")
	l := p.mustConnect("sse", p.cursor())
	for range 3 {
		s.hub.Publish(t.Context(), live.ToSession(p.id), "app.n", 1)
		l.want(t, "app.n")
		time.Sleep(200 * time.Millisecond)
	}
	p.api("DELETE", "", "")
	l.want(t, "session.ended")
	if l.closed(t); l.code != 4402 {
		t.Errorf("closed with %d", l.code)
	}
	other := s.login("ada")
	l = other.mustConnect("sse", "")
	l.drop() // the server notices
	for s.hub.Connections() > 0 {
		time.Sleep(time.Millisecond)
	}
}
