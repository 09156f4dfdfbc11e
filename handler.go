package sojourn

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
)

// A scope is one request's way through the middleware: its context, its
// response writer, its request and, once used, its session. One object serves
// as all of them because a request that never uses its session should cost next
// to nothing.
type scope struct {
	context.Context
	w       http.ResponseWriter
	m       *Manager
	s       atomic.Pointer[Session]
	begun   atomic.Bool // the answer has begun: no cookie can be sent
	void    bool        // it was replaced by an error; what the handler writes is dropped
	key     secret      // what the client presented
	arrived int64       // ms; 0: of a request without a body, by whose time nothing depends
	req     http.Request
}

// scopes come in slabs, each scope of which serves one request and is never
// used again: a goroutine that outlives its request must not meet another's
// session.
type slab struct {
	next   int
	scopes [8]scope
}

var slabs = sync.Pool{New: func() any { return new(slab) }}

func newScope() *scope {
	c := slabs.Get().(*slab)
	sc := &c.scopes[c.next]
	if c.next++; c.next < len(c.scopes) {
		slabs.Put(c)
	}
	return sc
}

// Handler puts a Session into each request's context, refuses cross-site
// requests that could change something, and commits the session before the
// first byte of the answer. A handler that panics commits nothing.
func (m *Manager) Handler(next http.Handler) http.Handler { return &handler{m, next} }

type handler struct {
	m    *Manager
	next http.Handler
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h.m.refuse(r); err != nil {
		h.m.Error(w, r, err)
		return
	}
	sc := newScope()
	sc.Context, sc.w, sc.m = r.Context(), w, h.m
	if h.m.foreign != nil {
		sc.Context = h.m.foreign.Attach(r)
	}
	sc.req = *r.WithContext(sc)
	if r.ContentLength != 0 {
		sc.arrived = h.m.now().UnixMilli()
	}
	defer func() { // net/http removes the files of its own request only
		r.MultipartForm = sc.req.MultipartForm
	}()
	h.next.ServeHTTP(sc, &sc.req)
	sc.end()
}

type sessionKey struct{}

// Value finds the scope itself, else what the request's context holds.
func (sc *scope) Value(key any) any {
	if key == (sessionKey{}) {
		return sc
	}
	return sc.Context.Value(key)
}

// From returns the session of ctx, or ErrNoMiddleware. It does no I/O.
func From(ctx context.Context) (*Session, error) {
	sc, ok := ctx.(*scope)
	if !ok {
		switch v := ctx.Value(sessionKey{}).(type) {
		case *scope:
			sc = v
		case *Session:
			if v != nil {
				return v, nil
			}
		}
		if sc == nil {
			return nil, ErrNoMiddleware
		}
	}
	if s := sc.s.Load(); s != nil {
		return s, nil
	}
	s := &Session{m: sc.m, ctx: sc.Context, req: sc}
	if !sc.s.CompareAndSwap(nil, s) {
		s = sc.s.Load()
	}
	return s, nil
}

// existing is From without beginning one.
func existing(ctx context.Context) *Session {
	switch v := ctx.Value(sessionKey{}).(type) {
	case *scope:
		return v.s.Load()
	case *Session:
		return v
	}
	return nil
}

// NewContext carries s, so that keys reach it outside its requests.
func NewContext(ctx context.Context, s *Session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}
