package sojourn_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

// When the commit happens: once, before the first byte, however that leaves.
func TestCommitBeforeTheFirstByte(t *testing.T) {
	for _, c := range []struct {
		name  string
		code  int
		write func(w http.ResponseWriter)
	}{
		{"WriteHeader", 201, func(w http.ResponseWriter) { w.WriteHeader(201) }},
		{"Write", 200, func(w http.ResponseWriter) { w.Write([]byte("x")) }},
		{"Write of nothing", 200, func(w http.ResponseWriter) { w.Write(nil) }},
		{"WriteString", 200, func(w http.ResponseWriter) { w.(io.StringWriter).WriteString("x") }},
		{"redirect", 302, func(w http.ResponseWriter) {
			w.Header().Set("Location", "/x")
			w.WriteHeader(302)
		}},
		{"204", 204, func(w http.ResponseWriter) { w.WriteHeader(204) }},
		{"error", 500, func(w http.ResponseWriter) { http.Error(w, "x", 500) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s *served
			s = serveOver(t, func(w http.ResponseWriter, r *http.Request) {
				keyK.Set(r.Context(), "v")
				c.write(w)
				if s.stored() != 1 {
					t.Error("not stored with the first byte")
				}
			})
			s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			a := s.must("GET")
			s.wantCookie(a)
			if a.code != c.code {
				t.Errorf("code %d, expected %d", a.code, c.code)
			}
		})
	}
}

func TestCommitOfAHandlerThatWritesNothing(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "POST"} {
		s := serveOver(t, func(w http.ResponseWriter, r *http.Request) { keyK.Set(r.Context(), "v") })
		a := s.must(method)
		s.wantCookie(a)
		if a.code != 200 || a.body != "" {
			t.Errorf("%s: %d %q", method, a.code, a.body)
		}
	}
}

func TestCommitOnHead(t *testing.T) {
	s := serveOver(t, func(w http.ResponseWriter, r *http.Request) {
		keyK.Set(r.Context(), "v")
		io.WriteString(w, "page")
	})
	a := s.must("HEAD")
	s.wantCookie(a)
	if a.body != "" || a.header.Get("Content-Length") != "4" {
		t.Errorf("%q, %v", a.body, a.header)
	}
}

// A second WriteHeader is the writer's to complain about; it commits no more.
func TestCommitOnce(t *testing.T) {
	var s *served
	s = serveOver(t, func(w http.ResponseWriter, r *http.Request) {
		keyK.Set(r.Context(), "v")
		w.WriteHeader(202)
		calls := s.store.calls.Load()
		w.WriteHeader(500)
		w.Write([]byte("a"))
		w.(http.Flusher).Flush()
		w.Write([]byte("b"))
		if n := s.store.calls.Load() - calls; n != 0 {
			t.Errorf("%d more store calls", n)
		}
	})
	a := s.must("GET")
	s.wantCookie(a)
	if a.code != 202 || a.body != "ab" {
		t.Errorf("%d %q", a.code, a.body)
	}
	if got := s.complained(); !strings.Contains(got, "superfluous") {
		t.Errorf("server log %q, expected its complaint", got)
	}
}

// A handler that panics commits nothing, and the server answers as it always
// does: by closing the connection.
func TestCommitNothingOnPanic(t *testing.T) {
	for name, value := range map[string]any{"panic": "boom", "abort": http.ErrAbortHandler} {
		t.Run(name, func(t *testing.T) {
			s := serveOver(t, func(w http.ResponseWriter, r *http.Request) {
				keyK.Set(r.Context(), "v")
				session(r.Context()).Login(r.Context(), "ada")
				panic(value)
			})
			if a, err := s.do("GET"); err == nil {
				t.Errorf("answered %d %q", a.code, a.body)
			}
			if s.stored() != 0 {
				t.Error("stored")
			}
			if got := s.complained(); strings.Contains(got, "boom") != (name == "panic") {
				t.Errorf("server log: %q", got)
			}
		})
	}
	t.Run("existing session", func(t *testing.T) {
		s := newSite(t, nil)
		_, token := s.begun()
		s.mux.HandleFunc("/boom", func(w http.ResponseWriter, r *http.Request) {
			keyK.Set(r.Context(), "w")
			panic("boom")
		})
		func() {
			defer func() { _ = recover() }()
			s.exchange("GET", "/boom", cookies("__Host-sojourn="+token))
		}()
		if a := s.exchange("GET", "/get/k", cookies("__Host-sojourn="+token)); a.body != "v" {
			t.Errorf("k = %q", a.body)
		}
	})
}

