package live_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

var quarter = sojourn.Options{Policy: sojourn.Policy{Idle: 15 * time.Minute, Absolute: 8 * time.Hour}}

// P8: sockets, streams, polls, pings and pongs never extend a session: with all
// of them open it warns and ends at the minute it would have without them.
func TestP8OpenConnectionsNeverExtend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, settings{rules: quarter, pipes: true})
		p := s.login("ada")
		began := time.Now()
		before := s.store.writes()
		links := map[string]*link{}
		for _, transport := range transports {
			links[transport] = p.mustConnect(transport, "")
		}
		for transport, l := range links {
			pings, warned, over := 0, time.Duration(0), false
			for m := range l.frames {
				switch m.Type {
				case "ping":
					pings++
				case "session.expiring":
					warned = m.at.Sub(began)
				case "session.ended":
					over = true
				default:
					t.Errorf("%s: %s %s", transport, m.Type, m.Data)
				}
			}
			if lived := time.Since(began); lived < 15*time.Minute || lived > 15*time.Minute+time.Second {
				t.Errorf("%s: ended after %v", transport, lived)
			}
			if transport == "poll" {
				if l.code != 401 && !over {
					t.Errorf("poll: ended with %d", l.code)
				}
				continue
			}
			if !over || l.code != 4401 || warned < 13*time.Minute || warned > 13*time.Minute+time.Second || pings < 30 {
				t.Errorf("%s: ended %v with %d, warned at %v, %d pings", transport, over, l.code, warned, pings)
			}
		}
		if n := s.store.writes() - before; n != 0 {
			t.Errorf("%d writes by open connections", n)
		}
		if st := p.status(); st["state"] != "ended" || st["reason"] != "expired" {
			t.Errorf("status afterwards: %v", st)
		}
	})
}

// P8, its other half: what the user does in the page extends it, reported or by
// a request, and few writes suffice for many reports.
func TestP8ReportedActivityExtends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, settings{rules: quarter, pipes: true, hub: live.Options{MaxAge: 24 * time.Hour}})
		p := s.login("ada")
		l := p.mustConnect("ws", "")
		before := s.store.writes()
		for range 60 {
			time.Sleep(30 * time.Second)
			for range 10 {
				l.ws.Write(t.Context(), websocket.MessageText, []byte(`{"type":"activity","data":{"active_ms_ago":100}}`))
			}
		}
		synctest.Wait()
		if n := s.store.writes() - before; n < 20 || n > 40 { // 30 min, one in 45 s at most
			t.Errorf("%d writes for 600 reports in 30 min", n)
		}
		st, err := s.manager.Inspect(t.Context(), p.id)
		if err != nil || st.IdleRemaining < 13*time.Minute {
			t.Errorf("%v left after activity: %v", st.IdleRemaining, err)
		}
		extended := 0
		for len(l.frames) > 0 {
			if m := <-l.frames; m.Type == "session.extended" {
				extended++
			} else if m.Type == "session.expiring" {
				t.Error("warned an active user")
			}
		}
		if extended == 0 {
			t.Error("other tabs were not told")
		}
		// An old report does not count.
		time.Sleep(5 * time.Minute)
		before = s.store.writes()
		l.ws.Write(t.Context(), websocket.MessageText, []byte(`{"type":"activity","data":{"active_ms_ago":200000}}`))
		synctest.Wait()
		if n := s.store.writes() - before; n != 0 {
			t.Error("an activity of minutes ago extended the session")
		}
		// A request of another tab counts, and pages learn of the new deadline.
		time.Sleep(6 * time.Minute)
		p.get("/use")
		time.Sleep(3 * time.Minute)
		for len(l.frames) > 0 {
			if m := <-l.frames; m.Type == "session.expiring" {
				t.Error("warned although another tab had extended the session")
			}
		}
	})
}

// P9: while the store is down nothing is closed, not even at the deadline, and
// new connections are told to come back.
func TestP9OutageClosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, settings{rules: quarter, pipes: true})
		p := s.login("ada")
		l := p.mustConnect("ws", "")
		s.store.set(true)
		time.Sleep(20 * time.Minute)
		for _, transport := range transports {
			if other, refused := p.connect(transport, ""); other != nil || refused != 503 {
				t.Errorf("%s: %d during the outage", transport, refused)
			}
		}
		select {
		case <-l.done:
			t.Fatalf("closed with %d %q during the outage", l.code, l.reason)
		default:
		}
		s.store.set(false)
		l.closed(t)
		if l.code != 4401 {
			t.Errorf("after the outage: %d %q", l.code, l.reason)
		}
	})
}

