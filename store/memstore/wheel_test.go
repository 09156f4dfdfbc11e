package memstore

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// Sweep returns exactly what a scan of everything would, whatever was created,
// touched, updated and revoked before, whatever times sweeps have asked for
// (the far future and back), and however often they were cut short.
func TestSweepModel(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { sweepModel(t, seed) })
	}
}

func sweepModel(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0))
	ctx := t.Context()
	s := New(&Options{Clock: fixed(time.UnixMilli(0))}) // Create tidies nothing
	model := map[sojourn.ID]*sojourn.Record{}
	var ids []sojourn.ID // of four shards, so that wheels are well filled
	for n := 0; len(ids) < 300; n++ {
		if sh, _ := s.locate(testID(n)); sh == &s.shards[0] || sh == &s.shards[1] || sh == &s.shards[100] || sh == &s.shards[255] {
			ids = append(ids, testID(n))
		}
	}
	now := epoch
	near := func() time.Time { // from a tick ago to some turns ahead
		d := time.Duration(rng.Int64N(int64(20 * time.Second)))
		switch rng.IntN(4) {
		case 0:
			d *= 10
		case 1:
			d *= 1000
		}
		return now.Add(d - 10*time.Second).Truncate(time.Millisecond)
	}
	for range 4000 {
		id := ids[rng.IntN(len(ids))]
		switch op := rng.IntN(20); {
		case op < 8:
			r := &sojourn.Record{ID: id, Expires: near()}
			if err := s.Create(ctx, r); err == nil {
				model[id] = r
			}
		case op < 11:
			if r := model[id]; r != nil {
				to := near()
				if err := s.Touch(ctx, r, to); err != nil {
					t.Fatal(err)
				}
				if !r.Dead && to.After(r.Expires) {
					r.Expires = to
				}
			}
		case op < 13:
			if r := model[id]; r != nil && !r.Dead {
				to := near()
				r.Dead = rng.IntN(4) == 0
				next := *r
				if next.Expires = to; rng.IntN(3) == 0 {
					next.Expires, to = time.Time{}, r.Expires // keeps the deadline
				}
				if _, err := s.Update(ctx, &next); err != nil {
					t.Fatal(err)
				}
				next.Expires = to
				*r = next
			}
		case op < 14:
			until := near()
			if err := s.Revoke(ctx, sojourn.RevokedRecord{ID: id, Until: until}); err != nil {
				t.Fatal(err)
			}
			if r := model[id]; r != nil && !r.Dead {
				r.Expires, r.Dead = until, true
			}
		case op < 17:
			now = now.Add(time.Duration(rng.Int64N(int64(20 * time.Second))))
		default:
			before := now
			switch rng.IntN(30) {
			case 0:
				before = now.Add(100 * 24 * time.Hour)
			case 1:
				before = now.Add(-time.Hour)
			case 2:
				now = now.Add(2 * time.Hour)
			case 3:
				before = time.Time{}
			}
			limit := 1 + rng.IntN(20)
			got, err := s.Sweep(ctx, before, limit)
			if err != nil {
				t.Fatal(err)
			}
			checkSweep(t, model, got, before, limit)
		}
	}
	if n := s.Stats().Records; n != len(model) {
		t.Errorf("%d records counted, want %d", n, len(model))
	}
}

func checkSweep(t *testing.T, model map[sojourn.ID]*sojourn.Record, got []sojourn.Record, before time.Time, limit int) {
	t.Helper()
	for _, g := range got {
		r := model[g.ID]
		if r == nil || !r.Expires.Equal(g.Expires) || r.Dead != g.Dead {
			t.Fatalf("swept %+v, want %+v", g, r)
		}
		if !g.Expires.Before(before) {
			t.Fatalf("swept what expires at %v, asked for before %v", g.Expires, before)
		}
		delete(model, g.ID)
	}
	if len(got) > limit {
		t.Fatalf("swept %d, limit %d", len(got), limit)
	}
	if len(got) == limit {
		return
	}
	for id, r := range model {
		if r.Expires.Before(before) {
			t.Fatalf("%s, due at %v, was left by a sweep before %v", id, r.Expires, before)
		}
	}
}

// A touch costs the wheel nothing, and what was touched is met once per turn.
func TestTouchMovesNothing(t *testing.T) {
	s := New(nil)
	r := create(t, s, 1, "", epoch.Add(time.Minute))
	sh, _ := s.locate(r.ID)
	before := sh.wheel
	for i := range 100 {
		if err := s.Touch(t.Context(), &r, epoch.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if sh.wheel != before {
		t.Error("Touch changed the wheel")
	}
	visits := 0
	s.held = func(_ bool, v int) { visits += v }
	for at := epoch; at.Before(epoch.Add(90 * time.Hour)); at = at.Add(5 * time.Minute) {
		if got, err := s.Sweep(t.Context(), at, 10); err != nil || len(got) > 0 {
			t.Fatalf("Sweep = %v, %v", got, err)
		}
	}
	turn := time.Duration(wheelSlots<<tickShift) * time.Millisecond
	// Once more in a turn where a sweep ends in its slot.
	if most := 2 * int(90*time.Hour/turn); visits < 1 || visits > most {
		t.Errorf("%d visits in 90 hours, want 1 to %d", visits, most)
	}
}
