package nearstore_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/nearstore"
)

// feed is a source that tells what changes, as Redis and PostgreSQL do.
type feed struct {
	*source
	mu        sync.Mutex
	listeners map[chan error]func(sojourn.ID, string)
	begun     int
}

func (f *feed) Unwrap() sojourn.Store { return f.source }

func (f *feed) Watch(ctx context.Context, changed func(sojourn.ID, string)) error {
	lost := make(chan error, 1)
	f.mu.Lock()
	f.begun++
	f.listeners[lost] = changed
	f.mu.Unlock()
	changed("", "")
	select {
	case err := <-lost:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *feed) tell(id sojourn.ID, owner string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, changed := range f.listeners {
		changed(id, owner)
	}
}

// cut ends every listener's channel.
func (f *feed) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for lost := range f.listeners {
		lost <- errDown
		delete(f.listeners, lost)
	}
}

func (f *feed) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	defer f.tell(r.ID, "")
	return f.source.Revoke(ctx, r)
}

func (f *feed) RevokeOwner(ctx context.Context, owner string) (uint64, error) {
	defer f.tell("", owner)
	return f.source.RevokeOwner(ctx, owner)
}

// watched runs f with two nodes that listen. Time is the bubble's.
func watched(t *testing.T, f func(t *testing.T, src *feed, here, there node)) {
	synctest.Test(t, func(t *testing.T) {
		src := &feed{source: newSource(), listeners: map[chan error]func(sojourn.ID, string){}}
		opt := &nearstore.Options{Guarantee: nearstore.Bounded(time.Second), ServeStale: time.Minute}
		here, there := node{nearstore.New(src, opt), t}, node{nearstore.New(src, opt), t}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for _, n := range []node{here, there} {
			running.Go(func() {
				if err := n.Run(ctx); err != nil {
					t.Errorf("Run: %v", err)
				}
			})
		}
		synctest.Wait()
		f(t, src, here, there)
		cancel()
		running.Wait()
	})
}

func TestP11ReportsAreHeededAtOnce(t *testing.T) {
	watched(t, func(t *testing.T, src *feed, here, there node) {
		a, b, other := here.create("ada"), here.create("ada"), here.create("bob")
		for _, r := range []sojourn.Record{a, b, other} {
			there.load(r.ID)
		}
		loads := src.loads.Load()
		if err := here.revoke(a); err != nil {
			t.Fatal(err)
		}
		if there.alive(a.ID) || !there.alive(b.ID) || src.loads.Load() != loads+1 {
			t.Error("a reported revocation was not heeded, or more than it")
		}
		if _, err := here.RevokeOwner(t.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		if there.alive(b.ID) || !there.alive(other.ID) || src.loads.Load() != loads+2 {
			t.Error("a reported revocation of an owner was not heeded, or more than it")
		}
	})
}

// A load that began before a report is not kept after it.
func TestP1AReportVoidsWhatIsUnderWay(t *testing.T) {
	watched(t, func(t *testing.T, src *feed, here, there node) {
		for name, end := range map[string]func(r sojourn.Record) error{
			"revoke":       here.revoke,
			"revoke owner": func(r sojourn.Record) error { _, err := here.RevokeOwner(t.Context(), r.Owner); return err },
		} {
			r := here.create("ada")
			h := src.hold("load")
			early := make(chan bool)
			go func() { early <- there.alive(r.ID) }()
			h.await(t)
			if err := end(r); err != nil {
				t.Fatal(err)
			}
			h.free()
			if <-early; there.alive(r.ID) {
				t.Errorf("%s: what was read before the report was kept after it", name)
			}
		}
	})
}

// What is kept when the channel is lost, or while it is, may have changed
// unheard: it answers nobody, except in an outage.
func TestALostChannelFlushes(t *testing.T) {
	watched(t, func(t *testing.T, src *feed, here, there node) {
		before := here.create("ada")
		there.load(before.ID)
		src.cut()
		synctest.Wait()
		during := here.create("ada")
		there.load(during.ID)
		loads := src.loads.Load()
		if there.load(before.ID); src.loads.Load() != loads+1 {
			t.Error("kept from before the loss, and served after it")
		}
		time.Sleep(150 * time.Millisecond) // it listens again
		synctest.Wait()
		if src.begun != 4 {
			t.Fatalf("Watch was called %d times, expected twice for each node", src.begun)
		}
		if there.load(during.ID); src.loads.Load() != loads+2 {
			t.Error("kept while nobody listened, and served afterwards")
		}
		if there.load(during.ID); src.loads.Load() != loads+2 {
			t.Error("nothing is kept any more")
		}
		src.cut()
		src.fail(errDown)
		synctest.Wait()
		if got := there.load(before.ID); !got.Cached {
			t.Errorf("%+v: what a lost channel leaves should outlast an outage", got)
		}
	})
}

func TestRunTriesLessOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Duration
		begin := time.Now()
		src := broken{Store: newSource(), watch: func() { times = append(times, time.Since(begin)) }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := nearstore.New(src, nil).Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
		if len(times) < 12 || len(times) > 30 {
			t.Errorf("it tried %d times in a minute: %v", len(times), times)
		}
	})
}

type broken struct {
	sojourn.Store
	watch func()
}

func (b broken) Watch(context.Context, func(sojourn.ID, string)) error { b.watch(); return errDown }

func TestRunWithoutAFeed(t *testing.T) {
	if err := nearstore.New(newSource(), nil).Run(t.Context()); !errors.Is(err, sojourn.ErrUnsupported) {
		t.Errorf("Run: %v", err)
	}
}
