package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

type profile struct {
	Theme string `json:"theme,omitempty"`
}

// Without the middleware every way to a session is an error that says what to
// do, and never a panic.
func TestNoMiddleware(t *testing.T) {
	var fields sojourn.Fields[profile]
	for name, f := range map[string]func(ctx context.Context) error{
		"From":          func(ctx context.Context) error { _, err := sojourn.From(ctx); return err },
		"Key.Get":       func(ctx context.Context) error { _, err := keyK.Get(ctx); return err },
		"Key.Lookup":    func(ctx context.Context) error { _, _, err := keyK.Lookup(ctx); return err },
		"Key.Set":       func(ctx context.Context) error { return keyK.Set(ctx, "v") },
		"Key.Delete":    func(ctx context.Context) error { return keyK.Delete(ctx) },
		"Key.Pop":       func(ctx context.Context) error { _, _, err := keyK.Pop(ctx); return err },
		"Key.Take":      func(ctx context.Context) error { _, _, err := keyK.Take(ctx); return err },
		"Key.Update":    func(ctx context.Context) error { _, err := keyK.Update(ctx, nil); return err },
		"Counter.Get":   func(ctx context.Context) error { _, err := sojourn.Counter("n").Get(ctx); return err },
		"Counter.Add":   func(ctx context.Context) error { _, err := sojourn.Counter("n").Add(ctx, 1); return err },
		"Fields.Load":   func(ctx context.Context) error { _, err := fields.Load(ctx); return err },
		"Fields.Update": func(ctx context.Context) error { _, err := fields.Update(ctx, nil); return err },
	} {
		for _, ctx := range []context.Context{context.Background(), context.WithValue(t.Context(), profile{}, 1)} {
			err := f(ctx)
			if !errors.Is(err, sojourn.ErrNoMiddleware) || !strings.Contains(err.Error(), "Manager.Handler") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// A context of no session carries none, as one after a failed Open.
func TestNewContextOfNil(t *testing.T) {
	if _, err := sojourn.From(sojourn.NewContext(t.Context(), nil)); !errors.Is(err, sojourn.ErrNoMiddleware) {
		t.Errorf("%v, expected ErrNoMiddleware", err)
	}
}

// A context derived from the request's reaches the same session; NewContext
// puts another one in front of it.
func TestContextNesting(t *testing.T) {
	s := newSite(t, nil)
	id, token := s.begun()
	s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(context.WithValue(r.Context(), profile{}, 1))
		cancel() // what is in memory does not need a living context
		if v, err := keyK.Get(ctx); v != "v" || err != nil {
			t.Errorf("derived: %q %v", v, err)
		}
		if got, err := session(ctx).ID(ctx); got != id || err != nil {
			t.Errorf("derived: %s %v", got, err)
		}
		other, _, err := s.m.Create(r.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		if owner, err := session(sojourn.NewContext(r.Context(), other)).Owner(ctx); owner != "ada" || err != nil {
			t.Errorf("NewContext: %q %v", owner, err)
		}
		if owner, err := session(r.Context()).Owner(ctx); owner != "" || err != nil {
			t.Errorf("the request's own: %q %v", owner, err)
		}
	})
	s.exchange("GET", "/page", cookies("__Host-sojourn="+token))
}

// Values, deadlines and cancellation of the server's context pass through.
func TestContextOfTheRequestPasses(t *testing.T) {
	s := newSite(t, nil)
	ctx, cancel := context.WithCancelCause(context.WithValue(t.Context(), profile{}, "value"))
	h := s.m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Context().Value(profile{}) != "value" {
			t.Error("the value is lost")
		}
		cancel(errors.New("gone"))
		<-r.Context().Done()
		if err := context.Cause(r.Context()); err == nil || err.Error() != "gone" {
			t.Errorf("cause: %v", err)
		}
		if err := keyK.Set(r.Context(), "v"); err != nil { // a client that leaves cuts no commit in half
			t.Error(err)
		}
	}))
	a := exchange(h, "GET", "/", func(r *http.Request) { *r = *r.WithContext(ctx) })
	s.wantCookie(a)
}

// Two managers in one chain: each finds its own by the context it hands out.
func TestContextInnerManagerWins(t *testing.T) {
	outer, inner := newSite(t, nil), newSite(t, &sojourn.Options{Cookie: sojourn.Cookie{Name: "__Host-inner"}})
	h := outer.m.Handler(inner.m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := keyK.Set(r.Context(), "v"); err != nil {
			t.Error(err)
		}
	})))
	a := exchange(h, "GET", "/")
	if outer.stored() != 0 || inner.stored() != 1 || !strings.HasPrefix(a.header.Get("Set-Cookie"), "__Host-inner=") {
		t.Errorf("outer %d, inner %d, %q", outer.stored(), inner.stored(), a.header.Get("Set-Cookie"))
	}
}
