package sojourn_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// clock is a time that moves only when told to.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.ms.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMilli(c.ms.Load()) }
func (c *clock) advance(d time.Duration) { c.ms.Add(d.Milliseconds()) }

// events records what observers are told.
type events struct {
	mu  sync.Mutex
	all []sojourn.Event
}

func (e *events) Observe(_ context.Context, ev sojourn.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, ev)
}

func (e *events) of(kind sojourn.EventKind) (found []sojourn.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.all {
		if ev.Kind == kind {
			found = append(found, ev)
		}
	}
	return found
}

// counting wraps a store: it counts calls, and fails those it is told to,
// before or after they took effect.
type counting struct {
	sojourn.Store
	calls atomic.Int64
	fault func(op string) (before, after error)
}

func (c *counting) Unwrap() sojourn.Store { return c.Store }

func (c *counting) do(op string, f func() error) error {
	c.calls.Add(1)
	var before, after error
	if c.fault != nil {
		before, after = c.fault(op)
	}
	if before != nil {
		return before
	}
	if err := f(); err != nil || after == nil {
		return err
	}
	return after
}

func (c *counting) Load(ctx context.Context, id sojourn.ID) (r sojourn.Record, err error) {
	err = c.do("load", func() (err error) { r, err = c.Store.Load(ctx, id); return err })
	return r, err
}
func (c *counting) Create(ctx context.Context, r *sojourn.Record) error {
	return c.do("create", func() error { return c.Store.Create(ctx, r) })
}
func (c *counting) Update(ctx context.Context, r *sojourn.Record) (cur sojourn.Record, err error) {
	err = c.do("update", func() (err error) { cur, err = c.Store.Update(ctx, r); return err })
	return cur, err
}
func (c *counting) Touch(ctx context.Context, r *sojourn.Record, at time.Time) error {
	return c.do("touch", func() error { return c.Store.Touch(ctx, r, at) })
}
func (c *counting) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	return c.do("revoke", func() error { return c.Store.Revoke(ctx, r) })
}
func (c *counting) List(ctx context.Context, owner string) (ids []sojourn.ID, err error) {
	err = c.do("list", func() (err error) { ids, err = c.Store.List(ctx, owner); return err })
	return ids, err
}
func (c *counting) RevokeOwner(ctx context.Context, owner string) (gen uint64, err error) {
	err = c.do("revokeowner", func() (err error) { gen, err = c.Store.RevokeOwner(ctx, owner); return err })
	return gen, err
}

// site is a small application behind the middleware.
type site struct {
	t      *testing.T
	m      *sojourn.Manager
	store  *counting
	clock  *clock
	events *events
	mux    *http.ServeMux
	h      http.Handler
}

func newSite(t *testing.T, opt *sojourn.Options) *site {
	t.Helper()
	s := &site{t: t, store: &counting{Store: newMapStore()}, clock: newClock(), events: new(events), mux: http.NewServeMux()}
	var o sojourn.Options
	if opt != nil {
		o = *opt
	}
	o.Clock, o.Observers = s.clock.now, append(o.Observers, s.events)
	m, err := sojourn.New(s.store, &o)
	if err != nil {
		t.Fatal(err)
	}
	s.m, s.h = m, m.Handler(s.mux)
	t.Cleanup(func() { m.Close() })
	s.handle("/login/{user}", func(ctx context.Context, r *http.Request) (any, error) {
		return "", session(ctx).Login(ctx, r.PathValue("user"))
	})
	s.handle("/logout", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).Logout(ctx) })
	s.handle("/set/{key}/{value}", func(ctx context.Context, r *http.Request) (any, error) {
		return "", sojourn.Key[string](r.PathValue("key")).Set(ctx, r.PathValue("value"))
	})
	s.handle("/get/{key}", func(ctx context.Context, r *http.Request) (any, error) {
		return sojourn.Key[string](r.PathValue("key")).Get(ctx)
	})
	s.handle("/add", func(ctx context.Context, _ *http.Request) (any, error) { return sojourn.Counter("n").Add(ctx, 1) })
	s.handle("/count", func(ctx context.Context, _ *http.Request) (any, error) { return sojourn.Counter("n").Get(ctx) })
	s.handle("/owner", func(ctx context.Context, _ *http.Request) (any, error) { return session(ctx).Owner(ctx) })
	s.handle("/status", func(ctx context.Context, _ *http.Request) (any, error) {
		session(ctx).Passive()
		st, err := session(ctx).Status(ctx)
		return string(st.State) + " " + string(st.Reason), err
	})
	s.handle("/plain", func(context.Context, *http.Request) (any, error) { return "plain", nil })
	return s
}

// pass lets time go by after touches under way have landed.
func (s *site) pass(d time.Duration) {
	s.m.Close()
	s.clock.advance(d)
}

// handle answers with the value, or 400 and the error.
func (s *site) handle(pattern string, f func(ctx context.Context, r *http.Request) (any, error)) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		v, err := f(r.Context(), r)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, err)
			return
		}
		fmt.Fprint(w, v)
	})
}

func session(ctx context.Context) *sojourn.Session {
	s, err := sojourn.From(ctx)
	if err != nil {
		panic(err)
	}
	return s
}

// client is a browser's cookie jar of one cookie.
type client struct {
	s     *site
	mu    sync.Mutex
	token string
}

func (s *site) client() *client { return &client{s: s} }

type answer struct {
	code   int
	body   string
	header http.Header
	cookie string // "" none sent, "-" deleted
}

// send asks with a given token and does not keep what comes back.
func (c *client) send(token, path string) answer {
	r := httptest.NewRequest("GET", path, nil)
	if token != "" {
		r.Header.Set("Cookie", "__Host-sojourn="+token)
	}
	w := httptest.NewRecorder()
	c.s.h.ServeHTTP(w, r)
	res := w.Result()
	body, _ := io.ReadAll(res.Body)
	a := answer{code: res.StatusCode, body: strings.TrimSpace(string(body)), header: res.Header}
	for _, k := range res.Cookies() {
		if a.cookie = k.Value; k.MaxAge < 0 {
			a.cookie = "-"
		}
	}
	return a
}

// get asks and keeps the cookie, as a browser does.
func (c *client) get(path string) answer {
	c.mu.Lock()
	token := c.token
	c.mu.Unlock()
	a := c.send(token, path)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch a.cookie {
	case "":
	case "-":
		c.token = ""
	default:
		c.token = a.cookie
	}
	return a
}

func (c *client) want(path string, code int, body string) answer {
	c.s.t.Helper()
	a := c.get(path)
	if a.code != code || a.body != body {
		c.s.t.Fatalf("GET %s: %d %q, expected %d %q", path, a.code, a.body, code, body)
	}
	return a
}

func (c *client) ok(path string) answer {
	c.s.t.Helper()
	a := c.get(path)
	if a.code != 200 {
		c.s.t.Fatalf("GET %s: %d %q", path, a.code, a.body)
	}
	return a
}
