package sojourn_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
)

// A function passed to Update must not use the session. If it does it gets an
// error, and the request goes on: never a deadlock.
func TestReentryIsAnError(t *testing.T) {
	var fields sojourn.Fields[profile]
	for name, use := range map[string]func(ctx context.Context) error{
		"Get":    func(ctx context.Context) error { _, err := keyL.Get(ctx); return err },
		"Set":    func(ctx context.Context) error { return keyL.Set(ctx, "x") },
		"Add":    func(ctx context.Context) error { _, err := sojourn.Counter("n").Add(ctx, 1); return err },
		"Update": func(ctx context.Context) error { _, err := keyL.Update(ctx, nil); return err },
		"Load":   func(ctx context.Context) error { _, err := fields.Load(ctx); return err },
		"Take":   func(ctx context.Context) error { _, _, err := keyL.Take(ctx); return err },
		"Status": func(ctx context.Context) error { _, err := session(ctx).Status(ctx); return err },
		"Login":  func(ctx context.Context) error { return session(ctx).Login(ctx, "ada") },
		"Logout": func(ctx context.Context) error { return session(ctx).Logout(ctx) },
		"Save":   func(ctx context.Context) error { return session(ctx).Save(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // waiting costs no time
				s := newSite(t, nil)
				_, token := s.begun()
				s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
					_, err := keyK.Update(r.Context(), func(v string) (string, error) {
						if err := use(r.Context()); !errors.Is(err, sojourn.ErrInvalid) {
							t.Errorf("inside: %v, expected ErrInvalid", err)
						}
						return "updated", nil
					})
					if err != nil {
						t.Error(err)
					}
				})
				if a := s.exchange("GET", "/page", cookies("__Host-sojourn="+token)); a.code != 200 {
					t.Errorf("%d %q", a.code, a.body)
				}
				if a := s.exchange("GET", "/get/k", cookies("__Host-sojourn="+token)); a.body != "updated" {
					t.Errorf("k = %q", a.body)
				}
			})
		})
	}
}

// within fails the test if f is not done soon, and leaves it behind.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(3 * time.Second):
		t.Errorf("deadlock: %s", what)
	}
}

// What has no error to return must not wait for ever either.
func TestReentryWithoutAnError(t *testing.T) {
	for name, use := range map[string]func(w http.ResponseWriter, r *http.Request){
		"Passive":     func(_ http.ResponseWriter, r *http.Request) { session(r.Context()).Passive() },
		"Write":       func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "progress") },
		"WriteHeader": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"Flush":       func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, nil)
			_, token := s.begun()
			s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
				keyK.Update(r.Context(), func(v string) (string, error) { use(w, r); return "updated", nil })
			})
			within(t, name+" inside Update", func() { s.exchange("GET", "/page", cookies("__Host-sojourn="+token)) })
		})
	}
}

// A panic in an Update function reaches the handler, leaves nothing behind and
// does not lock the session.
func TestUpdatePanic(t *testing.T) {
	var fields sojourn.Fields[profile]
	for name, update := range map[string]func(ctx context.Context){
		"Key":    func(ctx context.Context) { keyK.Update(ctx, func(string) (string, error) { panic("boom") }) },
		"Fields": func(ctx context.Context) { fields.Update(ctx, func(p *profile) error { p.Theme = "x"; panic("boom") }) },
	} {
		for _, exists := range []bool{true, false} {
			t.Run(name+map[bool]string{true: ", a session", false: ", nobody"}[exists], func(t *testing.T) {
				s := newSite(t, nil)
				var shapes []shape
				if exists {
					_, token := s.begun()
					shapes = append(shapes, cookies("__Host-sojourn="+token))
				}
				records := s.stored()
				s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
					func() {
						defer func() {
							if recover() != "boom" {
								t.Error("the panic did not arrive")
							}
						}()
						update(r.Context())
					}()
					if _, err := session(r.Context()).Status(r.Context()); err != nil {
						t.Error("after the panic:", err)
					}
					io.WriteString(w, "recovered")
				})
				a := s.exchange("GET", "/page", shapes...)
				if a.code != 200 || a.body != "recovered" {
					t.Errorf("%d %q", a.code, a.body)
				}
				if a.header.Get("Set-Cookie") != "" || s.stored() != records {
					t.Errorf("it began a session: %q, %d records", a.header.Get("Set-Cookie"), s.stored())
				}
				if a := s.exchange("GET", "/get/k", shapes...); exists && a.body != "v" {
					t.Errorf("k = %q", a.body)
				}
			})
		}
	}
}

