package seal_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/sqlstore"
)

func TestMain(m *testing.M) {
	code := m.Run()
	for wait := time.Now(); code == 0; time.Sleep(time.Millisecond) {
		left := leftovers()
		if left == "" {
			break
		}
		if time.Since(wait) > 5*time.Second {
			fmt.Printf("goroutines remain after the tests:\n%s\n", left)
			code = 1
		}
	}
	os.Exit(code)
}

// leftovers are the stacks of goroutines that the tests left: all but this one, the
// one that keeps real servers as children, and the one of a fuzzing run that waits
// for signals.
func leftovers() (left string) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for i, stack := range strings.Split(string(stacks), "\n\n") {
		if i > 0 && !strings.Contains(stack, "testenv.spawn") && !strings.Contains(stack, "os/signal.") {
			left += stack + "\n\n"
		}
	}
	return left
}

func newRing(t testing.TB, active seal.Key, old ...seal.Key) *seal.Ring {
	t.Helper()
	r, err := seal.NewRing(active, old...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func newStore(t testing.TB, inner sojourn.Store, r *seal.Ring) *seal.Store {
	t.Helper()
	s, err := seal.New(inner, r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openSQLite(t testing.TB, path string) *sqlstore.Store {
	t.Helper()
	if path == "" {
		path = filepath.Join(t.TempDir(), "sessions.db")
	}
	s, err := sqlstore.OpenSQLite(context.Background(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newRecord(owner, payload string) sojourn.Record {
	raw := make([]byte, 22)
	rand.Read(raw)
	return sojourn.Record{ID: sojourn.ID(base64.RawURLEncoding.EncodeToString(raw)), Owner: owner,
		Expires: time.Now().Add(time.Hour).Truncate(time.Millisecond), Payload: []byte(payload)}
}

// create stores a new record through s.
func create(t testing.TB, s sojourn.Store, owner, payload string) sojourn.Record {
	t.Helper()
	r := newRecord(owner, payload)
	if err := s.Create(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// A hostile store is one that somebody else can write to: what it returns is
// changed on the way.
type hostile struct {
	sojourn.Store
	mu      sync.Mutex
	change  func(*sojourn.Record)
	revive  bool             // Load finds what has ended
	written []sojourn.Record // as the store was given them
	revoked []sojourn.RevokedRecord
}

func newHostile() *hostile { return &hostile{Store: memstore.New(nil)} }

func (h *hostile) alter(r *sojourn.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.change != nil && r.ID != "" {
		r.Payload = append([]byte(nil), r.Payload...)
		h.change(r)
	}
}

func (h *hostile) note(r *sojourn.Record) {
	h.mu.Lock()
	h.written = append(h.written, *r)
	h.mu.Unlock()
}

func (h *hostile) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	r, err := h.Store.Load(ctx, id)
	h.alter(&r)
	if h.revive {
		err = nil
	}
	return r, err
}

func (h *hostile) Create(ctx context.Context, r *sojourn.Record) error {
	h.note(r)
	return h.Store.Create(ctx, r)
}

func (h *hostile) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	h.note(r)
	c, err := h.Store.Update(ctx, r)
	h.alter(&c)
	return c, err
}

func (h *hostile) Touch(ctx context.Context, r *sojourn.Record, at time.Time) error {
	h.note(r)
	return h.Store.Touch(ctx, r, at)
}

func (h *hostile) Revoke(ctx context.Context, r sojourn.RevokedRecord) error {
	h.mu.Lock()
	h.revoked = append(h.revoked, r)
	h.mu.Unlock()
	return h.Store.Revoke(ctx, r)
}

// unreadable fails unless err says that a record is none, and never that the store
// is down or that the session ended.
func unreadable(t testing.TB, what string, r sojourn.Record, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || !errors.Is(err, sojourn.ErrCorrupt) || errors.Is(err, sojourn.ErrUnavailable) ||
		errors.Is(err, sojourn.ErrNotFound) || len(r.Payload) != 0 {
		t.Errorf("%s: payload %q, error %v, expected nothing and %v", what, r.Payload, err, want)
	}
}
