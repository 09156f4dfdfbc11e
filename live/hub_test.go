package live_test

import (
	"encoding/json"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

func TestEveryTransportTellsWhatHappens(t *testing.T) {
	s := newSite(t, settings{})
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			p := s.login("ada")
			l := p.mustConnect(transport, p.cursor())
			if !l.hello.Recovered {
				t.Error("not recovered with the status's own cursor")
			}
			if err := s.hub.Publish(t.Context(), live.ToSession(p.id), "app.note", map[string]int{"n": 1}); err != nil {
				t.Fatal(err)
			}
			if m := l.want(t, "app.note"); string(m.Data) != `{"n":1}` || m.ID == "" {
				t.Errorf("%+v", m)
			}
			if err := s.hub.Publish(t.Context(), live.ToOwner("ada"), "app.all", 2); err != nil {
				t.Fatal(err)
			}
			l.want(t, "app.all")

			status, body := p.api("PUT", "data/cart", `[3]`, "If-Match", "*")
			if status != 200 {
				t.Fatal(status, body)
			}
			m := l.want(t, "session.data")
			var data struct {
				Keys   []string
				Values map[string]json.RawMessage
			}
			json.Unmarshal(m.Data, &data)
			var written struct{ Rev uint64 }
			json.Unmarshal([]byte(body), &written)
			if len(data.Keys) != 1 || string(data.Values["cart"]) != "[3]" || m.Rev != written.Rev {
				t.Errorf("%s rev %d, written %s", m.Data, m.Rev, body)
			}
			if status, body := p.api("POST", "extend", ""); status != 200 {
				t.Fatal(status, body)
			}
			l.want(t, "session.extended")
			if status, body := p.api("DELETE", "", ""); status != 204 {
				t.Fatal(status, body)
			}
			rest := l.closed(t)
			if transport != "poll" || len(rest) > 0 { // between two polls only the next one's answer tells
				if len(rest) != 1 || rest[0].Type != "session.ended" || string(rest[0].Data) != `{"reason":"logout"}` {
					t.Errorf("at the end: %+v", rest)
				}
			}
			if transport == "poll" && (l.code != 401 || l.reason != "logout") || transport != "poll" && (l.code != 4402 || l.reason != "logout") {
				t.Errorf("closed with %d %q", l.code, l.reason)
			}
		})
	}
}

func TestHubMustBeAnObserver(t *testing.T) {
	hub, err := live.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := sojourn.New(newSite(t, settings{}).store, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := hub.Attach(m, live.Face{}); err == nil {
		t.Error("a hub that observes nothing was attached")
	}
}
