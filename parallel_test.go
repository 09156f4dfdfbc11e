package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/sojournhq/sojourn"
)

// Goroutines of one request may use its session together; run with -race.
func TestParallelUseInOneRequest(t *testing.T) {
	const workers, rounds = 16, 50
	hits := sojourn.Counter("hits")
	for _, exists := range []bool{false, true} {
		t.Run(fmt.Sprintf("exists %v", exists), func(t *testing.T) {
			s := newSite(t, nil)
			var shapes []shape
			if exists {
				_, token := s.begun()
				shapes = append(shapes, cookies("__Host-sojourn="+token))
			}
			s.mux.HandleFunc("/fan", func(w http.ResponseWriter, r *http.Request) {
				var wg sync.WaitGroup
				for i := range workers {
					wg.Go(func() {
						ctx, mine := r.Context(), sojourn.Key[int](fmt.Sprintf("worker %d", i))
						for n := range rounds {
							_, err1 := hits.Add(ctx, 1)
							err2 := mine.Set(ctx, n)
							got, err3 := mine.Get(ctx)
							_, err4 := keyK.Update(ctx, func(v string) (string, error) { return "v", nil })
							st, err5 := session(ctx).Status(ctx)
							if err := errors.Join(err1, err2, err3, err4, err5); err != nil || got != n || st.State != sojourn.StateActive {
								t.Errorf("worker %d: %d %v %v", i, got, st.State, err)
								return
							}
						}
						if i == 0 {
							if err := session(ctx).Save(ctx); err != nil {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				if err := session(r.Context()).Login(r.Context(), "ada"); err != nil {
					t.Error(err)
				}
			})
			token := s.exchange("GET", "/fan", shapes...).header.Get("Set-Cookie")
			if token == "" {
				t.Fatal("no cookie")
			}
			id := s.onlyLive()
			session, err := s.m.Open(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			ctx := sojourn.NewContext(t.Context(), session)
			if n, err := hits.Get(ctx); n != workers*rounds || err != nil {
				t.Errorf("hits %d, expected %d: %v", n, workers*rounds, err)
			}
			for i := range workers {
				if n, err := sojourn.Key[int](fmt.Sprintf("worker %d", i)).Get(ctx); n != rounds-1 || err != nil {
					t.Errorf("worker %d: %d %v", i, n, err)
				}
			}
		})
	}
}

// onlyLive is the ID of the one live record.
func (s *site) onlyLive() (id sojourn.ID) {
	s.t.Helper()
	m := s.store.Store.(*mapStore)
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.recs {
		if r.Dead {
			continue
		}
		if id != "" {
			s.t.Error("more than one live record")
		}
		id = r.ID
	}
	return id
}

// The first answer may begin while other goroutines still use the session.
func TestParallelUseWhileTheAnswerBegins(t *testing.T) {
	s := newSite(t, nil)
	_, token := s.begun()
	hits := sojourn.Counter("hits")
	s.mux.HandleFunc("/fan", func(w http.ResponseWriter, r *http.Request) {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 50 {
					if _, err := hits.Add(r.Context(), 1); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		io.WriteString(w, "page")
		wg.Wait()
	})
	s.exchange("GET", "/fan", cookies("__Host-sojourn="+token))
	session, err := s.m.Open(t.Context(), s.onlyLive())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := hits.Get(sojourn.NewContext(t.Context(), session)); n != 400 || err != nil {
		t.Errorf("hits %d, expected 400: %v", n, err)
	}
}

// A goroutine that outlives its request keeps its own session: scopes are not
// handed to the next visitor.
func TestParallelGoroutineOutlivesItsRequest(t *testing.T) {
	s := newSite(t, nil)
	var kept []context.Context
	s.mux.HandleFunc("/keep/{name}", func(w http.ResponseWriter, r *http.Request) {
		keyK.Set(r.Context(), r.PathValue("name"))
		kept = append(kept, r.Context())
	})
	const visitors = 40 // several slabs
	for i := range visitors {
		s.exchange("GET", fmt.Sprintf("/keep/%d", i))
	}
	for i, ctx := range kept {
		if v, err := keyK.Get(ctx); v != fmt.Sprint(i) || err != nil {
			t.Fatalf("visitor %d finds %q: %v", i, v, err)
		}
	}
}

// Sessions are printed in logs while others use them; run with -race.
func TestParallelPrinting(t *testing.T) {
	s := newSite(t, nil)
	s.mux.HandleFunc("/fan", func(w http.ResponseWriter, r *http.Request) {
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 20 {
				keyK.Set(r.Context(), "v")
				session(r.Context()).Save(r.Context())
			}
		})
		wg.Go(func() {
			for range 20 {
				_ = fmt.Sprint(session(r.Context()))
			}
		})
		wg.Wait()
	})
	s.exchange("GET", "/fan")
}
