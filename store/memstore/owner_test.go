package memstore

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestListFollowsLiveRecords(t *testing.T) {
	s := New(nil)
	want := map[sojourn.ID]bool{}
	for n := range 200 {
		r := create(t, s, n, "ada", epoch.Add(time.Hour))
		want[r.ID] = true
		create(t, s, 1000+n, fmt.Sprint("user", n), epoch.Add(time.Hour))
		create(t, s, 2000+n, "", epoch.Add(time.Hour))
	}
	for n := 0; n < 200; n += 3 {
		if err := s.Revoke(t.Context(), sojourn.RevokedRecord{ID: testID(n), Owner: "ada", Until: epoch}); err != nil {
			t.Fatal(err)
		}
		delete(want, testID(n))
	}
	got, err := s.List(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range got {
		if !want[id] {
			t.Errorf("listed %s, which is not there or listed already", id)
		}
		delete(want, id)
	}
	if len(want) > 0 {
		t.Errorf("not listed: %v", want)
	}
	if got, err := s.List(t.Context(), ""); err != nil || len(got) > 0 {
		t.Errorf("List of nobody = %v, %v", got, err)
	}
}

// Memory is bounded by owners with records; a generation stays as long as there
// is a record, be it a tombstone, and never goes back after.
func TestOwnerIsForgottenWithTheLastRecord(t *testing.T) {
	s, ctx := New(nil), t.Context()
	create(t, s, 1, "ada", epoch)
	create(t, s, 2, "ada", epoch.Add(time.Hour))
	var generation uint64
	for range 5 {
		g, err := s.RevokeOwner(ctx, "ada")
		if err != nil || g <= generation {
			t.Fatalf("RevokeOwner = %d, %v, want more than %d", g, err, generation)
		}
		generation = g
	}
	if err := s.Revoke(ctx, sojourn.RevokedRecord{ID: testID(2), Owner: "ada", Until: epoch.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sweep(ctx, epoch.Add(time.Minute), 10); err != nil {
		t.Fatal(err)
	}
	if r := create(t, s, 3, "ada", epoch); r.Generation != generation || r.OwnerGeneration != generation {
		t.Errorf("with a tombstone left, Create stamps %d, want %d", r.Generation, generation)
	}
	if _, err := s.Sweep(ctx, epoch.Add(2*time.Hour), 10); err != nil {
		t.Fatal(err)
	}
	for i := range s.owners {
		if n := len(s.owners[i].owners); n > 0 {
			t.Errorf("%d owners known without any record", n)
		}
	}
	if r := create(t, s, 4, "ada", epoch); r.Generation < generation {
		t.Errorf("once forgotten, the generation went back from %d to %d", generation, r.Generation)
	}
	if g, err := s.RevokeOwner(ctx, "unknown"); err != nil || g == 0 {
		t.Errorf("RevokeOwner of an unknown owner = %d, %v, want at least 1", g, err)
	}
}

// P13: a record whose Create was answered before RevokeOwner began is dead after
// it, and one created after it lives. The owner's records come and go meanwhile,
// so that the owner is forgotten again and again.
func TestRevokeOwnerRacesCreate(t *testing.T) {
	s, ctx := New(nil), t.Context()
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	for round := range rounds {
		var wg sync.WaitGroup
		var generation uint64
		ids := make([]sojourn.ID, 4)
		answered := make(chan sojourn.ID, len(ids))
		for k := range ids {
			ids[k] = testID(round*len(ids) + k)
			wg.Go(func() {
				r := sojourn.Record{ID: ids[k], Owner: "ada", Expires: epoch}
				if err := s.Create(ctx, &r); err != nil {
					t.Error(err)
				}
				answered <- r.ID
			})
		}
		before := []sojourn.ID{<-answered, <-answered}
		generation, err := s.RevokeOwner(ctx, "ada")
		if err != nil {
			t.Fatal(err)
		}
		after := create(t, s, 1<<30+round, "ada", epoch)
		wg.Wait()
		for _, id := range before {
			if r, err := s.Load(ctx, id); err != nil || r.Generation >= r.OwnerGeneration {
				t.Fatalf("survived: %+v, %v", r, err)
			}
		}
		if r, err := s.Load(ctx, after.ID); err != nil || r.Generation != r.OwnerGeneration || r.Generation < generation {
			t.Fatalf("died of an earlier RevokeOwner: %+v, %v", r, err)
		}
		for _, id := range ids {
			r, err := s.Load(ctx, id)
			if err != nil || r.OwnerGeneration < generation {
				t.Fatalf("Load = %+v, %v, want OwnerGeneration at least %d", r, err, generation)
			}
		}
		if round%2 == 0 {
			if _, err := s.Sweep(ctx, epoch.Add(time.Second), 100); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestListShrinks(t *testing.T) {
	s := New(nil)
	for n := range 1000 {
		create(t, s, n, "ada", epoch.Add(time.Duration(n)*time.Second))
	}
	if _, err := s.Sweep(t.Context(), epoch.Add(995*time.Second), 1000); err != nil {
		t.Fatal(err)
	}
	o := s.ownerShard("ada").owners["ada"]
	if len(o.live) != 5 || cap(o.live) > 32 {
		t.Errorf("list of %d with room for %d", len(o.live), cap(o.live))
	}
	ids, err := s.List(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(ids)
	for k, id := range ids {
		if id != testID(995+k) {
			t.Errorf("listed %s", id)
		}
	}
}
