package live_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

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

// Nor does one of who is told of presence end anything: neither the connection
// that makes it nor, from a goroutine of the hub, the process.
func TestPresencePanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told atomic.Int64
		s := newSite(t, settings{pipes: true, hub: live.Options{OnPresence: func(live.Presence) { told.Add(1); panic("oops") }}})
		ada := s.login("ada")
		l := ada.mustConnect("ws", "")
		if err := s.hub.Publish(t.Context(), live.ToOwner("ada"), "app.hi", 1); err != nil {
			t.Fatal(err)
		}
		l.want(t, "app.hi")
		l.drop()
		time.Sleep(15 * time.Second)
		if told.Load() != 2 || s.hub.Connections() != 0 {
			t.Errorf("told %d times, %d connections", told.Load(), s.hub.Connections())
		}
	})
}
