package enginetest

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// A life is one session and what its writer was told about it.
type life struct {
	record     sojourn.Record // as last acknowledged
	tried      []byte         // the payload of the last update that was begun
	revoking   bool
	revoked    bool
	generation uint64 // as last acknowledged
}

// KillsLoseNothing lets writers create, change and revoke sessions, kills the
// server in the middle and starts it again, several times. What was acknowledged
// must be there (P14); what was begun may be.
func KillsLoseNothing(t *testing.T, e *Engine, rounds int) {
	const writers = 8
	s := e.Open(t, e.Addr, writers)
	var acked, failed atomic.Int64
	for round := range rounds {
		ctx, cancel := context.WithCancel(t.Context())
		lives := make([][]*life, writers)
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for ctx.Err() == nil {
					l := &life{}
					lives[w] = append(lives[w], l)
					if err := l.live(ctx, s, &acked); err != nil {
						failed.Add(1)
						if verdict(err) {
							t.Errorf("an outage gave a verdict: %v", err)
						}
						return
					}
				}
			})
		}
		start := acked.Load()
		for acked.Load() < start+200 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(rand.N(30 * time.Millisecond))
		e.Server.Kill()
		cancel() // whoever was between two operations
		wg.Wait()
		e.Server.Start()
		for _, all := range lives {
			for _, l := range all {
				l.verify(t, s)
			}
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d kills, %d acknowledged writes, none lost; %d operations failed", rounds, acked.Load(), failed.Load())
}

func (l *life) live(ctx context.Context, s sojourn.Store, acked *atomic.Int64) error {
	r := newRecord(unique("owner"))
	r.Payload = binary.BigEndian.AppendUint64(nil, 0)
	if err := s.Create(ctx, &r); err != nil {
		return err
	}
	l.record = r
	acked.Add(1)
	for n := range uint64(5) {
		r.Payload = binary.BigEndian.AppendUint64(nil, n+1)
		l.tried = r.Payload
		if _, err := s.Update(ctx, &r); err != nil {
			return err
		}
		l.record = r
		acked.Add(1)
	}
	if rand.IntN(2) == 0 {
		g, err := s.RevokeOwner(ctx, r.Owner)
		if err != nil {
			return err
		}
		l.generation = g
		acked.Add(1)
		return nil
	}
	l.revoking = true
	if err := s.Revoke(ctx, revocation(r)); err != nil {
		return err
	}
	l.revoked = true
	acked.Add(1)
	return nil
}

func (l *life) verify(t *testing.T, s sojourn.Store) {
	t.Helper()
	if l.record.ID == "" {
		return // not even its creation was acknowledged
	}
	got, err := s.Load(t.Context(), l.record.ID)
	switch {
	case l.revoking && errors.Is(err, sojourn.ErrNotFound) && got.Dead:
		return
	case err != nil:
		t.Errorf("an acknowledged session: %v", err)
		return
	case l.revoked:
		t.Error("an acknowledged revocation was lost")
	case got.Version != l.record.Version && string(got.Payload) != string(l.tried):
		t.Errorf("an acknowledged update was lost: payload %x: expected %x or %x", got.Payload, l.record.Payload, l.tried)
	}
	if got.OwnerGeneration < l.generation {
		t.Errorf("an acknowledged RevokeOwner was lost: generation %d: expected %d", got.OwnerGeneration, l.generation)
	}
}