// The function may run again on newer data when the session is committed; its
// panic then belongs to the request that passed it, not to the parallel one.
func TestUpdatePanicAtCommit(t *testing.T) {
	s := newSite(t, nil)
	_, token := s.begun()
	mine := cookies("__Host-sojourn=" + token)
	s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		runs := 0
		keyK.Update(r.Context(), func(v string) (string, error) {
			if runs++; runs > 1 {
				panic("boom")
			}
			return v + "!", nil
		})
		if a := s.exchange("GET", "/set/other/x", mine); a.code != 200 {
			t.Errorf("the parallel request: %d", a.code)
		}
	})
	func() {
		defer func() {
			if recover() != "boom" {
				t.Error("the panic did not arrive")
			}
		}()
		s.exchange("GET", "/page", mine)
	}()
	within(t, "after a panic at commit", func() {
		if a := s.exchange("GET", "/set/k/after", mine); a.code != 200 {
			t.Errorf("next request: %d %q", a.code, a.body)
		}
	})
	if a := s.exchange("GET", "/get/other", mine); a.body != "x" {
		t.Errorf("other = %q", a.body)
	}
}

// Once it has panicked, it is not run again: whoever recovers can answer.
func TestUpdatePanicAtCommitIsAnswered(t *testing.T) {
	for _, login := range []bool{false, true} {
		s := newSite(t, nil)
		_, token := s.begun()
		mine := cookies("__Host-sojourn=" + token)
		s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if recover() != "boom" {
					t.Error("the panic did not arrive")
				}
				http.Error(w, "sorry", 500)
			}()
			runs := 0
			keyK.Update(r.Context(), func(v string) (string, error) {
				if runs++; runs > 1 {
					panic("boom")
				}
				return v + "!", nil
			})
			if login {
				session(r.Context()).Login(r.Context(), "ada")
			}
			s.exchange("GET", "/set/other/x", mine)
			io.WriteString(w, "page")
		})
		if a := s.exchange("GET", "/page", mine); a.code != 500 || a.body != "sorry" || a.header.Get("Set-Cookie") != "" {
			t.Errorf("login %v: %d %q", login, a.code, a.body)
		}
		if a := s.exchange("GET", "/get/k", mine); a.body != "v" {
			t.Errorf("login %v: k = %q", login, a.body)
		}
	}
}

// So it is at login, and the visitor's session stays.
func TestUpdatePanicAtLogin(t *testing.T) {
	s := newSite(t, nil)
	_, token := s.begun()
	mine := cookies("__Host-sojourn=" + token)
	s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		runs := 0
		keyK.Update(r.Context(), func(v string) (string, error) {
			if runs++; runs > 1 {
				panic("boom")
			}
			return v + "!", nil
		})
		if a := s.exchange("GET", "/set/other/x", mine); a.code != 200 {
			t.Errorf("the parallel request: %d", a.code)
		}
		session(r.Context()).Login(r.Context(), "ada")
	})
	func() {
		defer func() {
			if recover() != "boom" {
				t.Error("the panic did not arrive")
			}
		}()
		s.exchange("GET", "/page", mine)
	}()
	if a := s.exchange("GET", "/get/k", mine); a.body != "v" {
		t.Errorf("k = %q", a.body)
	}
	if list, err := s.m.List(t.Context(), "ada"); err != nil || len(list) != 0 {
		t.Errorf("sessions of the user who did not log in: %v, %v", list, err)
	}
}

