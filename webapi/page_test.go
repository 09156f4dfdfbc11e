package webapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/memstore"
)

// A site is an application with the API mounted, under a clock of its own.
type site struct {
	t       *testing.T
	handler http.Handler
	manager *sojourn.Manager
	store   *faultyStore
	api     *API
	now     atomic.Int64 // nanoseconds
}

func newSite(t *testing.T, opt *Options, tune ...func(*sojourn.Options)) *site {
	t.Helper()
	s := &site{t: t, store: &faultyStore{Store: memstore.New(nil)}}
	s.now.Store(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC).UnixNano())
	rules := sojourn.Options{
		Policy:       sojourn.Policy{Idle: 15 * time.Minute, Absolute: 8 * time.Hour, Rotate: -1},
		ErrorHandler: ErrorHandler,
		Clock:        func() time.Time { return time.Unix(0, s.now.Load()).UTC() },
	}
	for _, f := range tune {
		f(&rules)
	}
	var err error
	if s.manager, err = sojourn.New(s.store, &rules); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.manager.Close() })
	if s.api, err = New(s.manager, opt); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/_session/", s.api)
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		session, err := sojourn.From(r.Context())
		if err == nil {
			err = session.Login(r.Context(), r.FormValue("user"))
		}
		if err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/set", func(w http.ResponseWriter, r *http.Request) {
		if err := sojourn.Key[string](r.FormValue("key")).Set(r.Context(), r.FormValue("value")); err != nil {
			t.Error(err)
		}
	})
	mux.HandleFunc("/use", func(w http.ResponseWriter, r *http.Request) {
		v, err := sojourn.Key[string]("cart").Get(r.Context())
		fmt.Fprint(w, v, err)
	})
	s.handler = s.manager.Handler(mux)
	return s
}

func (s *site) advance(d time.Duration) { s.now.Add(int64(d)) }

// A page is one browser: it keeps its cookie and sends what the SDK sends.
type page struct {
	*site
	t      *testing.T
	cookie string
}

func (s *site) page() *page { return &page{site: s, t: s.t} }

// login opens a page of a user that has logged in.
func (s *site) login(user string) *page {
	s.t.Helper()
	p := s.page()
	p.want(p.do("POST", "/login?user="+user, ""), 200)
	if p.cookie == "" {
		s.t.Fatal("login set no cookie")
	}
	return p
}

// do sends a request to the API, or to the application if path has a slash. A
// header value "-" leaves a header out that would be sent otherwise.
func (p *page) do(method, path, body string, header ...string) *httptest.ResponseRecorder {
	p.t.Helper()
	if !strings.HasPrefix(path, "/") {
		path = defaultPrefix + path
	}
	r := httptest.NewRequest(method, "https://example.com"+path, strings.NewReader(body))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set(headerCSRF, "1")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if method == "PATCH" {
		r.Header.Set("Content-Type", mediaMergePatch)
	}
	if p.cookie != "" {
		r.Header.Set("Cookie", p.cookie)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i+1] == "-" {
			r.Header.Del(header[i])
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		p.cookie = c.Name + "=" + c.Value
		if c.MaxAge < 0 {
			p.cookie = ""
		}
	}
	return w
}

// want checks the status and returns the body decoded, nil if it is no object.
func (p *page) want(w *httptest.ResponseRecorder, status int) map[string]any {
	p.t.Helper()
	if w.Code != status {
		p.t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
	var m map[string]any
	json.Unmarshal(w.Body.Bytes(), &m)
	return m
}

// fails checks that w is the problem of a code, in full form.
func (p *page) fails(w *httptest.ResponseRecorder, c code) map[string]any {
	p.t.Helper()
	entry := codes[c]
	m := p.want(w, entry.status)
	if m["code"] != string(c) || m["status"] != float64(entry.status) || m["title"] != entry.title || m["type"] != typeBase+string(c) || m["detail"] == "" {
		p.t.Fatalf("body %s, want the problem %s", w.Body, c)
	}
	if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
		p.t.Errorf("Content-Type %q", got)
	}
	if got := w.Header().Get("Cache-Control"); got != "no-store" {
		p.t.Errorf("Cache-Control %q, want no-store", got)
	}
	return m
}

func (p *page) status() map[string]any {
	p.t.Helper()
	return p.want(p.do("GET", "status", ""), 200)
}

func (p *page) rev() string {
	p.t.Helper()
	return fmt.Sprintf(`"%.0f"`, p.status()["rev"])
}

// A faultyStore is one that can be cut off, or lack its index.
type faultyStore struct {
	sojourn.Store
	down, noIndex, slow atomic.Bool
}

func (f *faultyStore) Unwrap() sojourn.Store { return f.Store }

func (f *faultyStore) err() error {
	if f.down.Load() {
		return errors.New("connection refused")
	}
	return nil
}

func (f *faultyStore) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if err := f.err(); err != nil {
		return sojourn.Record{}, err
	}
	return f.Store.Load(ctx, id)
}

func (f *faultyStore) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	if err := f.err(); err != nil {
		return sojourn.Record{}, err
	}
	if f.slow.Load() {
		time.Sleep(5 * time.Millisecond) // a round trip
	}
	return f.Store.Update(ctx, r)
}

func (f *faultyStore) List(ctx context.Context, owner string) ([]sojourn.ID, error) {
	if f.noIndex.Load() {
		return nil, sojourn.ErrUnsupported
	}
	return f.Store.List(ctx, owner)
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
