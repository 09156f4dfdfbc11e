package sojourn

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
)

// The response writer commits the session before the first byte and otherwise
// stays out of the way: http.ResponseController works through Unwrap.

func (sc *scope) Header() http.Header { return sc.w.Header() }

// Unwrap serves http.ResponseController, for deadlines and full duplex.
func (sc *scope) Unwrap() http.ResponseWriter { return sc.w }

func (sc *scope) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		sc.begin()
	}
	if !sc.void {
		sc.w.WriteHeader(status)
	}
}

func (sc *scope) Write(b []byte) (int, error) {
	if sc.begin(); sc.void {
		return len(b), nil
	}
	return sc.w.Write(b)
}

func (sc *scope) WriteString(b string) (int, error) {
	if sc.begin(); sc.void {
		return len(b), nil
	}
	return io.WriteString(sc.w, b)
}

// ReadFrom keeps sendfile working.
func (sc *scope) ReadFrom(r io.Reader) (int64, error) {
	if sc.begin(); sc.void {
		return io.Copy(io.Discard, r)
	}
	if rf, ok := sc.w.(io.ReaderFrom); ok {
		return rf.ReadFrom(r)
	}
	return io.Copy(struct{ io.Writer }{sc.w}, r)
}

func (sc *scope) Flush() { _ = sc.FlushError() }

func (sc *scope) FlushError() error {
	if sc.begin(); sc.void {
		return nil
	}
	return http.NewResponseController(sc.w).Flush()
}

// Hijack commits first: afterwards the connection is the handler's.
func (sc *scope) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if sc.begin(); sc.void {
		return nil, nil, errors.New("sojourn: hijack: the session could not be committed")
	}
	return http.NewResponseController(sc.w).Hijack()
}

// CloseNotify serves older libraries that ask for it by assertion.
//
// Deprecated: use the request's context.
func (sc *scope) CloseNotify() <-chan bool {
	if n, ok := sc.w.(interface{ CloseNotify() <-chan bool }); ok {
		return n.CloseNotify()
	}
	closed := make(chan bool, 1)
	context.AfterFunc(sc.Context, func() { closed <- true })
	return closed
}

func (sc *scope) Push(target string, opts *http.PushOptions) error {
	if p, ok := sc.w.(http.Pusher); ok {
		return p.Push(target, opts)
	}
	return http.ErrNotSupported
}

// begin commits and sets the headers, once, before the first byte.
func (sc *scope) begin() {
	if sc.begun.Load() {
		return
	}
	s := sc.s.Load()
	if s == nil && sc.m.opt.TouchEveryRequest {
		s, _ = From(sc)
	}
	if s == nil {
		sc.begun.Store(true)
		return
	}
	if err := sc.settle(s); err != nil {
		sc.void = true
		sc.m.Error(sc.w, &sc.req, err)
	}
}

func (sc *scope) settle(s *Session) error {
	defer sc.begun.Store(true)
	if err := s.lock(); err != nil { // written by a function passed to Update
		return err
	}
	defer s.unlock()
	if s.broken() != nil || !s.loaded && (s.passive || !sc.m.opt.TouchEveryRequest) {
		return s.broken()
	}
	if err := s.load(s.ctx); err != nil {
		return err
	}
	if err := s.commit(s.ctx); err != nil {
		return err
	}
	s.touch() // first: a record in a cookie leaves with the headers
	sc.headers(s)
	return nil
}

// end runs after the handler: it begins an answer that has no body, and commits
// what was changed after the first byte.
func (sc *scope) end() {
	late := sc.begun.Load()
	sc.begin()
	s := sc.s.Load()
	if s == nil || !late || sc.void {
		return
	}
	s.mu.Lock()
	defer s.unlock()
	if !s.loaded || s.broken() != nil || s.birth != nil { // a token that nobody would get
		return
	}
	if err := s.commit(s.ctx); err != nil {
		sc.m.opt.Logger.ErrorContext(s.ctx, "session changed after the answer began, and could not be committed", "error", err)
	}
	s.touch()
}

