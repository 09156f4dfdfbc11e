package nearstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/nearstore"
)

// Of two loads that cross, the one begun later is kept, whichever lands last;
// and the dead stay dead even where the clock cannot tell them apart.
func TestLoadsThatCross(t *testing.T) {
	for name, apart := range map[string]time.Duration{"later": time.Millisecond, "at the same time": 0} {
		t.Run(name, func(t *testing.T) {
			src, c, n := nodes(t, 2, bounded)
			here, there := n[0], n[1]
			r := here.create("ada")
			h := src.hold("load")
			slow := make(chan bool)
			go func() { _, err := there.Load(nearstore.Fresh(context.Background()), r.ID); slow <- err == nil }()
			h.await(t) // it has read the live record
			if err := here.revoke(r); err != nil {
				t.Fatal(err)
			}
			c.advance(apart)
			src.on(&src.after, func(context.Context, string) error { return nil })
			if there.alive(r.ID) {
				t.Fatal("not revoked")
			}
			h.free()
			if !<-slow {
				t.Fatal("the slow load read nothing")
			}
			if there.alive(r.ID) {
				t.Error("the earlier load covered the later one")
			}
		})
	}
	t.Run("an update", func(t *testing.T) {
		src, c, n := nodes(t, 2, bounded)
		here, there := n[0], n[1]
		r := here.create("ada")
		h := src.hold("load")
		slow := make(chan error)
		go func() { _, err := there.Load(nearstore.Fresh(context.Background()), r.ID); slow <- err }()
		h.await(t)
		r.Payload = []byte("two")
		if _, err := here.Update(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
		c.advance(time.Millisecond)
		src.on(&src.after, func(context.Context, string) error { return nil })
		if _, err := there.Load(nearstore.Fresh(t.Context()), r.ID); err != nil {
			t.Fatal(err)
		}
		h.free()
		if err := <-slow; err != nil {
			t.Fatal(err)
		}
		if got := there.load(r.ID); string(got.Payload) != "two" || !got.Cached {
			t.Errorf("%+v, expected the later load's record", got)
		}
	})
}

// A conflict's record is current when it is read, not when it arrives.
func TestP1AConflictUnderWayDoesNotBringItBack(t *testing.T) {
	src, _, n := nodes(t, 2, bounded)
	here, there := n[0], n[1]
	r := here.create("ada")
	old := there.load(r.ID)
	if _, err := here.Update(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	h := src.hold("update")
	late := make(chan error)
	go func() { _, err := there.Update(context.Background(), &old); late <- err }()
	h.await(t)
	if err := there.revoke(r); err != nil {
		t.Fatal(err)
	}
	h.free()
	if err := <-late; !errors.Is(err, sojourn.ErrConflict) {
		t.Fatal(err)
	}
	if there.alive(r.ID) {
		t.Error("the record of a conflict covered a revocation")
	}
}

// A near store above another does not add its bound to the other's.
func TestP1BoundsDoNotAddUp(t *testing.T) {
	_, c, n := nodes(t, 2, bounded)
	here, there := n[0], n[1]
	above := node{nearstore.New(there, &nearstore.Options{Guarantee: nearstore.Bounded(bound), Clock: c.now}), t}
	r := here.create("ada")
	there.load(r.ID)
	c.advance(bound - time.Nanosecond)
	if !above.alive(r.ID) {
		t.Fatal("not kept")
	}
	if err := here.revoke(r); err != nil {
		t.Fatal(err)
	}
	c.advance(time.Nanosecond)
	if above.alive(r.ID) {
		t.Error("still alive after the bound")
	}
}
