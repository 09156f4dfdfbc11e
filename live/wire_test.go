package live_test

import (
	"context"
	"encoding/json"
	"errors"
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

// Coalescing: many changes in quick succession leave as few events, the newest
// of which says how things stand.
func TestChangesAreCoalesced(t *testing.T) {
	s := newSite(t, settings{})
	p := s.login("ada")
	l := p.mustConnect("ws", p.cursor())
	var last struct{ Rev uint64 }
	for n := range 40 {
		_, body := p.api("PUT", "data/ui.n", string('0'+rune(n%10)), "If-Match", "*")
		json.Unmarshal([]byte(body), &last)
	}
	_, body := p.api("PUT", "data/big", `"`+strings.Repeat("x", 5000)+`"`, "If-Match", "*")
	json.Unmarshal([]byte(body), &last)
	events := 0
	for {
		m := l.want(t, "session.data")
		events++
		if m.Rev != last.Rev {
			continue
		}
		var data struct {
			Keys   []string
			Values map[string]json.RawMessage
		}
		json.Unmarshal(m.Data, &data)
		if _, sent := data.Values["big"]; sent || !strings.Contains(string(m.Data), `"big"`) {
			t.Errorf("a large member: %s", m.Data)
		}
		break
	}
	if events > 30 {
		t.Errorf("%d events for 41 changes", events)
	}
	p.api("PATCH", "data", `{"big":null}`, "If-Match", "*", "Content-Type", "application/merge-patch+json")
	if m := l.want(t, "session.data"); !strings.Contains(string(m.Data), `"deleted":["big"]`) {
		t.Errorf("%s", m.Data)
	}
	// What pages may not read is not told.
	err := s.manager.Do(t.Context(), p.id, func(ctx context.Context) error { return sojourn.Key[int]("hidden").Set(ctx, 1) })
	if err != nil {
		t.Fatal(err)
	}
	s.hub.Publish(t.Context(), live.ToSession(p.id), "app.after", nil)
	time.Sleep(60 * time.Millisecond)
	l.want(t, "app.after")
	if len(l.frames) != 0 {
		t.Errorf("%+v", <-l.frames)
	}
}

func TestTopicsAndPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan live.Presence, 10)
		s := newSite(t, settings{pipes: true, hub: live.Options{
			Topics:     func(_ context.Context, st sojourn.Status) []string { return []string{"room-" + st.Owner[:1]} },
			OnPresence: func(p live.Presence) { seen <- p },
		}})
		ada, alan, bob := s.login("ada"), s.login("alan"), s.login("bob")
		la, ll, lb := ada.mustConnect("ws", ""), alan.mustConnect("sse", ""), bob.mustConnect("ws", "")
		if err := s.hub.Publish(t.Context(), live.ToTopic("room-a"), "app.hi", 1); err != nil {
			t.Fatal(err)
		}
		la.want(t, "app.hi")
		ll.want(t, "app.hi")
		s.hub.Publish(t.Context(), live.ToTopic("room-b"), "app.ho", 1)
		lb.want(t, "app.ho")
		for _, to := range []live.Address{{}, live.ToOwner(""), live.ToTopic(""), live.ToSession("")} {
			if err := s.hub.Publish(t.Context(), to, "app.x", 1); err == nil {
				t.Errorf("published to %+v", to)
			}
		}
		present := func(who live.Address) int {
			ids, err := s.hub.Present(t.Context(), who)
			if err != nil {
				t.Fatal(err)
			}
			return len(ids)
		}
		if present(live.ToTopic("room-a")) != 2 || present(live.ToOwner("ada")) != 1 || present(live.ToOwner("eve")) != 0 {
			t.Error("presence is wrong")
		}
		la.drop()
		time.Sleep(5 * time.Second)
		if present(live.ToOwner("ada")) != 1 {
			t.Error("a reload makes a user absent")
		}
		time.Sleep(10 * time.Second)
		if present(live.ToOwner("ada")) != 0 {
			t.Error("a user without a page is present")
		}
		for range 3 {
			if p := <-seen; !p.Present {
				t.Errorf("%+v", p)
			}
		}
		if p := <-seen; p.Present || p.Owner != "ada" || p.Session != ada.id {
			t.Errorf("%+v", p)
		}
	})
}

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

func TestSendByHTTP(t *testing.T) {
	s := newSite(t, settings{hub: live.Options{OnMessage: func(ctx context.Context, m live.Message) (any, error) {
		if m.Type != "app.add" {
			return nil, live.ErrRejected
		}
		n, err := sojourn.Counter("n").Add(ctx, 1)
		return map[string]any{"n": n, "id": m.ID}, err
	}}})
	p := s.login("ada")
	if status, body := p.api("POST", "send", `{"type":"app.add","data":1}`, "Idempotency-Key", "k1"); status != 200 || strings.TrimSpace(body) != `{"data":{"id":"k1","n":1}}` {
		t.Errorf("%d %s", status, body)
	}
	if status, body := p.api("POST", "send", `{"type":"app.add"}`); status != 200 || !strings.Contains(body, `"n":2`) {
		t.Errorf("%d %s", status, body)
	}
	for body, want := range map[string]int{`{"type":"app.other"}`: 422, `{"type":"other"}`: 422, `{}`: 400, `[]`: 400, `{"type":1}`: 400} {
		if status, answer := p.api("POST", "send", body); status != want {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}

// A panic of the application's handler fails its message only.
func TestPanicOfTheHandler(t *testing.T) {
	s := newSite(t, settings{hub: live.Options{OnMessage: func(context.Context, live.Message) (any, error) { panic("oops") }}})
	p := s.login("ada")
	l := p.mustConnect("ws", "")
	for range 2 {
		l.ws.Write(t.Context(), websocket.MessageText, []byte(`{"type":"app.x","cid":"1"}`))
		if m := l.want(t, "error"); string(m.Data) != `{"code":"internal"}` {
			t.Errorf("%s", m.Data)
		}
	}
}

// The status of a session survives a backplane that does not answer.
func TestStatusWithoutBackplane(t *testing.T) {
	plane := &sick{Backplane: failing{live.InProcess(live.Retention{})}}
	s := newSite(t, settings{hub: live.Options{Backplane: plane}})
	p := s.login("ada")
	st := p.status()
	if st["state"] != "active" || st["cursor"] != nil || len(st["transports"].([]any)) != 3 {
		t.Errorf("%v", st)
	}
	if l, refused := p.connect("sse", ""); l != nil || refused != 503 {
		t.Errorf("connected, or refused with %d", refused)
	}
	if n := s.hub.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

type failing struct{ live.Backplane }

func (failing) Open(context.Context, sojourn.ID, []string) (live.Position, error) {
	return live.Position{}, errors.New("no answer")
}

func (failing) Watch(context.Context, sojourn.ID, []string, live.Follower) (live.Position, func(), error) {
	return live.Position{}, nil, errors.New("no answer")
}
