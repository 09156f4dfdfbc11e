package dbsc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dunglas/httpsfv"
	"github.com/go-jose/go-jose/v4"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/bind/dbsc"
	"github.com/sojournhq/sojourn/store/memstore"
)

// site is an application whose sessions are bound.
type site struct {
	t      *testing.T
	store  *flaky
	rules  sojourn.Options
	binder *dbsc.Binder
	m      *sojourn.Manager
	h      http.Handler
	now    *atomic.Int64 // ms
	mu     sync.Mutex
	events []sojourn.Event
}

// flaky is a store that can be made to fail.
type flaky struct {
	sojourn.Store
	down        atomic.Bool
	calls       atomic.Int64
	writesFail  atomic.Bool
	afterUpdate atomic.Bool // the next update is stored and its answer lost
}

var errDown = errors.New("down")

func (f *flaky) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	f.calls.Add(1)
	if f.down.Load() {
		return sojourn.Record{}, errDown
	}
	return f.Store.Load(ctx, id)
}

func (f *flaky) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	f.calls.Add(1)
	if f.down.Load() || f.writesFail.Load() {
		return sojourn.Record{}, errDown
	}
	rec, err := f.Store.Update(ctx, r)
	if f.afterUpdate.CompareAndSwap(true, false) {
		return sojourn.Record{}, errDown
	}
	return rec, err
}

func (s *site) Observe(_ context.Context, e sojourn.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
}

func (s *site) of(kind sojourn.EventKind) (found []sojourn.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.Kind == kind {
			found = append(found, e)
		}
	}
	return found
}

func newSite(t *testing.T, opt *dbsc.Options) *site {
	t.Helper()
	s := &site{t: t, store: &flaky{Store: memstore.New(nil)}, now: new(atomic.Int64)}
	s.now.Store(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMilli())
	s.start(opt)
	return s
}

// start is what a process does: another one may share the store.
func (s *site) start(opt *dbsc.Options) {
	s.t.Helper()
	s.rules = sojourn.Options{Clock: func() time.Time { return time.UnixMilli(s.now.Load()) }, Observers: []sojourn.Observer{s},
		Policy: sojourn.Policy{Idle: 4 * time.Hour, Absolute: 24 * time.Hour}}
	var err error
	if s.binder, err = dbsc.New(&s.rules, opt); err != nil {
		s.t.Fatal(err)
	}
	if s.m, err = sojourn.New(s.store, &s.rules); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { s.m.Close() })
	mux := http.NewServeMux()
	mux.Handle(s.binder.Path(), s.binder)
	handle := func(pattern string, f func(w http.ResponseWriter, r *http.Request, s *sojourn.Session) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			session, err := sojourn.From(r.Context())
			if err != nil {
				panic(err)
			}
			v, err := f(w, r, session)
			if err != nil {
				s.m.Error(w, r, err)
				return
			}
			fmt.Fprint(w, v)
		})
	}
	handle("POST /login/{user}", func(_ http.ResponseWriter, r *http.Request, session *sojourn.Session) (any, error) {
		return "", session.Login(r.Context(), r.PathValue("user"))
	})
	handle("POST /logout", func(_ http.ResponseWriter, r *http.Request, session *sojourn.Session) (any, error) {
		return "", session.Logout(r.Context())
	})
	handle("POST /set/{value}", func(_ http.ResponseWriter, r *http.Request, _ *sojourn.Session) (any, error) {
		return "", sojourn.Key[string]("k").Set(r.Context(), r.PathValue("value"))
	})
	handle("GET /get", func(_ http.ResponseWriter, r *http.Request, _ *sojourn.Session) (any, error) {
		return sojourn.Key[string]("k").Get(r.Context())
	})
	handle("GET /owner", func(_ http.ResponseWriter, r *http.Request, session *sojourn.Session) (any, error) {
		return session.Owner(r.Context())
	})
	handle("GET /state", func(_ http.ResponseWriter, r *http.Request, _ *sojourn.Session) (any, error) {
		return s.binder.State(r.Context())
	})
	handle("GET /page", func(w http.ResponseWriter, r *http.Request, _ *sojourn.Session) (any, error) {
		return "", s.binder.Offer(w, r)
	})
	mux.Handle("GET /vault", s.binder.Require(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "gold") })))
	mux.HandleFunc("GET /plain", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "plain") })
	s.h = s.m.Handler(mux)
}

func (s *site) pass(d time.Duration) {
	s.m.Close() // touches under way land first
	s.now.Add(d.Milliseconds())
}

// device is a browser with a key: what Chromium does, without its timing.
type device struct {
	s         *site
	jar       map[string]string
	key       *ecdsa.PrivateKey
	name      string // session_identifier
	refresh   string // URL
	challenge string // left over from the last answer
	bound     string // name of the credential
	quoted    bool   // sends headers as the draft has them
}

func (s *site) device() *device {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	return &device{s: s, jar: map[string]string{}, key: key}
}

