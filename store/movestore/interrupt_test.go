package movestore_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/movestore"
)

// A tripwire counts the calls to two stores and acts before one of them.
type tripwire struct {
	sojourn.Store
	calls *atomic.Int32
	trip  func(call int32) error // an error: the call is not made
}

func (w *tripwire) step() error { return w.trip(w.calls.Add(1)) }

func (w *tripwire) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if err := w.step(); err != nil {
		return sojourn.Record{}, err
	}
	return w.Store.Load(ctx, id)
}

func (w *tripwire) Create(ctx context.Context, r *sojourn.Record) error {
	if err := w.step(); err != nil {
		return err
	}
	return w.Store.Create(ctx, r)
}

func (w *tripwire) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	if err := w.step(); err != nil {
		return sojourn.Record{}, err
	}
	return w.Store.Update(ctx, r)
}

// A scene is a session in an old store, and what may befall it.
type scene struct {
	*testing.T
	from, to sojourn.Store
	move     *movestore.Store // another process
	r        sojourn.Record   // as it was in the old store
}

const owner = "ada"

func newScene(t *testing.T) *scene {
	c := &scene{T: t, from: memstore.New(nil), to: memstore.New(nil)}
	c.move = movestore.New(c.from, c.to, nil)
	for range 3 { // the old store has counted further than the new one
		c.must(second(c.from.RevokeOwner(t.Context(), owner)))
	}
	c.r = sojourn.Record{ID: newID(owner), Owner: owner, Expires: time.Now().Add(time.Hour).Truncate(time.Millisecond), Payload: []byte("\x01payload")}
	c.must(c.from.Create(t.Context(), &c.r))
	return c
}

// newID is 30 characters, the first eight of them the owner's.
func newID(owner string) sojourn.ID {
	s, token, err := ids.Create(context.Background(), owner)
	if err != nil || s == nil {
		panic(err)
	}
	return token.ID()
}

var ids, _ = sojourn.New(memstore.New(nil), nil)

func second[T any](_ T, err error) error { return err }

func (c *scene) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *scene) revocation() sojourn.RevokedRecord {
	return sojourn.RevokedRecord{ID: c.r.ID, Owner: c.r.Owner, Reason: "stolen", At: time.Now(), Until: time.Now().Add(time.Minute)}
}

// isLive looks through a store of either kind.
func (c *scene) isLive(s sojourn.Store) (sojourn.Record, bool) {
	c.Helper()
	r, err := s.Load(c.Context(), c.r.ID)
	if err != nil && !errors.Is(err, sojourn.ErrNotFound) {
		c.Fatal(err)
	}
	return r, err == nil && !(r.Owner != "" && r.Generation < r.OwnerGeneration)
}

// forgets sweeps all tombstones, but nothing live.
func (c *scene) forgets() {
	for _, s := range []sojourn.Store{c.from, c.to} {
		sweeper, _ := sojourn.As[sojourn.Sweeper](s)
		c.must(second(sweeper.Sweep(c.Context(), time.Now().Add(20*time.Minute), 100)))
	}
}

var errCrash = errors.New("the process ended")

const lastCall = 12 // of a Load that carries: more than it makes

// befalls carries the session and lets something happen before the nth call to a
// store; crash ends the carrying process there.
func (c *scene) befalls(n int32, crash bool, what func()) error {
	var calls atomic.Int32
	trip := func(call int32) error {
		if call == n {
			what()
		}
		if crash && call >= n {
			return errCrash
		}
		return nil
	}
	// The two first looks go out together.
	process := movestore.New(&tripwire{c.from, &calls, trip}, &tripwire{c.to, &calls, trip}, nil)
	_, err := process.Load(c.Context(), c.r.ID)
	if n > calls.Load() { // it was done before: now, then
		what()
	}
	return err
}

// everyStep runs a test for each moment of a carrying, with and without the end
// of the process that does it.
func everyStep(t *testing.T, test func(c *scene, n int32, crash bool)) {
	for n := int32(1); n <= lastCall; n++ {
		for _, crash := range []bool{false, true} {
			t.Run(fmt.Sprintf("call%d/crash=%v", n, crash), func(t *testing.T) { test(newScene(t), n, crash) })
		}
	}
}

