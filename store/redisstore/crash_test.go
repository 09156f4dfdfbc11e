package redisstore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

const hits = sojourn.Counter("hits")

// A victim is a session whose counter some goroutines add to, while its server
// dies.
type victim struct {
	id            sojourn.ID
	acked, unsure atomic.Int64
}

// hit is one request of the victim.
func (v *victim) hit(ctx context.Context, t *testing.T, m *sojourn.Manager) {
	s, err := m.Open(ctx, v.id)
	if errors.Is(err, sojourn.ErrUnavailable) {
		return
	}
	if err != nil {
		t.Errorf("opening a live session: %v", err)
		return
	}
	if _, err = hits.Add(sojourn.NewContext(ctx, s), 1); err == nil {
		err = s.Save(ctx)
	}
	switch {
	case err == nil:
		v.acked.Add(1)
	case errors.Is(err, sojourn.ErrUnavailable):
		v.unsure.Add(1)
	default:
		t.Errorf("saving a live session: %v", err)
	}
}

func (v *victim) check(t *testing.T, m *sojourn.Manager) {
	t.Helper()
	s, err := m.Open(t.Context(), v.id)
	if err != nil {
		t.Fatalf("opening a live session: %v", err)
	}
	n, err := hits.Get(sojourn.NewContext(t.Context(), s))
	if err != nil {
		t.Fatal(err)
	}
	if acked, unsure := v.acked.Load(), v.unsure.Load(); n < acked || n > acked+unsure {
		t.Errorf("%d hits were acknowledged and %d perhaps stored, the session holds %d", acked, unsure, n)
	}
}

func newManager(t *testing.T, s *Store) *sojourn.Manager {
	t.Helper()
	m, err := sojourn.New(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func newVictim(t *testing.T, m *sojourn.Manager, owner string) *victim {
	t.Helper()
	s, _, err := m.Create(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.ID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &victim{id: id}
}

// TestP14WhatYouWriteSurvivesKill9 kills the server under load, several times.
func TestP14WhatYouWriteSurvivesKill9(t *testing.T) {
	r := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{"appendonly yes", "appendfsync always"}})
	s := open(t, "redis://"+r.Addr, &Options{Replay: -1}) // the disk alone has to know
	m := newManager(t, s)
	victims := []*victim{newVictim(t, m, ""), newVictim(t, m, "owner "+random()), newVictim(t, m, "owner "+random())}

	var done atomic.Bool
	var all sync.WaitGroup
	for _, v := range victims {
		for range 3 {
			all.Go(func() {
				for !done.Load() {
					v.hit(t.Context(), t, m)
				}
			})
		}
	}
	var revoked []sojourn.Record
	raised := map[string]uint64{}
	all.Go(func() { // somebody who ends sessions
		for !done.Load() {
			record := newRecord("owner " + random())
			if s.Create(t.Context(), &record) != nil {
				continue
			}
			if s.Revoke(t.Context(), revocation(record)) == nil {
				revoked = append(revoked, record)
			}
			if generation, err := s.RevokeOwner(t.Context(), record.Owner); err == nil {
				raised[record.Owner] = generation
			}
		}
	})
	for range 4 {
		time.Sleep(250 * time.Millisecond)
		r.Kill()
		time.Sleep(50 * time.Millisecond)
		r.Start()
	}
	time.Sleep(100 * time.Millisecond)
	done.Store(true)
	all.Wait()

	var acked, unsure int64
	for _, v := range victims {
		v.check(t, m)
		acked, unsure = acked+v.acked.Load(), unsure+v.unsure.Load()
	}
	for _, record := range revoked {
		if _, err := s.Load(t.Context(), record.ID); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("a session that was revoked before a kill: %v", err)
		}
		again := newRecord(record.Owner)
		if err := s.Create(t.Context(), &again); err != nil || again.Generation < raised[record.Owner] {
			t.Errorf("generation %d after a kill (%v), expected %d", again.Generation, err, raised[record.Owner])
		}
	}
	t.Logf("4 kills: %d commits acknowledged, %d unsure, %d sessions revoked; none lost", acked, unsure, len(revoked))
	if acked < 100 || len(revoked) < 20 {
		t.Error("that is too little to show anything")
	}
}

// TestP3ALostAnswerIsHarmless cuts the connection after the server has done what
// it was asked and before it can say so.
func TestP3ALostAnswerIsHarmless(t *testing.T) {
	p := testenv.StartProxy(t, server(t).Addr)
	m := newManager(t, open(t, "redis://"+p.Addr, nil))
	v := newVictim(t, m, "owner "+random())
	const rounds = 40
	for range rounds {
		s, err := m.Open(t.Context(), v.id)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := hits.Add(sojourn.NewContext(t.Context(), s), 1); err != nil {
			t.Fatal(err)
		}
		lost := p.CutAnswer()
		if err := s.Save(t.Context()); err != nil {
			t.Errorf("saving, when one answer was lost: %v", err)
		}
		<-lost
		v.acked.Add(1)

		lost = p.CutAnswer()
		if _, _, err := m.Create(t.Context(), ""); err != nil {
			t.Errorf("creating a session, when one answer was lost: %v", err)
		}
		<-lost
	}
	v.check(t, m) // rounds, exactly: nothing is unsure
	if v.acked.Load() != rounds {
		t.Errorf("%d", v.acked.Load())
	}
}

// TestP3CutsAtAnyMoment cuts connections at random while many write.
func TestP3CutsAtAnyMoment(t *testing.T) {
	p := testenv.StartProxy(t, server(t).Addr)
	m := newManager(t, open(t, "redis://"+p.Addr, nil))
	victims := []*victim{newVictim(t, m, ""), newVictim(t, m, "owner "+random())}
	ctx, stop := context.WithTimeout(context.Background(), 800*time.Millisecond)
	defer stop()
	var all sync.WaitGroup
	for _, v := range victims {
		for range 4 {
			all.Go(func() {
				for ctx.Err() == nil {
					v.hit(context.WithoutCancel(ctx), t, m)
				}
			})
		}
	}
	cuts := 0
	for ctx.Err() == nil {
		time.Sleep(7 * time.Millisecond)
		p.Cut()
		cuts++
	}
	all.Wait()
	for _, v := range victims {
		v.check(t, m)
	}
	t.Logf("%d cuts, %d commits acknowledged, %d unsure", cuts, victims[0].acked.Load()+victims[1].acked.Load(), victims[0].unsure.Load()+victims[1].unsure.Load())
}
