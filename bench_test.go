package sojourn_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
)

// The benchmarks compare a handler behind the middleware with the same handler
// bare, in one run: go test -bench=Request -benchmem .

type sink struct{ h http.Header }

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(int)             {}

var (
	benchBody = []byte("ok")
	benchKey  = sojourn.Key[string]("name")
	benchHits = sojourn.Counter("hits")
)

type benchCase struct {
	name   string
	cookie bool
	serve  http.HandlerFunc
}

var benchCases = []benchCase{
	{"anonymous", false, func(w http.ResponseWriter, r *http.Request) { w.Write(benchBody) }},
	{"ro", true, func(w http.ResponseWriter, r *http.Request) {
		if v, err := benchKey.Get(r.Context()); err != nil || v == "" {
			panic("no session")
		}
		w.Write(benchBody)
	}},
	{"rw", true, func(w http.ResponseWriter, r *http.Request) {
		if _, err := benchHits.Add(r.Context(), 1); err != nil {
			panic(err)
		}
		w.Write(benchBody)
	}},
	{"new", false, func(w http.ResponseWriter, r *http.Request) {
		if err := benchKey.Set(r.Context(), "Ada"); err != nil {
			panic(err)
		}
		w.Write(benchBody)
	}},
}

// benchRequest returns the request of a case, with a live session if it needs one.
func benchRequest(tb testing.TB, m *sojourn.Manager, c benchCase) *http.Request {
	tb.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("User-Agent", "bench")
	if c.cookie {
		s, token, err := m.Create(tb.Context(), "")
		if err != nil {
			tb.Fatal(err)
		}
		if err := benchKey.Set(sojourn.NewContext(tb.Context(), s), "Ada"); err != nil {
			tb.Fatal(err)
		}
		if err := s.Save(tb.Context()); err != nil {
			tb.Fatal(err)
		}
		r.Header.Set("Cookie", "theme=dark; __Host-sojourn="+token.Reveal())
	}
	return r
}

func benchManager(tb testing.TB) *sojourn.Manager {
	m, err := sojourn.New(memstore.New(nil), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func BenchmarkRequest(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		serve(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(benchBody) }), httptest.NewRequest("GET", "/", nil))
	})
	for _, c := range benchCases {
		b.Run(c.name, func(b *testing.B) {
			m := benchManager(b)
			serve(b, m.Handler(c.serve), benchRequest(b, m, c))
		})
	}
}

func serve(b *testing.B, h http.Handler, r *http.Request) {
	w := &sink{h: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.h)
		h.ServeHTTP(w, r)
	}
}
