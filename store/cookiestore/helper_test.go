package cookiestore_test

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/cookiestore"
	"github.com/sojournhq/sojourn/store/memstore"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// key makes a key that differs for each n.
func key(n byte) []byte {
	b := make([]byte, 32)
	for i := range b {
		b[i] = byte(i)*7 + n
	}
	return b
}

const (
	tokenCookie = "__Host-sojourn"
	dataCookie  = "__Host-sojourn-data"
	cart        = sojourn.Key[string]("cart")
	hits        = sojourn.Counter("hits")
)

// site is a server: a manager over a cookie store, with a clock to turn.
type site struct {
	t       *testing.T
	store   *cookiestore.Store
	marks   *memstore.Store
	manager *sojourn.Manager
	log     logs

	mu   sync.Mutex
	when time.Time
}

type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (s *site) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.when
}

func (s *site) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.when = s.when.Add(d)
}

// broken is a store of revocations that can fail.
type broken struct {
	sojourn.Store
	err     error
	marking error         // only when something is to be marked
	slow    time.Duration // how long it takes to look something up
	first   func()        // runs once, before something is marked
}

func (b *broken) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if b.err != nil {
		return sojourn.Record{}, b.err
	}
	time.Sleep(b.slow)
	return b.Store.Load(ctx, id)
}

func (b *broken) Create(ctx context.Context, r *sojourn.Record) error {
	if err := cmp.Or(b.err, b.marking); err != nil {
		return err
	}
	if f := b.first; f != nil {
		b.first = nil
		f()
	}
	return b.Store.Create(ctx, r)
}

func newSite(t *testing.T, policy sojourn.Policy, keys ...[]byte) *site {
	return siteOver(t, nil, nil, policy, keys...)
}

// siteOver shares what is given with another server.
func siteOver(t *testing.T, like *site, marks sojourn.Store, policy sojourn.Policy, keys ...[]byte) *site {
	t.Helper()
	s := &site{t: t, when: time.UnixMilli(1_800_000_000_000)}
	clock := s.now
	if like != nil {
		s.marks, clock = like.marks, like.now
	} else {
		s.marks = memstore.New(&memstore.Options{Clock: clock})
	}
	if marks == nil {
		marks = s.marks
	}
	if len(keys) == 0 {
		keys = [][]byte{key(1)}
	}
	var err error
	if s.store, err = cookiestore.New(keys, marks, &cookiestore.Options{Clock: clock, Logger: logger(&s.log)}); err != nil {
		t.Fatal(err)
	}
	if s.manager, err = sojourn.New(s.store, &sojourn.Options{Clock: clock, Policy: policy, Logger: logger(&s.log)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.manager.Close() })
	return s
}

// browser keeps cookies.
type browser struct {
	site    *site
	cookies map[string]string
	sent    []string // the last answer's Set-Cookie
}

func (s *site) browser() *browser { return &browser{site: s, cookies: map[string]string{}} }

// copy is what a thief or a backup has.
func (b *browser) copy() *browser { return &browser{site: b.site, cookies: maps.Clone(b.cookies)} }

func (b *browser) at(s *site) *browser { return &browser{site: s, cookies: b.cookies} }

// do sends a request to a handler of f and takes in the answer's cookies.
func (b *browser) do(f func(w http.ResponseWriter, r *http.Request)) *http.Response {
	b.site.t.Helper()
	return b.take(b.send(f))
}

func (b *browser) send(f func(w http.ResponseWriter, r *http.Request)) *http.Response {
	r := httptest.NewRequest("POST", "https://app.example/", nil)
	for name, value := range b.cookies {
		r.Header.Add("Cookie", name+"="+value)
	}
	w := httptest.NewRecorder()
	b.site.store.Handler(b.site.manager.Handler(http.HandlerFunc(f))).ServeHTTP(w, r)
	return w.Result()
}

func (b *browser) take(res *http.Response) *http.Response {
	b.sent = res.Header["Set-Cookie"]
	for _, line := range b.sent {
		if name, _, _ := strings.Cut(line, ";"); len(name) > 4097 {
			b.site.t.Errorf("a cookie of %d bytes was sent: browsers drop it", len(name))
		}
	}
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return res
}

// in runs f within a request and fails the test on its error.
func (b *browser) in(f func(ctx context.Context, s *sojourn.Session) error) int {
	b.site.t.Helper()
	var err error
	res := b.do(func(w http.ResponseWriter, r *http.Request) {
		var s *sojourn.Session
		if s, err = sojourn.From(r.Context()); err == nil {
			err = f(r.Context(), s)
		}
	})
	if err != nil {
		b.site.t.Fatalf("in the request: %v", err)
	}
	return res.StatusCode
}

func (b *browser) set(value string) {
	b.site.t.Helper()
	b.in(func(ctx context.Context, _ *sojourn.Session) error { return cart.Set(ctx, value) })
}

func (b *browser) login(owner string) {
	b.site.t.Helper()
	b.in(func(ctx context.Context, s *sojourn.Session) error { return s.Login(ctx, owner) })
}

// status is what a request sees of its session, and of its cart.
func (b *browser) status() (st sojourn.Status, value string) {
	b.site.t.Helper()
	b.in(func(ctx context.Context, s *sojourn.Session) (err error) {
		s.Passive()
		if st, err = s.Status(ctx); err == nil {
			value, err = cart.Get(ctx)
		}
		return err
	})
	return st, value
}

// expect checks how a browser stands.
func (b *browser) expect(what string, state sojourn.State, reason sojourn.Reason, value string) {
	b.site.t.Helper()
	st, got := b.status()
	if st.State != state || st.Reason != reason || got != value {
		b.site.t.Errorf("%s: state %q, reason %q, cart %q; expected %q, %q, %q", what, st.State, st.Reason, got, state, reason, value)
	}
}
func logger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }
