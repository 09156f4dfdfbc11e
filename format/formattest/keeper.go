package formattest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
)

// TB is what a conformance case needs of a test: the suite is tested with one that
// only notes failures.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Context() context.Context
}

// KeeperOptions tell what is particular about a keeper.
type KeeperOptions struct {
	// Key makes a key that the engine takes. Default: the name itself.
	Key func(name string) string
	// Record makes a record that the engine takes, distinct for each n. Default:
	// short JSON.
	Record func(n int) []byte
	// NoDeadline: Read cannot tell when a record vanishes.
	NoDeadline bool
}

// A rule is a case of a suite; its name says the rule.
type rule[T any] struct {
	name  string
	check func(t TB, v T)
}

type keeping struct {
	k   format.Keeper
	opt KeeperOptions
	n   atomic.Int64
}

func (k *keeping) key() string { return k.opt.Key(fmt.Sprintf("key%d", k.n.Add(1))) }

// RunKeeper checks a keeper against the rules of format.Keeper.
func RunKeeper(t *testing.T, k format.Keeper, opt *KeeperOptions) {
	v := newKeeping(k, opt)
	for _, r := range keeperRules {
		t.Run(r.name, func(t *testing.T) { r.check(t, v) })
	}
}

func newKeeping(k format.Keeper, opt *KeeperOptions) *keeping {
	v := &keeping{k: k}
	if opt != nil {
		v.opt = *opt
	}
	if v.opt.Key == nil {
		v.opt.Key = func(name string) string { return name }
	}
	if v.opt.Record == nil {
		v.opt.Record = func(n int) []byte { return fmt.Appendf(nil, `{"n":%d}`, n) }
	}
	return v
}

