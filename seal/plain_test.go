package seal_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
	"github.com/sojournhq/sojourn/store/sqlstore"
)

// With sealing, neither the store nor its files learn what a session holds or
// where it is used.
func TestP6SealedStoresHoldNoPlaintext(t *testing.T) {
	const member, value, agent, ip, label, reason = "shopping-list", "twelve-red-herrings", "SecretAgent/7.0", "203.0.113.77", "submarine", "left-the-country"
	words := []string{member, value, agent, ip, label, reason}
	run := func(t *testing.T, inner sojourn.Store, wrap func(sojourn.Store) sojourn.Store) {
		m, err := sojourn.New(wrap(inner), nil)
		if err != nil {
			t.Fatal(err)
		}
		cookie := ""
		do := func(f func(context.Context, *sojourn.Session) error) {
			t.Helper()
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("User-Agent", agent)
			r.RemoteAddr = ip + ":4711"
			if cookie != "" {
				r.Header.Set("Cookie", cookie)
			}
			w := httptest.NewRecorder()
			m.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				s, err := sojourn.From(r.Context())
				if err == nil {
					err = f(r.Context(), s)
				}
				if err != nil {
					t.Error(err)
				}
			})).ServeHTTP(w, r)
			if c := w.Header().Get("Set-Cookie"); c != "" {
				cookie, _, _ = strings.Cut(c, ";")
			}
		}
		set := func(ctx context.Context, _ *sojourn.Session) error {
			return sojourn.Key[string](member).Set(ctx, value)
		}
		do(set)
		do(func(ctx context.Context, s *sojourn.Session) error { return s.Login(ctx, "ada") })
		do(func(ctx context.Context, s *sojourn.Session) error { return s.SetLabel(ctx, label) })
		do(set)
		do(func(ctx context.Context, s *sojourn.Session) error { return s.Extend(ctx) })
		do(func(ctx context.Context, s *sojourn.Session) error {
			d, err := s.Devices(ctx)
			if err == nil && (len(d) != 1 || d[0].Label != label || d[0].IP != ip) {
				t.Errorf("devices: %+v", d)
			}
			return err
		})
		do(func(ctx context.Context, s *sojourn.Session) error { return s.Revoke(ctx, reason) })
		m.Close()
	}
	found := func(b []byte) (n int) {
		for _, w := range words {
			if bytes.Contains(b, []byte(w)) {
				n++
			}
		}
		return n
	}
	sealing := func(in sojourn.Store) sojourn.Store { return newStore(t, in, newRing(t, seal.GenerateKey())) }
	plain := func(in sojourn.Store) sojourn.Store { return in }

	for _, c := range []struct {
		name string
		wrap func(sojourn.Store) sojourn.Store
		want bool // plaintext
	}{{"sealed", sealing, false}, {"plain", plain, true}} { // the second shows that the first can fail
		t.Run("store "+c.name, func(t *testing.T) {
			h := newHostile()
			run(t, h, c.wrap)
			var all []byte
			for _, w := range h.written {
				all = append(all, w.Payload...)
			}
			for _, r := range h.revoked {
				all = append(all, r.Reason...)
			}
			if n := found(all); c.want && n != len(words) || !c.want && n != 0 || len(h.written) == 0 {
				t.Errorf("%d of %d words in %d bytes", n, len(words), len(all))
			}
		})
		t.Run("file "+c.name, func(t *testing.T) {
			dir := t.TempDir()
			inner, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(dir, "s.db"), nil)
			if err != nil {
				t.Fatal(err)
			}
			run(t, inner, c.wrap)
			read := func() (all []byte) {
				files, _ := filepath.Glob(filepath.Join(dir, "*"))
				for _, f := range files {
					b, err := os.ReadFile(f)
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, b...)
				}
				return all
			}
			all := read() // with the write-ahead log
			if err := inner.Close(); err != nil {
				t.Fatal(err)
			}
			all = append(all, read()...)
			if n := found(all); c.want && n != len(words) || !c.want && n != 0 || len(all) == 0 {
				t.Errorf("%d of %d words in %d bytes", n, len(words), len(all))
			}
		})
	}
}

