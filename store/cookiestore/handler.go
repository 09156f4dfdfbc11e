package cookiestore

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
)

// Handler gives each request its record, and sends the changed one before the
// first byte of the answer. It goes outside of Manager.Handler. A handler that
// panics sends nothing.
func (s *Store) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := s.pack(r)
		a := &answer{ResponseWriter: w, luggage: l}
		next.ServeHTTP(a, r.WithContext(context.WithValue(r.Context(), luggageKey{s}, l)))
		a.begin()
	})
}

// answer sets the cookie before the first byte and otherwise stays out of the way:
// http.ResponseController works through Unwrap.
type answer struct {
	http.ResponseWriter
	luggage *luggage
	begun   bool
}

func (a *answer) begin() {
	if a.begun {
		return
	}
	a.begun = true
	h := a.Header()
	if line := a.luggage.check(h); line != "" {
		h.Add("Set-Cookie", line)
		h["Cache-Control"] = []string{"no-store"} // a shared cache would hand it to others
	}
}

func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		a.begin()
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	a.begin()
	return a.ResponseWriter.Write(b)
}

func (a *answer) WriteString(s string) (int, error) {
	a.begin()
	return io.WriteString(a.ResponseWriter, s)
}

// ReadFrom keeps sendfile working.
func (a *answer) ReadFrom(r io.Reader) (int64, error) {
	a.begin()
	return io.Copy(a.ResponseWriter, r)
}

func (a *answer) Flush() { _ = a.FlushError() }

func (a *answer) FlushError() error {
	a.begin()
	return http.NewResponseController(a.ResponseWriter).Flush()
}

// Hijack leaves the headers to the caller, the cookie among them.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.begin()
	return http.NewResponseController(a.ResponseWriter).Hijack()
}

func (a *answer) Push(target string, opts *http.PushOptions) error {
	if p, ok := a.ResponseWriter.(http.Pusher); ok {
		return p.Push(target, opts)
	}
	return http.ErrNotSupported
}
