package format_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/format/expressformat"
	"github.com/sojournhq/sojourn/store/memstore"
)

// shelf is a keeper in memory whose answers can be lost.
type shelf struct {
	mu      sync.Mutex
	data    map[string][]byte
	expires map[string]time.Time
	// after runs after each Swap, unlocked; its error takes the answer's place.
	after   func(key string) error
	fail    error
	swaps   int
	touches int
}

func newShelf() *shelf { return &shelf{data: map[string][]byte{}, expires: map[string]time.Time{}} }

func (k *shelf) Read(ctx context.Context, key string) ([]byte, time.Time, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		return nil, time.Time{}, k.fail
	}
	record, ok := k.data[key]
	if !ok {
		return nil, time.Time{}, sojourn.ErrNotFound
	}
	return bytes.Clone(record), k.expires[key], nil
}

func (k *shelf) Swap(ctx context.Context, key string, old, record []byte, expires time.Time) error {
	err := k.swap(key, old, record, expires)
	if k.after != nil && err == nil {
		err = k.after(key)
	}
	return err
}

func (k *shelf) swap(key string, old, record []byte, expires time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.swaps++
	stored, ok := k.data[key]
	switch {
	case k.fail != nil:
		return k.fail
	case !ok && old != nil:
		return sojourn.ErrNotFound
	case ok && !bytes.Equal(stored, old):
		return sojourn.ErrConflict
	case record == nil:
		delete(k.data, key)
		return nil
	}
	k.data[key] = bytes.Clone(record)
	if !expires.IsZero() {
		k.expires[key] = expires
	}
	return nil
}

func (k *shelf) Touch(_ context.Context, key string, expires time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.touches++; k.data[key] != nil {
		k.expires[key] = expires
	}
	return k.fail
}

func (k *shelf) Delete(_ context.Context, key string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.data, key)
	return k.fail
}

// put is the other system's write.
func (k *shelf) put(id, record string, expires time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.data["sess:"+id], k.expires["sess:"+id] = []byte(record), expires
}

func (k *shelf) get(id string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return string(k.data["sess:"+id])
}

// clock is a time that stands still.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A fixture shares sessions with an imagined Express.
type fixture struct {
	t     *testing.T
	keep  *shelf
	side  *memstore.Store
	store *format.Store
	m     *sojourn.Manager
	clock *clock
	seen  []sojourn.Event
}

func (f *fixture) Observe(_ context.Context, e sojourn.Event) { f.seen = append(f.seen, e) }

func setup(t *testing.T, opt *format.Options, express *expressformat.Options, policy sojourn.Policy) *fixture {
	t.Helper()
	f := &fixture{t: t, keep: newShelf(), side: memstore.New(nil), clock: &clock{t: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}}
	if opt == nil {
		opt = &format.Options{}
	}
	if express == nil {
		express = &expressformat.Options{}
	}
	opt.Clock = f.clock.now
	express.Store, express.Secrets = opt, []string{"secret", "old secret"}
	var err error
	if f.store, err = expressformat.New(f.keep, f.side, express); err != nil {
		t.Fatal(err)
	}
	if f.m, err = sojourn.New(f.store, &sojourn.Options{Policy: policy, Clock: f.clock.now, InsecureSkipOriginCheck: true, Observers: []sojourn.Observer{f}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.m.Close() })
	return f
}

// cookie is what the other system has sent for an ID.
func (f *fixture) cookie(id string) string {
	f.t.Helper()
	return f.store.Reveal(id)
}

// serve answers one request with that handler, and returns its status, its body and
// the cookies set.
func (f *fixture) serve(cookie string, h func(w http.ResponseWriter, ctx context.Context, s *sojourn.Session)) (int, string, []*http.Cookie) {
	f.t.Helper()
	r := httptest.NewRequest("POST", "/", nil)
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	f.m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := sojourn.From(r.Context())
		if err != nil {
			f.t.Error(err)
		}
		h(w, r.Context(), s)
	})).ServeHTTP(w, r)
	resp := w.Result()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(body)), resp.Cookies()
}

func (f *fixture) status(cookie string) (st sojourn.Status) {
	f.t.Helper()
	f.serve(cookie, func(_ http.ResponseWriter, ctx context.Context, s *sojourn.Session) {
		var err error
		if st, err = s.Status(ctx); err != nil {
			f.t.Error(err)
		}
	})
	return st
}

func pairs(cookies []*http.Cookie) string {
	var all []string
	for _, c := range cookies {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

type raw = json.RawMessage

func set(key string, value string) func(context.Context) error {
	return func(ctx context.Context) error { return sojourn.Key[raw](key).Set(ctx, raw(value)) }
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Error(err)
	}
}

func (f *fixture) is(err, want error) {
	f.t.Helper()
	if !errors.Is(err, want) {
		f.t.Errorf("%v, expected %v", err, want)
	}
}

const record = `{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"},"passport":{"user":"ada"},"half":"\ud800","n":1.0}`