// A panic of a store or an observer ends its request, and no other: the next
// commit of the session must not wait for it for ever.
func TestPanicOfAStoreDoesNotWedgeTheSession(t *testing.T) {
	s := newSite(t, nil)
	_, token := s.begun()
	mine := cookies("__Host-sojourn=" + token)
	s.store.fault = func(op string) (error, error) {
		if op == "update" {
			panic("store")
		}
		return nil, nil
	}
	func() {
		defer func() { _ = recover() }()
		s.exchange("GET", "/set/k/w", mine)
	}()
	s.store.fault = nil
	within(t, "a commit after a store's panic", func() {
		if a := s.exchange("GET", "/set/k/x", mine); a.code != 200 {
			t.Errorf("next request: %d %q", a.code, a.body)
		}
	})
}

// watcher is a log handler and an observer that look at the session of the
// context they get, as one that adds the user to each line does.
type watcher struct {
	slog.Handler
	look func(ctx context.Context)
}

func (w watcher) Enabled(context.Context, slog.Level) bool        { return true }
func (w watcher) Handle(ctx context.Context, _ slog.Record) error { w.look(ctx); return nil }
func (w watcher) Observe(ctx context.Context, _ sojourn.Event)    { w.look(ctx) }

// Whoever is called while the session is locked may ask for it: an error or an
// answer, never a deadlock.
func TestReentryOfObserversAndLoggers(t *testing.T) {
	w := watcher{slog.DiscardHandler, func(ctx context.Context) {
		if s, err := sojourn.From(ctx); err == nil {
			s.Owner(ctx)
		}
	}}
	for name, opt := range map[string]*sojourn.Options{
		"observer": {Observers: []sojourn.Observer{w}},
		"logger":   {Logger: slog.New(w)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, opt)
			c := s.client()
			within(t, "a session looked at by its "+name, func() {
				for _, path := range []string{"/set/k/v", "/login/ada", "/set/k/w", "/get/k", "/logout"} {
					if a := c.get(path); a.code != 200 {
						t.Errorf("%s: %d", path, a.code)
					}
				}
			})
		})
	}
}

// What happens while another goroutine of the request uses the session is told
// once it no longer does, without waiting for the next use.
func TestEventsAreNotLeftBehind(t *testing.T) {
	s := newSite(t, nil)
	_, token := s.begun()
	before := len(s.events.all)
	s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		for i := 0; i < 20_000; i++ {
			var wg sync.WaitGroup
			wg.Go(func() { session(ctx).Exists(ctx) })
			if err := s.m.RevokeOwner(ctx, "bob"); err != nil {
				t.Error(err)
			}
			wg.Wait()
			s.events.mu.Lock()
			if got := len(s.events.all) - before; got != i+1 {
				t.Errorf("%d events of %d", got, i+1)
				i = 20_000
			}
			s.events.mu.Unlock()
		}
	})
	s.exchange("GET", "/page", cookies("__Host-sojourn="+token))
}

