package sojourn_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/fresh"
)

// frozen answers loads with the first record it saw, until it is asked for the
// newest: a cache as stale as it can be.
type frozen struct {
	sojourn.Store
	kept    map[sojourn.ID]sojourn.Record
	sources atomic.Int64
}

func (f *frozen) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if rec, ok := f.kept[id]; ok && !fresh.Wanted(ctx) {
		rec.Cached = true
		return rec, nil
	}
	f.sources.Add(1)
	rec, err := f.Store.Load(ctx, id)
	if _, ok := f.kept[id]; err == nil && !ok {
		f.kept[id] = rec
	}
	return rec, err
}

// frozenSite is a site, and a second node of it behind a frozen cache.
func frozenSite(t *testing.T, opt *sojourn.Options) (s *site, node *client, f *frozen) {
	s = newSite(t, opt)
	f = &frozen{Store: s.store, kept: map[sojourn.ID]sojourn.Record{}}
	o := s.m.Options()
	m, err := sojourn.New(f, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	other := *s
	other.m, other.h = m, m.Handler(s.mux)
	return s, other.client(), f
}

// Secrets that are newer than the cached record log nobody out.
func TestP5ACachedRecordKeepsNobodyOut(t *testing.T) {
	s, node, f := frozenSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	node.token = c.token
	node.want("/owner", 200, "ada")
	asked := f.sources.Load()
	if node.want("/owner", 200, "ada"); f.sources.Load() != asked {
		t.Error("a record that lets in was asked for again")
	}
	before := c.token
	for range 5 { // in steps, so that it does not idle out
		s.pass(61 * time.Minute / 4)
		c.ok("/owner")
	}
	if c.token == before {
		t.Fatal("the secret was not renewed")
	}
	node.token = c.token
	node.want("/owner", 200, "ada")
	if n := len(s.events.of(sojourn.EventRejected)); n != 0 {
		t.Errorf("%d rejections of a new secret", n)
	}
	node.want("/set/k/v", 200, "") // on an old record, replayed on the new one
	c.want("/get/k", 200, "v")
}

// A deadline that was moved elsewhere ends nothing here.
func TestP7ACachedDeadlineEndsNothing(t *testing.T) {
	s, node, _ := frozenSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	node.token = c.token
	node.want("/owner", 200, "ada")
	for range 3 {
		s.pass(20 * time.Minute)
		c.ok("/owner")
	}
	node.want("/owner", 200, "ada")
	s.pass(31 * time.Minute)
	node.want("/owner", 200, "")
}

// What changes something, and what asks by ID, never rests on a cached record.
func TestP1UnsafeRequestsAskTheSource(t *testing.T) {
	s, node, f := frozenSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	node.token = c.token
	node.want("/owner", 200, "ada")
	c.ok("/logout")
	node.want("/owner", 200, "ada") // the frozen cache keeps no promise
	r := httptest.NewRequest("POST", "/owner", strings.NewReader(""))
	r.Header.Set("Cookie", "__Host-sojourn="+node.token)
	w := httptest.NewRecorder()
	node.s.h.ServeHTTP(w, r)
	if w.Code != 200 || w.Body.String() != "" {
		t.Errorf("POST after a logout elsewhere: %d %q", w.Code, w.Body)
	}
	id := sojourn.ID(node.token[:30])
	if _, err := node.s.m.Open(t.Context(), id); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("Open: %v", err)
	}
	asked := f.sources.Load()
	if _, err := node.s.m.Authenticate(t.Context(), node.token); err != nil || f.sources.Load() != asked {
		t.Errorf("Authenticate: %v, expected what a reading request gets", err)
	}
	if _, err := node.s.m.Authenticate(fresh.Mark(t.Context()), node.token); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("Authenticate under a mark: %v", err)
	}
}

// When the source does not answer, what the cache cannot allow is unknown: 503.
func TestP9ACachedNoIsNotALogout(t *testing.T) {
	s, node, _ := frozenSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	node.token = c.token
	node.want("/owner", 200, "ada")
	s.store.fault = func(string) (before, after error) { return errLost, nil }
	s.clock.advance(31 * time.Minute)
	if a := node.get("/owner"); a.code != 503 || a.cookie != "" {
		t.Errorf("%+v, expected 503", a)
	}
}