// clone is a thief's copy of the cookies named, with a key of its own.
func (d *device) clone(names ...string) *device {
	thief := d.s.device()
	thief.name, thief.refresh, thief.bound, thief.challenge = d.name, d.refresh, d.bound, d.challenge
	for _, name := range names {
		thief.jar[name] = d.jar[name]
	}
	return thief
}

type answer struct {
	code   int
	body   string
	header http.Header
}

func (d *device) do(method, path string, header ...string) answer {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range d.jar {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	d.s.h.ServeHTTP(w, r)
	res := w.Result()
	for _, c := range res.Cookies() {
		if d.jar[c.Name] = c.Value; c.MaxAge < 0 {
			delete(d.jar, c.Name)
		}
	}
	if c, ok := asked(res.Header); ok {
		d.challenge = c
	}
	body, _ := io.ReadAll(res.Body)
	return answer{res.StatusCode, string(body), res.Header}
}

func asked(h http.Header) (challenge string, ok bool) {
	item, err := httpsfv.UnmarshalItem(h.Values("Secure-Session-Challenge"))
	if err != nil {
		return "", false
	}
	return item.Value.(string), true
}

func (d *device) want(method, path string, code int, body string) answer {
	d.s.t.Helper()
	a := d.do(method, path)
	if a.code != code || body != "*" && a.body != body {
		d.s.t.Fatalf("%s %s: %d %q, expected %d %q", method, path, a.code, a.body, code, body)
	}
	return a
}

// prove signs a challenge.
func (d *device) prove(challenge string, withKey bool) string {
	return d.signed(map[string]any{"jti": challenge}, withKey, "dbsc+jwt")
}

func (d *device) signed(claims map[string]any, withKey bool, typ string) string {
	o := (&jose.SignerOptions{EmbedJWK: withKey}).WithType(jose.ContentType(typ))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: d.key}, o)
	if err != nil {
		d.s.t.Fatal(err)
	}
	payload, _ := json.Marshal(claims)
	jws, err := signer.Sign(payload)
	if err != nil {
		d.s.t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		d.s.t.Fatal(err)
	}
	return compact
}

func (d *device) head(value string) string {
	if d.quoted {
		return `"` + value + `"`
	}
	return value
}

// login logs in and returns the offer that came with the answer.
func (d *device) login(user string) (path, challenge string) {
	d.s.t.Helper()
	a := d.want("POST", "/login/"+user, 200, "")
	path, challenge, ok := offered(a.header)
	if !ok {
		d.s.t.Fatalf("no offer: %v", a.header)
	}
	return path, challenge
}

func offered(h http.Header) (path, challenge string, ok bool) {
	list, err := httpsfv.UnmarshalList(h.Values("Secure-Session-Registration"))
	if err != nil || len(list) != 1 {
		return "", "", false
	}
	inner := list[0].(httpsfv.InnerList)
	p, _ := inner.Params.Get("path")
	c, _ := inner.Params.Get("challenge")
	return p.(string), c.(string), true
}

// register answers an offer.
func (d *device) register(path, challenge string) answer {
	a := d.do("POST", path, "Secure-Session-Response", d.head(d.prove(challenge, true)))
	if a.code == 200 {
		d.configured(a)
	}
	return a
}

func (d *device) configured(a answer) {
	d.s.t.Helper()
	var c struct {
		ID          string `json:"session_identifier"`
		Refresh     string `json:"refresh_url"`
		Credentials []struct{ Type, Name, Attributes string }
	}
	if err := json.Unmarshal([]byte(a.body), &c); err != nil || len(c.Credentials) != 1 || c.Credentials[0].Type != "cookie" {
		d.s.t.Fatalf("configuration %q: %v", a.body, err)
	}
	d.name, d.refresh, d.bound = c.ID, c.Refresh, c.Credentials[0].Name
	line := a.header.Get("Set-Cookie")
	if !strings.HasSuffix(line, "; "+c.Credentials[0].Attributes) || !strings.HasPrefix(line, d.bound+"=") {
		d.s.t.Fatalf("Set-Cookie %q is not the credential %+v", line, c.Credentials[0])
	}
}

// renew refreshes as browsers do: with the challenge left over, and with the one
// that a 403 brings. It returns the last answer.
func (d *device) renew() answer {
	for range 3 {
		header := []string{"Sec-Secure-Session-Id", d.head(d.name)}
		if d.challenge != "" {
			header = append(header, "Secure-Session-Response", d.head(d.prove(d.challenge, false)))
		}
		a := d.do("POST", d.refresh, header...)
		if a.code == 200 {
			d.configured(a)
		}
		if a.code != 403 {
			return a
		}
	}
	d.s.t.Fatal("challenged three times")
	return answer{}
}

// bind logs in, registers, and shows the cookie once.
func (d *device) bind(user string) {
	d.s.t.Helper()
	if a := d.register(d.login(user)); a.code != 200 {
		d.s.t.Fatalf("registration: %+v", a)
	}
	d.want("GET", "/state", 200, "bound")
}