// headers sends the token if it changed, and keeps caches from crossing users.
func (sc *scope) headers(s *Session) {
	h, opt := sc.w.Header(), sc.m.opt
	switch have := h["Vary"]; {
	case sc.byHeader(): // then cookies are not looked at
	case have == nil:
		h["Vary"] = varyCookieOnly
	case !varies(have, varyCookie):
		h.Add("Vary", varyCookie)
	}
	if opt.Header != "" && !varies(h["Vary"], opt.Header) {
		h.Add("Vary", opt.Header)
	}
	if s.nobodys {
		h["Cache-Control"] = noStore
		return
	}
	if sc.m.foreign != nil {
		sc.sendForeign(h, s)
		return
	}
	token := s.successor(&s.draft.head)
	if token.id == "" && !s.drop {
		return
	}
	h["Cache-Control"] = noStore
	if sc.byHeader() {
		h.Set(headerOut, token.Reveal())
		return
	}
	var buf [256]byte
	if token.id == "" {
		h.Add("Set-Cookie", string(opt.Cookie.append(buf[:0], Token{}, -1)))
		return
	}
	if !opt.Cookie.Insecure && !sc.secure() {
		sc.m.warnOnce.Do(func() {
			opt.Logger.WarnContext(s.ctx, "a Secure session cookie was sent over plain HTTP, where browsers drop it: use TLS, name the TLS proxy in Options.TrustedProxies, or set Options.Cookie.Insecure for localhost")
		})
	}
	sc.announce(s)
	life := sc.m.policyOf(&s.draft.head).CookieLifetime
	h.Add("Set-Cookie", string(opt.Cookie.append(buf[:0], token, life)))
}

const (
	varyCookie = "Cookie"
	headerOut  = "Sojourn-Token"
)

// Shared by all answers; their capacity is used up, so that appending copies.
var (
	varyCookieOnly = []string{varyCookie}
	noStore        = []string{"no-store"}
)

func varies(have []string, name string) bool {
	for _, line := range have {
		for part := range strings.SplitSeq(line, ",") {
			if part = strings.TrimSpace(part); part == "*" || strings.EqualFold(part, name) {
				return true
			}
		}
	}
	return false
}

// touch moves the idle deadline after a request that only read.
func (s *Session) touch() {
	if s.touched || s.passive || s.state != StateActive || s.birth != nil || s.base.ID == "" {
		return
	}
	p := s.m.policyOf(&s.draft.head)
	if now := s.draft.now; s.base.Expires.UnixMilli()+p.touchStep().Milliseconds() <= now+p.Idle.Milliseconds() {
		until := s.draft.deadline(s.m)
		if s.touched = true; until.After(s.base.Expires) {
			s.m.touch(s.ctx, s.base, until)
		}
	}
}

// Error answers a request whose session could not be used, through
// Options.ErrorHandler: 401 for ErrNotFound and ErrStaleToken, 503 with
// Retry-After for ErrUnavailable, 413 for ErrTooLarge, 409 for ErrSessionLimit,
// 429 with Retry-After for ErrRateLimited, 403 for ErrCrossSite, ErrCSRF,
// ErrAbsoluteLimit and ErrStepUp (with the challenge of RFC 9470), 400 for
// ErrInvalid, else 500. It is what most handlers do with an error of this
// package.
func (m *Manager) Error(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrConflict):
		status = http.StatusServiceUnavailable
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrStaleToken):
		status = http.StatusUnauthorized
	case errors.Is(err, errHeader):
		status = http.StatusRequestHeaderFieldsTooLarge
	case errors.Is(err, ErrRateLimited):
		status = http.StatusTooManyRequests
	case errors.Is(err, ErrSessionLimit):
		status = http.StatusConflict
	case errors.Is(err, ErrTooLarge):
		status = http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrCrossSite), errors.Is(err, ErrAbsoluteLimit), errors.Is(err, ErrStepUp), errors.Is(err, ErrCSRF):
		status = http.StatusForbidden
	case errors.Is(err, ErrInvalid):
		status = http.StatusBadRequest
	}
	if status == http.StatusInternalServerError {
		m.opt.Logger.ErrorContext(r.Context(), "session error", "error", err)
	}
	h := w.Header()
	for _, name := range []string{"Content-Length", "Content-Type", "Content-Encoding", "Content-Disposition", "Etag", "Last-Modified", "Location"} {
		delete(h, name)
	}
	h["Cache-Control"] = noStore
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "2")
	}
	if r := (*refusal)(nil); errors.As(err, &r) {
		r.headers(h)
	}
	m.opt.ErrorHandler(w, r, status, err)
}