// P11: a revocation reaches every open tab of every transport at once: p99 below
// 200 ms.
func TestP11RevokedIsFelt(t *testing.T) {
	s := newSite(t, settings{})
	n := 100
	if testing.Short() {
		n = 20
	}
	var mu sync.Mutex
	var took []time.Duration
	var revoked sync.Map
	var group sync.WaitGroup
	pages := make([]*page, n)
	for i := range pages {
		pages[i] = s.login("ada")
		for _, transport := range transports {
			l := pages[i].mustConnect(transport, pages[i].cursor())
			group.Go(func() {
				l.closed(t)
				at, ok := revoked.Load(i)
				if !ok {
					t.Errorf("%s closed with %d before it was revoked", transport, l.code)
					return
				}
				mu.Lock()
				took = append(took, time.Since(at.(time.Time)))
				mu.Unlock()
			})
		}
	}
	half := n / 2
	for i, p := range pages[:half] {
		revoked.Store(i, time.Now())
		if err := s.manager.Revoke(t.Context(), p.id, sojourn.ReasonRevoked); err != nil {
			t.Fatal(err)
		}
	}
	for i := half; i < n; i++ {
		revoked.Store(i, time.Now())
	}
	if err := s.manager.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	slices.Sort(took)
	p99, most := took[len(took)*99/100], took[len(took)-1]
	t.Logf("%d connections: p50 %v, p99 %v, max %v", len(took), took[len(took)/2], p99, most)
	if p99 > 200*time.Millisecond && !raceEnabled {
		t.Errorf("p99 %v", p99)
	}
}

// P11: if no event tells of it, within the regular rereading.
func TestP11RevocationWithoutEventIsFelt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, settings{pipes: true})
		p := s.login("ada")
		var links []*link
		for _, transport := range transports {
			links = append(links, p.mustConnect(transport, p.cursor()))
		}
		time.Sleep(time.Minute)
		silently(t, s, p.id)
		began := time.Now()
		for i, l := range links {
			l.closed(t)
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("%s: felt after %v", transports[i], took)
			}
			if l.code != 4402 && l.code != 401 {
				t.Errorf("%s: closed with %d", transports[i], l.code)
			}
		}
	})
}

// silently ends a session as a node would whose events are lost.
func silently(t testing.TB, s *site, id sojourn.ID) {
	t.Helper()
	err := s.store.Revoke(context.Background(), sojourn.RevokedRecord{ID: id, Owner: "ada", Reason: sojourn.ReasonRevoked, At: time.Now(), Until: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
}

// P11: a revocation between the check of the cookie and the registration of the
// connection is met by the second reading.
func TestP11RevocationDuringConnectIsFelt(t *testing.T) {
	s := newSite(t, settings{})
	for _, transport := range transports {
		p := s.login("ada")
		cursor := p.cursor()
		s.store.mu.Lock()
		s.store.loaded = func() { silently(t, s, p.id) }
		s.store.mu.Unlock()
		l, refused := p.connect(transport, cursor)
		if l != nil || refused != 401 && refused != 4402 {
			t.Errorf("%s: connected, or refused with %d", transport, refused)
		}
	}
	if n := s.hub.Connections(); n != 0 {
		t.Errorf("%d connections are left", n)
	}
}

// P1: an open socket of an ended session says nothing more.
func TestP1EndedSessionSendsNoMessage(t *testing.T) {
	heard := make(chan live.Message, 10)
	s := newSite(t, settings{hub: live.Options{OnMessage: func(_ context.Context, m live.Message) (any, error) {
		heard <- m
		return "ok", nil
	}}})
	p := s.login("ada")
	l := p.mustConnect("ws", "")
	say := func(cid string) {
		if err := l.ws.Write(t.Context(), websocket.MessageText, []byte(`{"type":"app.say","cid":"`+cid+`","data":[1]}`)); err != nil {
			t.Fatal(err)
		}
	}
	say("a")
	if m := l.want(t, "ack"); m.CID != "a" || string(m.Data) != `"ok"` {
		t.Errorf("%+v", m)
	}
	if m := <-heard; m.Owner != "ada" || m.Session != p.id || m.ID != "a" || string(m.Data) != "[1]" {
		t.Errorf("%+v", m)
	}
	silently(t, s, p.id)
	say("b")
	if m := l.want(t, "error"); m.CID != "b" || !strings.Contains(string(m.Data), "session_ended") {
		t.Errorf("%s", m.Data)
	}
	if len(heard) > 0 {
		t.Error("a message of an ended session was heard")
	}
}
