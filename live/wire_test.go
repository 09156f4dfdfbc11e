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

// A dead session is told why: by close code on a WebSocket, by 401 elsewhere.
func TestDeadSessionIsToldWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, settings{rules: quarter, pipes: true})
		for _, c := range []struct {
			name string
			end  func(p *page)
			code int
		}{
			{"expired", func(*page) { time.Sleep(16 * time.Minute) }, 4401},
			{"revoked", func(p *page) { s.manager.Revoke(t.Context(), p.id, sojourn.ReasonRevoked) }, 4402},
			{"own reason", func(p *page) { s.manager.Revoke(t.Context(), p.id, "fired") }, 4402},
			{"logged in anew", func(p *page) { old := p.cookie; p.relogin("ada"); p.cookie = old }, 4011},
			{"another user", func(p *page) { old := p.cookie; p.relogin("bob"); p.cookie = old }, 4011},
			{"no cookie", func(p *page) { p.cookie = "" }, 4404},
			{"made-up cookie", func(p *page) { p.cookie = "sojourn=" + strings.Repeat("A", 56) }, 4404},
		} {
			p := s.login("ada")
			c.end(p)
			for _, transport := range transports {
				want := 401
				if transport == "ws" {
					want = c.code
				}
				if l, refused := p.connect(transport, ""); l != nil || refused != want {
					t.Errorf("%s, %s: refused with %d, want %d", c.name, transport, refused, want)
				}
			}
		}
	})
}

// Rotation of the secret keeps the connection; a change of the principal closes
// it with 4011.
func TestRotationKeepsAndLoginCloses(t *testing.T) {
	s := newSite(t, settings{})
	for _, transport := range []string{"ws", "sse"} {
		p := s.login("ada")
		l := p.mustConnect(transport, p.cursor())
		before := p.cookie
		p.get("/renew")
		if p.cookie == before {
			t.Fatal("not renewed")
		}
		l.want(t, "session.rotated")
		s.hub.Publish(t.Context(), live.ToSession(p.id), "app.n", 1)
		l.want(t, "app.n")
		p.relogin("bob")
		if m := l.want(t, "session.ended"); string(m.Data) != `{"reason":"replaced"}` {
			t.Errorf("%s", m.Data)
		}
		if l.closed(t); l.code != 4011 {
			t.Errorf("%s: closed with %d", transport, l.code)
		}
	}
}

// Ending the other sessions of a user leaves the pages of this one connected.
func TestRevokeOthersKeepsOwnPages(t *testing.T) {
	s := newSite(t, settings{})
	keep, other := s.login("ada"), s.login("ada")
	l, gone := keep.mustConnect("ws", keep.cursor()), other.mustConnect("ws", "")
	if status, body := keep.api("DELETE", "", `{"scope":"others"}`); status != 204 {
		t.Fatal(status, body)
	}
	if gone.closed(t); gone.code != 4402 {
		t.Errorf("the other one: %d", gone.code)
	}
	time.Sleep(50 * time.Millisecond)
	s.hub.Publish(t.Context(), live.ToOwner("ada"), "app.n", 1)
	l.want(t, "app.n")
}

// A page of another origin, a sibling subdomain's too, gets nowhere.
func TestForeignOriginIsRefused(t *testing.T) {
	s := newSite(t, settings{})
	p := s.login("ada")
	dial := func(header ...string) int {
		h := http.Header{"Cookie": {p.cookie}}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		ws, resp, err := websocket.Dial(t.Context(), s.base+"/_session/v1/ws", &websocket.DialOptions{HTTPClient: s.client, Subprotocols: []string{"session.v1"}, HTTPHeader: h})
		if err == nil {
			ws.CloseNow()
			return 101
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	host := strings.TrimPrefix(s.base, "http://")
	for _, c := range []struct {
		origin string
		want   int
	}{{s.base, 101}, {"https://" + host, 403}, {"http://sub." + host, 403}, {"http://127.0.0.1:1", 403}, {"http://127.0.0.1", 403}, {"https://evil.example", 403}, {"null", 403}} {
		if got := dial("Origin", c.origin); got != c.want {
			t.Errorf("ws from %s: %d, want %d", c.origin, got, c.want)
		}
	}
	if got := dial(); got != 403 {
		t.Errorf("ws with a cookie and without Origin: %d", got)
	}
	for _, path := range []string{"events", "poll?wait=0"} {
		for _, c := range [][2]string{{"Origin", "https://evil.example"}, {"Origin", "http://sub." + host}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "none"}} {
			if status, _ := p.api("GET", path, "", c[0], c[1]); status != 403 {
				t.Errorf("%s with %s: %s: %d", path, c[0], c[1], status)
			}
		}
	}
	if status, _ := p.api("GET", "poll?wait=0", "", "Origin", s.base, "Sec-Fetch-Site", "same-origin"); status != 200 {
		t.Errorf("own poll: %d", status)
	}
}

func TestTooManyConnectionsAreRefused(t *testing.T) {
	s := newSite(t, settings{hub: live.Options{MaxPerSession: 2, MaxConnections: 3}})
	p := s.login("ada")
	first, second := p.mustConnect("ws", ""), p.mustConnect("sse", "")
	for transport, want := range map[string]int{"ws": 4429, "sse": 429, "poll": 429} {
		if l, refused := p.connect(transport, ""); l != nil || refused != want {
			t.Errorf("%s: %d, want %d", transport, refused, want)
		}
	}
	q := s.login("bob")
	third := q.mustConnect("ws", "")
	if l, refused := q.connect("sse", ""); l != nil || refused != 503 {
		t.Errorf("a server that is full: %d", refused)
	}
	if l, refused := q.connect("ws", ""); l != nil || refused != 1013 {
		t.Errorf("a server that is full: %d", refused)
	}
	first.drop() // makes room for others
	for {
		if l, _ := p.connect("ws", ""); l != nil {
			l.drop()
			break
		}
	}
	second.drop()
	third.drop()
}