// TestP1RevokedWhileMoving ends the session at every moment of its carrying, also
// of one that is never finished, in each way there is.
func TestP1RevokedWhileMoving(t *testing.T) {
	for name, end := range map[string]func(c *scene) error{
		"Revoke":      func(c *scene) error { return c.move.Revoke(c.Context(), c.revocation()) },
		"RevokeOwner": func(c *scene) error { return second(c.move.RevokeOwner(c.Context(), owner)) },
		"by an old process": func(c *scene) error {
			return c.from.Revoke(c.Context(), c.revocation())
		},
		"Update": func(c *scene) error { // how a login ends the old ID
			r, err := c.move.Load(c.Context(), c.r.ID)
			if err == nil {
				tombstone := c.revocation().Tombstone()
				r.Dead, r.Payload, r.Expires = true, tombstone.Payload, tombstone.Expires
				_, err = c.move.Update(c.Context(), &r)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			everyStep(t, func(c *scene, n int32, crash bool) {
				c.befalls(n, crash, func() { c.must(end(c)) })
				if name == "by an old process" && n%2 == 0 { // somebody may come before its tombstone is swept, or not
					c.isLive(c.move)
				}
				for _, later := range []string{"at once", "when the tombstones are swept"} {
					if r, ok := c.isLive(c.move); ok {
						c.Errorf("%s, the session is back: %+v", later, r)
					}
					c.must(c.move.Touch(c.Context(), &c.r, time.Now().Add(2*time.Hour)))
					if r, ok := c.isLive(c.to); ok && later == "at once" {
						if _, err := read(r); err == nil {
							c.Errorf("%s, the new store has it live: %+v", later, r)
						}
					}
					c.forgets()
				}
				if r, ok := c.isLive(c.to); ok {
					if _, err := read(r); err == nil {
						c.Errorf("the new store alone has it live: %+v", r)
					}
				}
			})
		})
	}
}

// read is what a program does that knows one store only: it refuses what it does
// not know.
func read(r sojourn.Record) (string, error) {
	if len(r.Payload) == 0 || r.Payload[0] != 1 {
		return "", sojourn.ErrCorrupt
	}
	return string(r.Payload[1:]), nil
}

// TestNothingLostWhileMoving: whoever carries the session, however often it is
// begun, and whoever else writes meanwhile, it arrives once and whole.
func TestNothingLostWhileMoving(t *testing.T) {
	for name, meanwhile := range map[string]func(c *scene) (payload string){
		"nothing": func(c *scene) string { return "payload" },
		"another carries it": func(c *scene) string {
			c.must(second(c.move.Load(c.Context(), c.r.ID)))
			return "payload"
		},
		"another writes": func(c *scene) string {
			r, err := c.move.Load(c.Context(), c.r.ID)
			c.must(err)
			r.Payload, r.Expires = []byte("\x01written"), r.Expires.Add(time.Minute)
			c.must(second(c.move.Update(c.Context(), &r)))
			return "written"
		},
		"an old process writes, if it still may": func(c *scene) string {
			r, err := c.from.Load(c.Context(), c.r.ID)
			c.must(err)
			if _, err := read(r); err != nil {
				return "payload"
			}
			r.Payload = []byte("\x01by an old process")
			c.must(second(c.from.Update(c.Context(), &r)))
			return "by an old process"
		},
		"its user logs in elsewhere": func(c *scene) string {
			r := sojourn.Record{ID: newID(owner), Owner: owner, Expires: c.r.Expires, Payload: []byte("\x01other")}
			c.must(c.move.Create(c.Context(), &r))
			if got, err := c.move.Load(c.Context(), r.ID); err != nil || got.Generation < got.OwnerGeneration {
				c.Errorf("the login: %+v %v", got, err)
			}
			return "payload"
		},
		"the move turns round and back": func(c *scene) string {
			c.must(second(movestore.New(c.to, c.from, nil).Load(c.Context(), c.r.ID)))
			return "payload"
		},
	} {
		t.Run(name, func(t *testing.T) {
			everyStep(t, func(c *scene, n int32, crash bool) {
				want := ""
				if err := c.befalls(n, crash, func() { want = meanwhile(c) }); err != nil && !errors.Is(err, errCrash) {
					c.Fatal(err)
				}
				r, ok := c.isLive(c.move)
				if got, err := read(r); !ok || err != nil || got != want || r.Owner != owner || r.Expires.Before(c.r.Expires) {
					c.Errorf("it arrived as %+v (live: %v), want %q", r, ok, want)
				}
				c.isArrived(want)
			})
		})
	}
}

// isArrived checks that the new store needs the old one no more.
func (c *scene) isArrived(want string) {
	c.Helper()
	r, ok := c.isLive(c.to)
	if got, err := read(r); !ok || err != nil || got != want {
		c.Errorf("the new store alone has %+v (live: %v), want %q", r, ok, want)
	}
	old, _ := c.from.Load(c.Context(), c.r.ID)
	if movestore.StandingOf(&old) == movestore.Waiting {
		c.Errorf("the old store still holds %+v", old)
	}
}

// TestTurnedRound goes back from every moment of a move: the stores change
// places, and the session arrives where it came from.
func TestTurnedRound(t *testing.T) {
	everyStep(t, func(c *scene, n int32, crash bool) {
		c.befalls(n, crash, func() {})
		back := movestore.New(c.to, c.from, nil)
		r, ok := c.isLive(back)
		if got, err := read(r); !ok || err != nil || got != "payload" {
			c.Errorf("turned round, it is %+v (live: %v)", r, ok)
		}
		c.from, c.to = c.to, c.from
		c.isArrived("payload")
		c.must(back.Revoke(c.Context(), c.revocation()))
		c.forgets()
		if r, ok := c.isLive(back); ok {
			c.Errorf("revoked, it is back: %+v", r)
		}
	})
}
