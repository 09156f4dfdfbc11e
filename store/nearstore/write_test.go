package nearstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/nearstore"
)

func TestOwnWritesAreKept(t *testing.T) {
	src, _, n := nodes(t, 1, bounded)
	here := n[0]
	r := here.create("ada")
	for _, payload := range []string{"two", "three"} {
		r.Payload, r.Expires = []byte(payload), time.Time{}
		if _, err := here.Update(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		got := here.load(r.ID)
		if string(got.Payload) != payload || got.Version != r.Version || !got.Cached || got.Expires.UnixMilli() != 9e12 {
			t.Errorf("%+v after writing %q at version %d", got, payload, r.Version)
		}
	}
	later := time.UnixMilli(9e12 + 5000)
	if err := here.Touch(t.Context(), &r, later); err != nil {
		t.Fatal(err)
	}
	if got := here.load(r.ID); !got.Expires.Equal(later) {
		t.Errorf("expires at %v after a touch to %v", got.Expires, later)
	}
	if err := here.Touch(t.Context(), &r, later.Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if got := here.load(r.ID); !got.Expires.Equal(later) {
		t.Errorf("an earlier touch moved the kept deadline back to %v", got.Expires)
	}
	r.Dead = true
	if _, err := here.Update(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if here.alive(r.ID) {
		t.Error("alive after an update ended it")
	}
	if src.loads.Load() != 0 {
		t.Errorf("%d loads of what this node wrote itself", src.loads.Load())
	}
}

func TestConflictsRefresh(t *testing.T) {
	src, _, n := nodes(t, 2, bounded)
	here, there := n[0], n[1]
	r := here.create("ada")
	old := there.load(r.ID)
	r.Payload = []byte("newer")
	if _, err := here.Update(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	if _, err := there.Update(t.Context(), &old); !errors.Is(err, sojourn.ErrConflict) {
		t.Fatal(err)
	}
	loads := src.loads.Load()
	if got := there.load(r.ID); string(got.Payload) != "newer" || got.Version != r.Version || src.loads.Load() != loads {
		t.Errorf("%+v after %d more loads, expected the conflict's record from memory", got, src.loads.Load()-loads)
	}
	if err := here.revoke(r); err != nil {
		t.Fatal(err)
	}
	if current, err := there.Update(t.Context(), &old); !errors.Is(err, sojourn.ErrNotFound) || !current.Dead {
		t.Fatal(err)
	}
	if there.alive(r.ID) || src.loads.Load() != loads {
		t.Error("the tombstone that an update met was not kept")
	}
}

// What was read before a write of this node ended is not kept after it.
func TestALoadUnderWayDoesNotUndoAWrite(t *testing.T) {
	src, c, n := nodes(t, 1, bounded)
	here := n[0]
	later := time.UnixMilli(9e12 + 5000)
	for name, write := range map[string]func(r sojourn.Record) error{
		"update": func(r sojourn.Record) error { r.Expires = later; _, err := here.Update(t.Context(), &r); return err },
		"touch":  func(r sojourn.Record) error { return here.Touch(t.Context(), &r, later) },
	} {
		r := here.create("ada")
		c.advance(bound)
		h := src.hold("load")
		loaded := make(chan sojourn.Record)
		go func() { loaded <- here.load(r.ID) }()
		h.await(t)
		src.on(&src.after, func(ctx context.Context, op string) error { return nil })
		if err := write(r); err != nil {
			t.Fatal(err)
		}
		h.free()
		<-loaded
		if got := here.load(r.ID); !got.Expires.Equal(later) {
			t.Errorf("%s: expires at %v afterwards, expected %v", name, got.Expires, later)
		}
	}
}

// The write that ends last does not cover one that happened later below.
func TestWritesThatCross(t *testing.T) {
	src, _, n := nodes(t, 1, bounded)
	here := n[0]
	r := here.create("ada")
	h := src.hold("update")
	updated := make(chan error)
	go func() {
		u := r
		u.Expires = time.UnixMilli(9e12 + 1000)
		_, err := here.Update(t.Context(), &u)
		updated <- err
	}()
	h.await(t) // done below, not yet returned
	later := time.UnixMilli(9e12 + 5000)
	if err := here.Touch(t.Context(), &r, later); err != nil {
		t.Fatal(err)
	}
	h.free()
	if err := <-updated; err != nil {
		t.Fatal(err)
	}
	if got := here.load(r.ID); !got.Expires.Equal(later) {
		t.Errorf("expires at %v, expected what the touch moved it to", got.Expires)
	}

	h = src.hold("touch")
	touched := make(chan error)
	go func() { own := r; touched <- here.Touch(t.Context(), &own, later.Add(time.Hour)) }()
	h.await(t)
	shorter := here.load(r.ID)
	shorter.Expires = time.UnixMilli(9e12 - 5000)
	if _, err := here.Update(t.Context(), &shorter); err != nil {
		t.Fatal(err)
	}
	h.free()
	if err := <-touched; err != nil {
		t.Fatal(err)
	}
	if got := here.load(r.ID); !got.Expires.Equal(shorter.Expires) {
		t.Errorf("expires at %v, expected what the update cut it to", got.Expires)
	}

	h = src.hold("create") // a session of a generation that is revoked meanwhile
	fresh := r
	fresh.ID += "-new"
	created := make(chan error)
	go func() { created <- here.Create(t.Context(), &fresh) }()
	h.await(t)
	if _, err := here.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	h.free()
	if err := <-created; err != nil {
		t.Fatal(err)
	}
	if here.alive(fresh.ID) {
		t.Error("P13: a login survives the revocation of its owner that it raced")
	}
}

// A write whose answer was lost may have happened: the next load asks.
func TestALostWriteIsAskedFor(t *testing.T) {
	src, _, n := nodes(t, 1, nearstore.Options{Guarantee: nearstore.Bounded(bound), ServeStale: time.Minute})
	here := n[0]
	r := here.create("ada")
	src.on(&src.after, func(_ context.Context, op string) error {
		if op == "update" {
			return errDown
		}
		return nil
	})
	lost := r
	lost.Payload = []byte("two")
	if _, err := here.Update(t.Context(), &lost); !errors.Is(err, errDown) {
		t.Fatal(err)
	}
	if got := here.load(r.ID); string(got.Payload) != "two" || got.Cached {
		t.Errorf("%+v, expected what the lost write stored", got)
	}
}