// What reaches a manager from a store that lost its key: nobody is logged in, the
// cookie stays, the event tells, and with the key everything is back.
func TestP9AMissingKeyIsNeitherOutageNorLogout(t *testing.T) {
	key := seal.GenerateKey()
	ring := newRing(t, key)
	events := new(recorded)
	m, err := sojourn.New(newStore(t, newHostile(), ring), &sojourn.Options{Observers: []sojourn.Observer{events}})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	_, token, err := m.Create(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	get := func() (owner string, w *httptest.ResponseRecorder) {
		w = httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", "__Host-sojourn="+token.Reveal())
		m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := sojourn.From(r.Context())
			if err == nil {
				owner, err = s.Owner(r.Context())
			}
			if err != nil {
				t.Error(err)
			}
		})).ServeHTTP(w, r)
		return owner, w
	}
	if owner, _ := get(); owner != "ada" {
		t.Fatalf("owner %q", owner)
	}
	if err := ring.Replace(newRing(t, seal.GenerateKey())); err != nil {
		t.Fatal(err)
	}
	owner, w := get()
	if owner != "" || w.Code != 200 || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("without its key: owner %q, %d, %v", owner, w.Code, w.Header())
	}
	if e := events.of(sojourn.EventCorrupt); len(e) != 1 || e[0].ID != token.ID() || !strings.Contains(e[0].Err.Error(), key.ID()) {
		t.Errorf("events: %+v", e)
	}
	if err := m.RevokeOwner(t.Context(), "grace"); err != nil {
		t.Error(err)
	}
	if err := ring.Replace(newRing(t, seal.GenerateKey(), key)); err != nil {
		t.Fatal(err)
	}
	if owner, _ := get(); owner != "ada" {
		t.Errorf("with its key again: owner %q", owner)
	}
	if n := len(events.of(sojourn.EventUnavailable)); n != 0 {
		t.Errorf("%d outages were told", n)
	}
}

type recorded struct{ all []sojourn.Event }

func (r *recorded) Observe(_ context.Context, e sojourn.Event) { r.all = append(r.all, e) }

func (r *recorded) of(kind sojourn.EventKind) (list []sojourn.Event) {
	for _, e := range r.all {
		if e.Kind == kind {
			list = append(list, e)
		}
	}
	return list
}

func TestUnwrapOffersWhatIsSafe(t *testing.T) {
	inner := openSQLite(t, "")
	s := newStore(t, inner, newRing(t, seal.GenerateKey()))
	sweeper, ok := sojourn.As[sojourn.Sweeper](s)
	if !ok {
		t.Fatal("no Sweeper")
	}
	r := newRecord("ada", "gone")
	r.Expires = time.UnixMilli(1000)
	if err := s.Create(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	scan, ok := sojourn.As[interface {
		Scan(context.Context, sojourn.ID, int) ([]sojourn.Record, error)
	}](s)
	if !ok {
		t.Fatal("no Scan")
	}
	if all, err := scan.Scan(t.Context(), "", 10); err != nil || len(all) != 1 || string(all[0].Payload) != "gone" {
		t.Errorf("Scan: %+v, %v", all, err)
	}
	if gone, err := sweeper.Sweep(t.Context(), time.UnixMilli(2000), 10); err != nil || len(gone) != 1 || string(gone[0].Payload) != "gone" {
		t.Errorf("Sweep: %+v, %v", gone, err)
	}
	if p, ok := sojourn.As[sojourn.Pinger](s); !ok || p.Ping(t.Context()) != nil {
		t.Error("no Pinger")
	}
	if _, ok := sojourn.As[*sqlstore.Store](s); ok {
		t.Error("the inner store itself is within reach, past the seal")
	}
	bare := newStore(t, &struct{ sojourn.Store }{inner}, newRing(t, seal.GenerateKey()))
	if _, ok := sojourn.As[sojourn.Sweeper](bare); ok {
		t.Error("a Sweeper over a store that is none")
	}
}
