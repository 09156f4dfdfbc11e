package live_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/store/memstore"
)

// A sick backplane loses deliveries while it is down, and gives them when it is
// not any more.
type sick struct {
	live.Backplane
	mu     sync.Mutex
	health live.Health
	down   bool
	missed []func()
}

func (s *sick) Start(h live.Health) error { s.health = h; return nil }

func (s *sick) set(down bool) {
	s.mu.Lock()
	s.down = down
	missed := s.missed
	s.missed = nil
	s.mu.Unlock()
	if down {
		s.health.Lost()
		return
	}
	for _, deliver := range missed {
		deliver()
	}
	s.health.Restored()
}

func (s *sick) Watch(ctx context.Context, id sojourn.ID, tags []string, f live.Follower) (live.Position, func(), error) {
	return s.Backplane.Watch(ctx, id, tags, lossy{s, f})
}

type lossy struct {
	s *sick
	live.Follower
}

func (l lossy) Deliver(epoch string, e live.Event) {
	l.s.mu.Lock()
	down := l.s.down
	if down {
		l.s.missed = append(l.s.missed, func() { l.Follower.Deliver(epoch, e) })
	}
	l.s.mu.Unlock()
	if !down {
		l.Follower.Deliver(epoch, e)
	}
}

// P11: what one node ends is felt on the others.
func TestP11RevokedIsFeltOnEveryNode(t *testing.T) {
	plane, store := live.InProcess(live.Retention{}), memstore.New(nil)
	a := newSite(t, settings{store: store, hub: live.Options{Backplane: plane}})
	b := newSite(t, settings{store: store, hub: live.Options{Backplane: plane}})
	one, all := a.login("ada"), a.login("ada")
	var links []*link
	for _, p := range []*page{one, all} {
		for _, transport := range transports {
			links = append(links, (&page{site: b, cookie: p.cookie}).mustConnect(transport, p.cursor()))
		}
	}
	ids, err := a.hub.Present(t.Context(), live.ToOwner("ada"))
	if err != nil || len(ids) != 2 {
		t.Errorf("present on another node: %v %v", ids, err)
	}
	began := time.Now()
	if err := a.manager.Revoke(t.Context(), one.id, sojourn.ReasonRevoked); err != nil {
		t.Fatal(err)
	}
	for _, l := range links[:3] {
		l.closed(t)
	}
	if err := a.manager.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	for _, l := range links[3:] {
		l.closed(t)
	}
	t.Logf("felt within %v", time.Since(began))
	for i, l := range links {
		if l.code != 4402 && l.code != 401 {
			t.Errorf("%d: closed with %d", i, l.code)
		}
	}
}

// P11 and P12 with the backplane cut: an end is felt by rereading; when it is
// back everything that was missed is delivered, in order; if it stays away
// connections are closed so that pages come back elsewhere.
func TestP11BackplaneCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plane := &sick{Backplane: live.InProcess(live.Retention{})}
		s := newSite(t, settings{pipes: true, hub: live.Options{Backplane: plane}})
		p, q := s.login("ada"), s.login("bob")
		lp, lq := p.mustConnect("ws", p.cursor()), q.mustConnect("sse", q.cursor())
		plane.set(true)
		for n := range 3 {
			s.hub.Publish(t.Context(), live.ToOwner("bob"), "app.n", n)
		}
		began := time.Now()
		s.manager.Revoke(t.Context(), p.id, sojourn.ReasonRevoked)
		lp.closed(t)
		// The next rereading, or the end of patience with the backplane: which of
		// the two comes first is chance.
		if took := time.Since(began); took > 30*time.Second || lp.code != 4402 && lp.code != 1012 {
			t.Errorf("felt after %v with %d", took, lp.code)
		}
		if len(lq.frames) > 0 {
			if m := <-lq.frames; m.Type != "ping" {
				t.Errorf("%+v", m)
			}
		}
		if time.Since(began) < 29*time.Second {
			plane.set(false)
			for range 3 {
				lq.want(t, "app.n")
			}
		}
		plane.set(true)
		began = time.Now()
		lq.closed(t)
		if took := time.Since(began); took > 35*time.Second || lq.code != 1012 {
			t.Errorf("closed after %v with %d", took, lq.code)
		}
	})
}

// P12: a node that misses an event without knowing closes its connections when
// it sees the gap; they recover by their cursor.
func TestP12GapOnANodeIsSeen(t *testing.T) {
	plane := &sick{Backplane: live.InProcess(live.Retention{})}
	s := newSite(t, settings{hub: live.Options{Backplane: plane}})
	p := s.login("ada")
	l := p.mustConnect("ws", p.cursor())
	publish := func(n int) { s.hub.Publish(t.Context(), live.ToSession(p.id), "app.n", n) }
	publish(1)
	cursor := l.want(t, "app.n").ID
	plane.mu.Lock()
	plane.down = true
	plane.mu.Unlock()
	publish(2)
	plane.mu.Lock()
	plane.down, plane.missed = false, nil
	plane.mu.Unlock()
	publish(3)
	if rest := l.closed(t); len(rest) != 0 || l.code != 4010 {
		t.Errorf("%+v, closed with %d", rest, l.code)
	}
	l = p.mustConnect("ws", cursor)
	for _, want := range []string{"2", "3"} {
		if m := l.want(t, "app.n"); string(m.Data) != want || !l.hello.Recovered {
			t.Errorf("%s, want %s", m.Data, want)
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
