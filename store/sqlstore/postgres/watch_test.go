package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/nearstore"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/enginetest"
)

var _ nearstore.Watcher = (*Store)(nil)

// A heard is one call of what Watch was given.
type heard struct {
	id    sojourn.ID
	owner string
}

// watch listens, and returns when that has begun.
func watch(t *testing.T, s *Store) (calls chan heard, ended chan error, cancel func()) {
	t.Helper()
	calls, ended = make(chan heard, 100), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		ended <- s.Watch(ctx, func(id sojourn.ID, owner string) { calls <- heard{id, owner} })
	}()
	next(t, calls, heard{})
	return calls, ended, cancel
}

func next(t *testing.T, calls chan heard, want heard) {
	t.Helper()
	select {
	case got := <-calls:
		if got != want {
			t.Errorf("heard %q: expected %q", got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("nothing was heard: expected %q", want)
	}
}

func revocation(r sojourn.Record) sojourn.RevokedRecord {
	return sojourn.RevokedRecord{ID: r.ID, Owner: r.Owner, Reason: sojourn.ReasonRevoked, At: time.Now(), Until: r.Expires}
}

func TestWatchHearsWhatOthersEnd(t *testing.T) {
	url := newDatabase(t)
	s, other := openURL(t, url, &Options{Notify: true}), openURL(t, url, &Options{Notify: true})
	const odd = "\xff\x00user' \n"
	a, b, c := create(t, other, "a", odd), create(t, other, "b\xff\x00'", odd), create(t, other, "c", odd)
	calls, ended, cancel := watch(t, s)

	// Neither of these ends anything.
	if err := other.Touch(t.Context(), &a, in(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Update(t.Context(), &a); err != nil {
		t.Fatal(err)
	}
	stale := a
	stale.Version, stale.Dead = a.Version-1, true
	if _, err := other.Update(t.Context(), &stale); !errors.Is(err, sojourn.ErrConflict) {
		t.Fatalf("an update that comes too late: %v", err)
	}
	admin(t, url, "NOTIFY "+feed, "NOTIFY "+feed+", 'x'", "NOTIFY "+feed+", 's'", "NOTIFY "+feed+", 'szz'")

	for range 2 { // the second ends nothing
		if err := other.Revoke(t.Context(), revocation(b)); err != nil {
			t.Fatal(err)
		}
	}
	next(t, calls, heard{id: b.ID})
	for want := uint64(1); want <= 2; want++ {
		if gen, err := other.RevokeOwner(t.Context(), odd); err != nil || gen != want {
			t.Fatalf("revoke owner: %d, %v: expected %d", gen, err, want)
		}
		next(t, calls, heard{owner: odd})
	}
	a.Dead, a.Expires = true, in(time.Minute)
	c.Dead, c.Expires = true, time.Time{}
	for _, r := range []sojourn.Record{a, c} {
		if current, err := other.Update(t.Context(), &r); err != nil {
			t.Fatalf("%v, %v", current, err)
		}
		next(t, calls, heard{id: r.ID})
		if _, err := other.Load(t.Context(), r.ID); !errors.Is(err, sojourn.ErrNotFound) {
			t.Errorf("an update that ends %q: %v", r.ID, err)
		}
	}

	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || len(calls) > 0 {
		t.Errorf("watch ended with %v, and %d reports too many", err, len(calls))
	}
	calls, ended, cancel = watch(t, s)
	defer cancel()
	s.Close()
	if err := <-ended; !errors.Is(err, ErrClosed) || len(calls) > 0 {
		t.Errorf("watch of a store that is closed ended with %v", err)
	}
}

func TestWatchWithoutNotify(t *testing.T) {
	s := openURL(t, newDatabase(t), nil)
	err := s.Watch(t.Context(), func(sojourn.ID, string) { t.Error("heard something") })
	if !errors.Is(err, sojourn.ErrUnsupported) || !strings.Contains(err.Error(), "Options.Notify") {
		t.Errorf("watch: %v", err)
	}
	near := nearstore.New(s, &nearstore.Options{Guarantee: nearstore.Bounded(time.Second)})
	if err := near.Run(t.Context()); !errors.Is(err, sojourn.ErrUnsupported) {
		t.Errorf("run: %v", err)
	}
}

func TestWatchEndsWithItsConnection(t *testing.T) {
	url := newDatabase(t)
	proxy := testenv.StartProxy(t, shared(t).Addr)
	s := openURL(t, strings.Replace(url, shared(t).Addr, proxy.Addr, 1), &Options{Notify: true})
	for name, lose := range map[string]func(){"cut": proxy.Cut, "frozen": proxy.Freeze} {
		_, ended, cancel := watch(t, s)
		lose()
		begun := time.Now()
		select {
		case err := <-ended:
			if err == nil || errors.Is(err, context.Canceled) {
				t.Errorf("%s: watch ended with %v", name, err)
			}
			t.Logf("%s: after %s: %v", name, time.Since(begun), err)
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: watch goes on", name)
		}
		cancel()
		proxy.Thaw()
	}
}

func TestP11ANearCacheDropsWhatOthersEndBeforeItsBound(t *testing.T) {
	url := newDatabase(t)
	s, other := openURL(t, url, &Options{Notify: true}), openURL(t, url, &Options{Notify: true})
	near := nearstore.New(s, &nearstore.Options{Guarantee: nearstore.Bounded(time.Hour)})
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- near.Run(ctx) }()
	cached := func(r sojourn.Record) {
		t.Helper()
		testenv.Eventually(t, "it is kept", 10*time.Second, func() error {
			got, err := near.Load(t.Context(), r.ID)
			if err == nil && !got.Cached {
				err = errors.New("it is not")
			}
			return err
		})
	}
	one, two := create(t, other, "one", "user"), create(t, other, "two", "user")
	listeners := "SELECT count(*) FROM pg_stat_activity WHERE query = '" + sqlListen + "' OR query LIKE '-- ping%'"
	testenv.Eventually(t, "it listens", 10*time.Second, func() error {
		if counter(t, url, listeners) == 0 {
			return errors.New("it does not")
		}
		return nil
	})
	time.Sleep(300 * time.Millisecond) // the flush at the beginning
	cached(one)
	cached(two)
	gone := func(id sojourn.ID) {
		t.Helper()
		testenv.Eventually(t, "it is dropped", 5*time.Second, func() error {
			r, err := near.Load(t.Context(), id)
			if err == nil && r.Generation == r.OwnerGeneration {
				return errors.New("it is still served")
			}
			return nil
		})
	}
	if err := other.Revoke(t.Context(), revocation(one)); err != nil {
		t.Fatal(err)
	}
	gone(one.ID)
	if _, err := other.RevokeOwner(t.Context(), "user"); err != nil {
		t.Fatal(err)
	}
	gone(two.ID)
	cancel()
	if err := <-ran; err != nil {
		t.Errorf("run: %v", err)
	}
}

func notifying(t testing.TB) *enginetest.Engine {
	e := engine(t)
	url := newDatabase(t)
	e.Open = func(t testing.TB, addr string, conns int) enginetest.Store {
		return openURL(t, strings.Replace(url, e.Addr, addr, 1), &Options{Conns: conns, Notify: true})
	}
	return e
}

func TestConformanceWithNotify(t *testing.T) {
	conform(t, newDatabase(t), &Options{Notify: true}, 300*time.Millisecond, func() {})
}
func TestRoundTripsWithNotify(t *testing.T) { enginetest.RoundTrips(t, notifying(t), 1) }