var keeperRules = []rule[*keeping]{
	{"Read of nothing is ErrNotFound", func(t TB, v *keeping) {
		if _, _, err := v.k.Read(t.Context(), v.key()); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("%v", err)
		}
	}},
	{"Swap of nothing creates, and Read returns its bytes", func(t TB, v *keeping) {
		key, record := v.key(), v.opt.Record(1)
		v.swap(t, key, nil, record, time.Now().Add(time.Hour), nil)
		v.holds(t, key, record)
	}},
	{"Swap of nothing over something is ErrConflict", func(t TB, v *keeping) {
		key, record := v.key(), v.opt.Record(1)
		v.swap(t, key, nil, record, time.Now().Add(time.Hour), nil)
		v.swap(t, key, nil, v.opt.Record(2), time.Now().Add(time.Hour), sojourn.ErrConflict)
		v.holds(t, key, record)
	}},
	{"Swap replaces the bytes that were given as old, shorter and longer ones too", func(t TB, v *keeping) {
		key := v.key()
		a, b, c := v.opt.Record(1), v.opt.Record(1_000_000), v.opt.Record(2)
		v.swap(t, key, nil, a, time.Now().Add(time.Hour), nil)
		v.swap(t, key, a, b, time.Time{}, nil)
		v.holds(t, key, b)
		v.swap(t, key, b, c, time.Now().Add(time.Hour), nil)
		v.holds(t, key, c)
	}},
	{"Swap over other bytes is ErrConflict and changes nothing", func(t TB, v *keeping) {
		key, record := v.key(), v.opt.Record(1)
		v.swap(t, key, nil, record, time.Now().Add(time.Hour), nil)
		v.swap(t, key, v.opt.Record(2), v.opt.Record(3), time.Now().Add(time.Hour), sojourn.ErrConflict)
		v.swap(t, key, v.opt.Record(2), nil, time.Time{}, sojourn.ErrConflict)
		v.holds(t, key, record)
	}},
	{"Swap of something that is gone is ErrNotFound and creates nothing", func(t TB, v *keeping) {
		key := v.key()
		v.swap(t, key, v.opt.Record(1), v.opt.Record(2), time.Now().Add(time.Hour), sojourn.ErrNotFound)
		v.swap(t, key, v.opt.Record(1), nil, time.Time{}, sojourn.ErrNotFound)
		v.empty(t, key)
	}},
	{"Swap by nothing removes", func(t TB, v *keeping) {
		key, record := v.key(), v.opt.Record(1)
		v.swap(t, key, nil, record, time.Now().Add(time.Hour), nil)
		v.swap(t, key, record, nil, time.Time{}, nil)
		v.empty(t, key)
		v.swap(t, key, nil, record, time.Now().Add(time.Hour), nil)
	}},
	{"Delete removes; deleting nothing is no error", func(t TB, v *keeping) {
		key := v.key()
		v.swap(t, key, nil, v.opt.Record(1), time.Now().Add(time.Hour), nil)
		for range 2 {
			if err := v.k.Delete(t.Context(), key); err != nil {
				t.Errorf("%v", err)
			}
			v.empty(t, key)
		}
	}},
	{"Touch moves the deadline and neither creates nor changes", func(t TB, v *keeping) {
		key, record := v.key(), v.opt.Record(1)
		if err := v.k.Touch(t.Context(), key, time.Now().Add(time.Hour)); err != nil {
			t.Errorf("of nothing: %v", err)
		}
		v.empty(t, key)
		v.swap(t, key, nil, record, time.Now().Add(time.Hour), nil)
		until := time.Now().Add(2 * time.Hour)
		if err := v.k.Touch(t.Context(), key, until); err != nil {
			t.Errorf("%v", err)
		}
		v.holds(t, key, record)
		v.until(t, key, until)
	}},
	{"Read tells the deadline; a Swap without one keeps it", func(t TB, v *keeping) {
		key, until := v.key(), time.Now().Add(90*time.Minute)
		v.swap(t, key, nil, v.opt.Record(1), until, nil)
		v.until(t, key, until)
		v.swap(t, key, v.opt.Record(1), v.opt.Record(2), time.Time{}, nil)
		v.until(t, key, until)
		later := time.Now().Add(150 * time.Minute)
		v.swap(t, key, v.opt.Record(2), v.opt.Record(3), later, nil)
		v.until(t, key, later)
	}},
	{"Of parallel Swaps of the same bytes one succeeds", func(t TB, v *keeping) {
		key := v.key()
		v.swap(t, key, nil, v.opt.Record(0), time.Now().Add(time.Hour), nil)
		const rounds, writers = 5, 8
		old := v.opt.Record(0)
		for round := range rounds {
			var won atomic.Int64
			var winner atomic.Pointer[[]byte]
			var group sync.WaitGroup
			for i := range writers {
				group.Go(func() {
					record := v.opt.Record(1 + round*writers + i)
					switch err := v.k.Swap(t.Context(), key, old, record, time.Now().Add(time.Hour)); {
					case err == nil:
						won.Add(1)
						winner.Store(&record)
					case !errors.Is(err, sojourn.ErrConflict):
						t.Errorf("%v", err)
					}
				})
			}
			group.Wait()
			if won.Load() != 1 {
				t.Fatalf("%d of %d succeeded", won.Load(), writers)
			}
			old = *winner.Load()
			v.holds(t, key, old)
		}
	}},
	{"Methods end with their context", func(t TB, v *keeping) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		key := v.key()
		if _, _, err := v.k.Read(ctx, key); err == nil || errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("Read: %v", err)
		}
		if err := v.k.Swap(ctx, key, nil, v.opt.Record(1), time.Now().Add(time.Hour)); err == nil {
			t.Errorf("Swap succeeded")
		}
		v.empty(t, key)
	}},
}

func (v *keeping) swap(t TB, key string, old, record []byte, expires time.Time, want error) {
	t.Helper()
	if err := v.k.Swap(t.Context(), key, old, record, expires); !errors.Is(err, want) || err != nil && want == nil {
		t.Fatalf("Swap: %v, expected %v", err, want)
	}
}

func (v *keeping) holds(t TB, key string, record []byte) {
	t.Helper()
	if got, _, err := v.k.Read(t.Context(), key); err != nil || !bytes.Equal(got, record) {
		t.Errorf("Read: %q, %v, expected %q", got, err, record)
	}
}

func (v *keeping) empty(t TB, key string) {
	t.Helper()
	if got, _, err := v.k.Read(t.Context(), key); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("Read: %q, %v, expected ErrNotFound", got, err)
	}
}

func (v *keeping) until(t TB, key string, want time.Time) {
	t.Helper()
	_, got, err := v.k.Read(t.Context(), key)
	if err != nil {
		t.Errorf("Read: %v", err)
		return
	}
	if v.opt.NoDeadline {
		if !got.IsZero() {
			t.Errorf("the deadline is %v, expected none", got)
		}
		return
	}
	if d := got.Sub(want); d < -2*time.Second || d > 2*time.Second {
		t.Errorf("the deadline is %v, expected %v", got, want)
	}
}
