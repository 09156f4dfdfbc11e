package live_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

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