// After the first byte no cookie can be sent; what needs one says so, the rest
// is still committed.
func TestAfterTheFirstByte(t *testing.T) {
	late := make(chan map[string]error, 1)
	page := func(w http.ResponseWriter, r *http.Request) {
		ctx, s := r.Context(), session(r.Context())
		if r.Header.Get("X-Read-First") != "" {
			keyK.Get(ctx)
		}
		io.WriteString(w, "head")
		got := map[string]error{"set": keyL.Set(ctx, "v"), "renew": s.Renew(ctx), "renew now": s.RenewNow(ctx), "login": s.Login(ctx, "ada"), "remember": s.Remember(ctx, true)}
		io.WriteString(w, " tail")
		late <- got
	}
	for _, c := range []struct {
		name   string
		exists bool
		first  bool // reads before the first byte
		want   map[string]error
		stored string
	}{
		{"nobody", false, false, map[string]error{"set": sojourn.ErrHeadersSent, "remember": sojourn.ErrNotFound, "renew": sojourn.ErrNotFound, "renew now": sojourn.ErrNotFound, "login": sojourn.ErrHeadersSent}, ""},
		{"nobody, read before", false, true, map[string]error{"set": sojourn.ErrHeadersSent, "remember": sojourn.ErrNotFound, "renew": sojourn.ErrNotFound, "renew now": sojourn.ErrNotFound, "login": sojourn.ErrHeadersSent}, ""},
		{"a session", true, false, map[string]error{"set": nil, "remember": sojourn.ErrHeadersSent, "renew": sojourn.ErrHeadersSent, "renew now": sojourn.ErrHeadersSent, "login": sojourn.ErrHeadersSent}, "v"},
		{"a session, read before", true, true, map[string]error{"set": nil, "remember": sojourn.ErrHeadersSent, "renew": sojourn.ErrHeadersSent, "renew now": sojourn.ErrHeadersSent, "login": sojourn.ErrHeadersSent}, "v"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, nil)
			s.mux.HandleFunc("/page", page)
			var shapes []shape
			if c.exists {
				_, token := s.begun()
				shapes = append(shapes, cookies("__Host-sojourn="+token))
			}
			read := shapes
			if c.first {
				read = append(read, header("X-Read-First", "1"))
			}
			records := s.stored()
			a := s.exchange("GET", "/page", read...)
			if a.code != 200 || a.body != "head tail" || a.header.Get("Set-Cookie") != "" {
				t.Errorf("%d %q, Set-Cookie %q", a.code, a.body, a.header.Get("Set-Cookie"))
			}
			for what, err := range <-late {
				if !errors.Is(err, c.want[what]) {
					t.Errorf("%s: %v, expected %v", what, err, c.want[what])
				}
			}
			if s.stored() != records {
				t.Errorf("%d records, expected %d", s.stored(), records)
			}
			if a := s.exchange("GET", "/get/late", shapes...); a.body != c.stored {
				t.Errorf("late = %q, expected %q", a.body, c.stored)
			}
			if c.exists {
				if st, err := s.m.Inspect(t.Context(), s.onlyLive()); err != nil || st.Persistent {
					t.Errorf("what was refused is stored: %+v, %v", st, err)
				}
			}
		})
	}
}
