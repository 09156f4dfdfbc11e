package nearstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/nearstore"
)

var bounded = nearstore.Options{Guarantee: nearstore.Bounded(bound)}

func TestP1RevokedHereIsGoneAtOnce(t *testing.T) {
	src, _, n := nodes(t, 1, bounded)
	here := n[0]
	r := here.create("ada")
	if !here.alive(r.ID) || src.loads.Load() != 0 {
		t.Fatal("a record created here is not kept")
	}
	if err := here.revoke(r); err != nil {
		t.Fatal(err)
	}
	if here.alive(r.ID) {
		t.Error("a revoked session was served")
	}
	got, err := here.Load(t.Context(), r.ID) // the tombstone, from memory
	if !errors.Is(err, sojourn.ErrNotFound) || !got.Dead || !got.Cached || src.loads.Load() != 1 {
		t.Errorf("%+v %v after %d loads, expected the kept tombstone", got, err, src.loads.Load())
	}
}

// A load that read before the revocation and returns after it is not kept, and
// not shared with those who ask after it.
func TestP1ALoadUnderWayDoesNotBringItBack(t *testing.T) {
	for name, end := range map[string]func(n node, r sojourn.Record) error{
		"revoke": func(n node, r sojourn.Record) error { return n.revoke(r) },
		"revoke owner": func(n node, r sojourn.Record) error {
			_, err := n.RevokeOwner(context.Background(), r.Owner)
			return err
		},
		"update": func(n node, r sojourn.Record) error {
			r.Dead = true
			_, err := n.Update(context.Background(), &r)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			src, c, n := nodes(t, 1, nearstore.Options{Guarantee: nearstore.Bounded(bound), ServeStale: time.Minute})
			here := n[0]
			r := here.create("ada")
			c.advance(bound)
			h := src.hold("load")
			early := make(chan bool)
			go func() { early <- here.alive(r.ID) }()
			h.await(t) // it has read the live record
			if err := end(here, r); err != nil {
				t.Fatal(err)
			}
			late := make(chan bool)
			go func() { late <- here.alive(r.ID) }()
			h.await(t) // it asked for itself
			h.free()
			if <-early; <-late {
				t.Error("a load that began after the end took an answer from before it")
			}
			if here.alive(r.ID) {
				t.Error("an answer from before the end was kept")
			}
			src.fail(errDown)
			if got, err := here.Load(t.Context(), r.ID); err == nil && got.Generation >= got.OwnerGeneration {
				t.Error("an outage brought it back")
			}
		})
	}
}

// Nobody tells the other node: its own clock must.
func TestP1RevokedElsewhereWithinTheBound(t *testing.T) {
	for name, end := range map[string]func(n node, r sojourn.Record) error{
		"revoke": func(n node, r sojourn.Record) error { return n.revoke(r) },
		"revoke owner": func(n node, r sojourn.Record) error {
			_, err := n.RevokeOwner(context.Background(), r.Owner)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, c, n := nodes(t, 2, bounded)
			here, there := n[0], n[1]
			r := here.create("ada")
			if !there.alive(r.ID) {
				t.Fatal("not there")
			}
			if err := end(here, r); err != nil {
				t.Fatal(err)
			}
			c.advance(bound - time.Nanosecond)
			if !there.alive(r.ID) {
				t.Fatal("the other node keeps nothing, so this test would see nothing")
			}
			c.advance(time.Nanosecond)
			if there.alive(r.ID) {
				t.Error("still alive after the bound")
			}
		})
	}
}

// The bound runs from the moment the load began: its answer may be as old.
func TestP1TheBoundCountsFromTheBeginning(t *testing.T) {
	src, c, n := nodes(t, 2, bounded)
	here, there := n[0], n[1]
	r := here.create("ada")
	src.on(&src.after, func(_ context.Context, op string) error {
		if op == "load" {
			c.advance(bound - time.Millisecond) // a slow answer
		}
		return nil
	})
	there.load(r.ID)
	src.on(&src.after, func(context.Context, string) error { return nil })
	if err := here.revoke(r); err != nil {
		t.Fatal(err)
	}
	if !there.alive(r.ID) {
		t.Error("within the bound, the answer should have been kept")
	}
	c.advance(time.Millisecond)
	if there.alive(r.ID) {
		t.Error("the bound was counted from the answer's arrival")
	}
}

// Writes do not renew what is known of the owner: its generation stays as old
// as the load that brought it.
func TestP1WritesDoNotHideARevokedOwner(t *testing.T) {
	_, c, n := nodes(t, 2, bounded)
	here, there := n[0], n[1]
	r := here.create("ada")
	r = there.load(r.ID)
	if _, err := here.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		c.advance(bound / 4)
		if _, err := there.Update(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}
	if there.alive(r.ID) {
		t.Error("updates kept a revoked owner's session alive beyond the bound")
	}
}

// A revocation whose answer was lost may have happened: nothing kept is served.
func TestP1ALostRevocationLeavesNothingKept(t *testing.T) {
	src, _, n := nodes(t, 1, nearstore.Options{Guarantee: nearstore.Bounded(bound), ServeStale: time.Minute})
	here := n[0]
	for name, end := range map[string]func(r sojourn.Record) error{
		"revoke":       here.revoke,
		"revoke owner": func(r sojourn.Record) error { _, err := here.RevokeOwner(t.Context(), r.Owner); return err },
		"update":       func(r sojourn.Record) error { r.Dead = true; _, err := here.Update(t.Context(), &r); return err },
	} {
		src.fail(nil)
		r := here.create("ada")
		src.fail(errDown)
		if err := end(r); !errors.Is(err, errDown) {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := here.Load(t.Context(), r.ID); !errors.Is(err, errDown) {
			t.Errorf("%s: %+v %v, expected the source's failure", name, got, err)
		}
	}
}

func TestP1StrictAsksEveryTime(t *testing.T) {
	src, _, n := nodes(t, 2, nearstore.Options{ServeStale: time.Minute})
	here, there := n[0], n[1]
	r := here.create("ada")
	for i := range 3 {
		if got := there.load(r.ID); got.Cached || src.loads.Load() != int64(i+1) {
			t.Errorf("%+v after %d loads", got, src.loads.Load())
		}
	}
	if err := here.revoke(r); err != nil {
		t.Fatal(err)
	}
	if there.alive(r.ID) {
		t.Error("alive after a revocation elsewhere")
	}
}

func TestP1FreshAsksWhateverTheGuarantee(t *testing.T) {
	src, _, n := nodes(t, 2, nearstore.Options{Guarantee: nearstore.Bounded(bound), ServeStale: time.Minute})
	here, there := n[0], n[1]
	r := here.create("ada")
	there.load(r.ID)
	if err := here.revoke(r); err != nil {
		t.Fatal(err)
	}
	if !there.alive(r.ID) {
		t.Fatal("the other node keeps nothing")
	}
	ctx := nearstore.Fresh(t.Context())
	if _, err := there.Load(ctx, r.ID); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("fresh: %v", err)
	}
	if there.alive(r.ID) {
		t.Error("what the fresh load found was not kept")
	}
	src.fail(errDown)
	if _, err := there.Load(ctx, r.ID); !errors.Is(err, errDown) {
		t.Errorf("fresh in an outage: %v", err)
	}
}
