package seal_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
	"github.com/sojournhq/sojourn/store/memstore"
)

func TestRotation(t *testing.T) {
	inner := openSQLite(t, "")
	old, fresh := seal.GenerateKey(), seal.GenerateKey()
	before := newStore(t, inner, newRing(t, old))
	var all []sojourn.Record
	for i := range 10 {
		all = append(all, create(t, before, "ada", fmt.Sprint("record ", i)))
	}
	after := newStore(t, inner, newRing(t, fresh, old))
	census := func(want map[string]int, remain int) {
		t.Helper()
		c, err := after.Census(t.Context())
		if err != nil || fmt.Sprint(c.ByKey) != fmt.Sprint(want) || c.Old != remain || c.Unsealed != 0 {
			t.Errorf("census %+v, %v, expected %v and %d old", c, err, want, remain)
		}
	}
	census(map[string]int{old.ID(): 10}, 10)
	r, err := after.Load(t.Context(), all[0].ID) // under the old key
	if err != nil || string(r.Payload) != "record 0" {
		t.Fatalf("%q, %v", r.Payload, err)
	}
	if _, err := after.Update(t.Context(), &r); err != nil { // the next write seals anew
		t.Fatal(err)
	}
	census(map[string]int{old.ID(): 9, fresh.ID(): 1}, 9)
	got, err := before.Load(t.Context(), r.ID)
	unreadable(t, "where the new key is missing", got, err, seal.ErrUnknownKey)
	got, err = newStore(t, inner, newRing(t, fresh)).Load(t.Context(), all[1].ID)
	unreadable(t, "where the old key was removed too early", got, err, seal.ErrUnknownKey)

	deadline := all[2].Expires
	if n, err := after.Reseal(t.Context()); n != 9 || err != nil {
		t.Errorf("Reseal: %d, %v", n, err)
	}
	census(map[string]int{fresh.ID(): 10}, 0)
	alone := newStore(t, inner, newRing(t, fresh))
	for i, r := range all {
		if got, err := alone.Load(t.Context(), r.ID); err != nil || string(got.Payload) != fmt.Sprint("record ", i) || !got.Expires.Equal(deadline) && i == 2 {
			t.Errorf("record %d after resealing: %q, %v", i, got.Payload, err)
		}
	}
	if n, err := after.Reseal(t.Context()); n != 0 || err != nil {
		t.Errorf("Reseal again: %d, %v", n, err)
	}
	if _, err := newStore(t, memstore.New(nil), newRing(t, old)).Census(t.Context()); !errors.Is(err, sojourn.ErrUnsupported) {
		t.Errorf("Census of a store without Scan: %v", err)
	}
}

// Sealing can begin on a store that has sessions, once and on purpose.
func TestSealAll(t *testing.T) {
	inner := openSQLite(t, "")
	plain := create(t, inner, "ada", "plain")
	ended := create(t, inner, "ada", "ended")
	if err := inner.Revoke(t.Context(), sojourn.RevokedRecord{ID: ended.ID, Owner: "ada", Reason: sojourn.ReasonLogout, At: time.Now(), Until: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	s := newStore(t, inner, newRing(t, seal.GenerateKey()))
	got, err := s.Load(t.Context(), plain.ID)
	unreadable(t, "a plain record", got, err, seal.ErrUnsealed)
	if c, err := s.Census(t.Context()); err != nil || c.Unsealed != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	if n, err := s.SealAll(t.Context()); n != 1 || err != nil {
		t.Errorf("SealAll: %d, %v", n, err)
	}
	if got, err = s.Load(t.Context(), plain.ID); err != nil || string(got.Payload) != "plain" || !got.Expires.Equal(plain.Expires) {
		t.Errorf("%q, %v", got.Payload, err)
	}
	if _, err = s.Load(t.Context(), ended.ID); !errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("what had ended: %v", err)
	}
	if n, err := s.SealAll(t.Context()); n != 0 || err != nil {
		t.Errorf("SealAll again: %d, %v", n, err)
	}
}

// Two servers on one store go through three rotations, as docs and "sojourn keys"
// do it, while their users work. No request fails and no user is logged out.
func TestRotationUnderLoad(t *testing.T) {
	inner := openSQLite(t, "")
	current := seal.GenerateKey()
	rings := []*seal.Ring{newRing(t, current), newRing(t, current)}
	var handlers []http.Handler
	var stores []*seal.Store
	corrupt := new(corruptions)
	for _, r := range rings {
		s := newStore(t, inner, r)
		m, err := sojourn.New(s, &sojourn.Options{Cookie: sojourn.Cookie{Insecure: true}, Observers: []sojourn.Observer{corrupt}})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		stores = append(stores, s)
		handlers = append(handlers, m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/login" {
				s, _ := sojourn.From(r.Context())
				if err := s.Login(r.Context(), "ada"); err != nil {
					m.Error(w, r, err)
				}
				return
			}
			n, err := sojourn.Counter("n").Add(r.Context(), 1)
			if err != nil {
				m.Error(w, r, err)
				return
			}
			fmt.Fprint(w, n)
		})))
	}
	stop := make(chan struct{})
	var work sync.WaitGroup
	var requests, failures atomic.Int64
	for u := range 4 {
		work.Go(func() {
			cookie, n := "", 0
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				path := "/add"
				if i == 0 {
					path = "/login"
				}
				r := httptest.NewRequest("GET", path, nil)
				if cookie != "" {
					r.Header.Set("Cookie", cookie)
				}
				w := httptest.NewRecorder()
				handlers[(u+i)%2].ServeHTTP(w, r)
				if c := w.Header().Get("Set-Cookie"); c != "" {
					cookie, _, _ = strings.Cut(c, ";")
				}
				requests.Add(1)
				if i > 0 {
					n++
				}
				if w.Code != 200 || i > 0 && w.Body.String() != fmt.Sprint(n) {
					failures.Add(1)
					t.Errorf("user %d, request %d: %d %q, expected 200 %d", u, i, w.Code, w.Body, n)
					return
				}
			}
		})
	}
	replace := func(active seal.Key, old ...seal.Key) {
		for _, r := range rings { // one server after the other
			before := requests.Load()
			if err := r.Replace(newRing(t, active, old...)); err != nil {
				t.Error(err)
			}
			for end := time.Now().Add(10 * time.Second); requests.Load() < before+100 && failures.Load() == 0 && time.Now().Before(end); {
				time.Sleep(time.Millisecond)
			}
		}
	}
	for range 3 {
		fresh := seal.GenerateKey()
		replace(current, fresh) // all can read it
		replace(fresh, current) // then it seals
		if _, err := stores[0].Reseal(context.Background()); err != nil {
			t.Error(err)
		}
		if c, err := stores[1].Census(context.Background()); err != nil || c.ByKey[current.ID()] > 4 { // at most the moved records of the logins
			t.Errorf("census %+v, %v", c, err)
		}
		replace(fresh)
		current = fresh
	}
	close(stop)
	work.Wait()
	if n := corrupt.n.Load(); n != 0 {
		t.Errorf("%d records did not open", n)
	}
	t.Logf("%d requests, %d failures", requests.Load(), failures.Load())
}

type corruptions struct{ n atomic.Int64 }

func (c *corruptions) Observe(_ context.Context, e sojourn.Event) {
	if e.Kind == sojourn.EventCorrupt || e.Kind == sojourn.EventUnavailable {
		c.n.Add(1)
	}
}