// Whoever recovers from a panic of what is asked while the session is loaded can
// answer, and does not get past a guard by it.
func TestPanicWhileLoading(t *testing.T) {
	panics := false
	boom := func() {
		if panics {
			panic("boom")
		}
	}
	for name, opt := range map[string]*sojourn.Options{
		"guard":   {Guards: []func(*http.Request, *sojourn.Session) error{func(*http.Request, *sojourn.Session) error { boom(); return nil }}},
		"signals": {Signals: func(*http.Request, string, sojourn.Status) (string, []string) { boom(); return "", nil }},
		"store":   nil,
	} {
		t.Run(name, func(t *testing.T) {
			panics = false
			s := newSite(t, opt)
			_, token := s.begun()
			s.store.fault = func(op string) (error, error) {
				if name == "store" && op == "load" {
					boom()
				}
				return nil, nil
			}
			caught := func(f func()) (p any) {
				defer func() { p = recover() }()
				f()
				return nil
			}
			s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) {
				ctx := r.Context()
				for range 2 {
					if p := caught(func() { _, err := keyK.Get(ctx); t.Error("it was let in:", err) }); p != "boom" {
						t.Error("the panic did not arrive:", p)
					}
				}
				http.Error(w, "sorry", 500)
			})
			s.mux.HandleFunc("/again", func(w http.ResponseWriter, r *http.Request) {
				caught(func() { keyK.Get(r.Context()) })
				panics = false
				v, err := keyK.Get(r.Context())
				fmt.Fprint(w, v, err)
			})
			mine := cookies("__Host-sojourn=" + token)
			within(t, "a page whose "+name+" panics", func() {
				panics = true
				if a := s.exchange("GET", "/page", mine); a.code != 500 || a.body != "sorry" {
					t.Errorf("%d %q", a.code, a.body)
				}
				if a := s.exchange("GET", "/again", mine); a.code != 200 || a.body != "v<nil>" {
					t.Errorf("once it is over: %d %q", a.code, a.body)
				}
			})
		})
	}
}

// A function given to Bind is like one given to Update, also when it runs again.
func TestReentryOfBind(t *testing.T) {
	s := newSite(t, nil)
	id, token := s.begun()
	runs := 0
	s.mux.HandleFunc("/bind", func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		defer func() {
			if recover() != "boom" {
				t.Error("the panic did not arrive")
			}
			done := make(chan error)
			go func() { _, err := session(ctx).Status(ctx); done <- err }()
			if err := <-done; err != nil {
				t.Error("after the panic:", err)
			}
		}()
		err := session(ctx).Bind(ctx, func([]byte) ([]byte, error) {
			if runs++; runs == 1 {
				if err := s.m.Do(ctx, id, func(ctx context.Context) error { return keyK.Set(ctx, "w") }); err != nil {
					t.Error(err)
				}
				return []byte("x"), nil
			}
			if _, err := session(ctx).Status(ctx); !errors.Is(err, sojourn.ErrInvalid) {
				t.Error("inside:", err)
			}
			return []byte("y"), nil
		})
		if err != nil || runs != 2 {
			t.Errorf("%v, %d runs", err, runs)
		}
		session(ctx).Bind(ctx, func([]byte) ([]byte, error) { panic("boom") })
	})
	within(t, "a use of the session inside Bind", func() { s.exchange("GET", "/bind", cookies("__Host-sojourn="+token)) })
}

// Touches run beside requests, where net/http does not see to a panic: it must not
// end the process, nor keep the session from being touched later.
func TestPanicWhileTouching(t *testing.T) {
	panics := false
	s := newSite(t, &sojourn.Options{Observers: []sojourn.Observer{watcher{slog.DiscardHandler, func(context.Context) {
		if panics {
			panic("boom")
		}
	}}}})
	_, token := s.begun()
	mine := cookies("__Host-sojourn=" + token)
	for _, who := range []string{"store", "observer"} {
		s.store.fault = func(op string) (error, error) {
			switch {
			case op != "touch":
				return nil, nil
			case who == "store":
				panic("boom")
			}
			return errLost, nil
		}
		panics = who == "observer"
		s.pass(8 * time.Minute)
		if a := s.exchange("GET", "/get/k", mine); a.code != 200 {
			t.Errorf("%s: %d", who, a.code)
		}
		s.m.Close() // waits for it
	}
	s.store.fault, panics = nil, false
	s.exchange("GET", "/get/k", mine)
	s.pass(20 * time.Minute)
	if a := s.exchange("GET", "/get/k", mine); a.body != "v" {
		t.Errorf("it was not touched again: %d %q", a.code, a.body)
	}
}
