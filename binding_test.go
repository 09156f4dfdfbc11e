package sojourn_test

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sojournhq/sojourn"
)

// A doorman is a guard that can be told what to say.
type doorman struct {
	says  atomic.Pointer[error]
	asked atomic.Int64
	none  atomic.Int64 // asked without a request
	saw   atomic.Pointer[string]
}

func (d *doorman) say(err error) { d.says.Store(&err) }

func (d *doorman) guard(r *http.Request, s *sojourn.Session) error {
	d.asked.Add(1)
	if r == nil {
		d.none.Add(1)
	}
	owner, err := s.Owner(context.Background())
	if err != nil {
		return err
	}
	d.saw.Store(&owner)
	if err := d.says.Load(); err != nil {
		return *err
	}
	return nil
}

var errNoPass = errors.New("no pass")

func TestGuardRefusal(t *testing.T) {
	d := new(doorman)
	s := newSite(t, &sojourn.Options{Guards: []func(*http.Request, *sojourn.Session) error{d.guard}})
	c := s.client()
	c.ok("/plain")
	c.send("gibberish", "/owner")
	c.ok("/login/ada")
	if n := d.asked.Load(); n != 0 {
		t.Errorf("asked %d times about no session", n)
	}
	c.want("/owner", 200, "ada")
	if d.asked.Load() != 1 || *d.saw.Load() != "ada" {
		t.Errorf("asked %d times, saw %q", d.asked.Load(), *d.saw.Load())
	}
	c.ok("/set/k/v")

	d.say(errNoPass)
	before := c.token
	for _, path := range []string{"/owner", "/get/k"} {
		if a := c.want(path, 200, ""); a.cookie != "" {
			t.Errorf("%s: cookie %q", path, a.cookie)
		}
	}
	c.want("/status", 200, "none")
	c.want("/plain", 200, "plain") // uses no session
	if a := c.get("/set/k/thief"); a.code != 400 || !strings.Contains(a.body, sojourn.ErrStaleToken.Error()) || a.cookie != "" {
		t.Errorf("a write: %+v", a)
	}
	refused := s.events.of(sojourn.EventRefused)
	if len(refused) != 4 || refused[0].Err != errNoPass || refused[0].Owner != "ada" || refused[0].ID == "" || refused[0].IP == "" {
		t.Errorf("events %+v", refused)
	}
	if _, err := s.m.Authenticate(t.Context(), before); !errors.Is(err, sojourn.ErrNotFound) || d.none.Load() != 1 {
		t.Errorf("Authenticate: %v, %d without a request", err, d.none.Load())
	}

	c.ok("/login/ada") // the way back in: another session
	if sojournID(t, c.token) == sojournID(t, before) {
		t.Error("login kept the ID")
	}
	d.say(nil)
	c.want("/owner", 200, "ada")
	c.want("/get/k", 200, "")      // what was refused was not taken along
	c.send(before, "/set/k/still") // and it lives on for whoever is let in
	if a := c.send(before, "/get/k"); a.body != "still" {
		t.Errorf("the refused session: %+v", a)
	}
}

func sojournID(t *testing.T, token string) sojourn.ID {
	t.Helper()
	parsed, err := sojourn.ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.ID()
}

// P9: a guard that cannot tell is no verdict.
func TestP9GuardThatCannotTellIsNotALogout(t *testing.T) {
	d := new(doorman)
	s := newSite(t, &sojourn.Options{Guards: []func(*http.Request, *sojourn.Session) error{d.guard}})
	c := s.client()
	c.ok("/login/ada")
	d.say(fmt.Errorf("asking elsewhere: %w", sojourn.ErrUnavailable))
	for _, path := range []string{"/owner", "/set/k/v", "/login/bob", "/logout"} {
		a := c.get(path)
		if a.code != 503 || a.header.Get("Retry-After") == "" || a.cookie != "" {
			t.Errorf("%s: %+v", path, a)
		}
	}
	d.say(nil)
	c.want("/owner", 200, "ada")
}

// A no about a record that may be out of date is asked again at its source.
func TestGuardOfACachedRecord(t *testing.T) {
	bound := func(_ *http.Request, s *sojourn.Session) error {
		if b, err := s.Binding(context.Background()); err != nil || len(b) == 0 {
			return errNoPass
		}
		return nil
	}
	var on atomic.Bool
	s, node, f := frozenSite(t, &sojourn.Options{Guards: []func(*http.Request, *sojourn.Session) error{
		func(r *http.Request, s *sojourn.Session) error {
			if !on.Load() {
				return nil
			}
			return bound(r, s)
		}}})
	s.handle("/bind", func(ctx context.Context, _ *http.Request) (any, error) {
		return "", session(ctx).Bind(ctx, func([]byte) ([]byte, error) { return []byte("key"), nil })
	})
	c := s.client()
	c.ok("/login/ada")
	node.token = c.token
	node.want("/owner", 200, "ada") // now it is cached, unbound
	c.ok("/bind")
	on.Store(true)
	asked := f.sources.Load()
	node.want("/owner", 200, "ada")
	if f.sources.Load() != asked+1 {
		t.Errorf("asked the source %d times, expected once", f.sources.Load()-asked)
	}
	if n := len(s.events.of(sojourn.EventRefused)); n != 0 {
		t.Errorf("%d refusals told", n)
	}
}

// A guard that uses the request's own session is told so, and nothing stands still.
func TestGuardMustNotUseTheRequestsSession(t *testing.T) {
	var got error
	s := newSite(t, &sojourn.Options{Guards: []func(*http.Request, *sojourn.Session) error{
		func(r *http.Request, _ *sojourn.Session) error {
			_, got = session(r.Context()).Owner(r.Context())
			return nil
		}}})
	c := s.client()
	c.ok("/login/ada")
	c.want("/owner", 200, "ada")
	if !errors.Is(got, sojourn.ErrInvalid) {
		t.Errorf("%v, expected ErrInvalid", got)
	}
}

// What a guard binds, the request that it lets in sees; what it ends, is ended.
func TestGuardMayChangeTheSession(t *testing.T) {
	var end atomic.Bool
	s := newSite(t, &sojourn.Options{Guards: []func(*http.Request, *sojourn.Session) error{
		func(r *http.Request, s *sojourn.Session) error {
			if end.Load() {
				return s.Revoke(r.Context(), "stolen")
			}
			return s.Bind(r.Context(), func([]byte) ([]byte, error) { return []byte(r.URL.Path), nil })
		}}})
	s.handle("/binding", func(ctx context.Context, _ *http.Request) (any, error) {
		b, err := session(ctx).Binding(ctx)
		return string(b), err
	})
	c := s.client()
	c.ok("/login/ada")
	before := s.store.calls.Load()
	c.want("/binding", 200, "/binding")
	c.ok("/set/k/v") // on the record as the guard left it
	if n := s.store.calls.Load() - before; n != 5 {
		t.Errorf("%d store calls, expected two reads, two of the guard and one write", n)
	}
	c.want("/get/k", 200, "v")
	end.Store(true)
	c.want("/owner", 200, "")
	if ended := s.events.of(sojourn.EventEnded); len(ended) != 1 || ended[0].Reason != "stolen" {
		t.Errorf("events %+v", ended)
	}
	end.Store(false)
	c.want("/owner", 200, "")
}

func TestBegan(t *testing.T) {
	var told atomic.Int64
	s := newSite(t, &sojourn.Options{Began: []func(http.Header, *http.Request, *sojourn.Session){
		func(h http.Header, r *http.Request, s *sojourn.Session) {
			st, err := s.Status(r.Context())
			if err != nil {
				t.Error(err)
			}
			h.Set("X-Began", st.Owner+" "+string(st.ID))
			told.Add(1)
		}}})
	s.handle("/renew", func(ctx context.Context, _ *http.Request) (any, error) { return "", session(ctx).RenewNow(ctx) })
	s.handle("/early/{user}", func(ctx context.Context, r *http.Request) (any, error) { // stored before the answer begins
		if err := session(ctx).Login(ctx, r.PathValue("user")); err != nil {
			return nil, err
		}
		return "", session(ctx).Save(ctx)
	})
	c := s.client()
	for _, step := range []struct{ path, owner string }{
		{"/set/k/v", ""}, {"/login/ada", "ada"}, {"/login/ada", "ada"}, {"/early/ada", "ada"}, {"/login/bob", "bob"},
	} {
		want := step.owner + " "
		if a := c.ok(step.path); a.header.Get("X-Began") != want+string(sojournID(t, c.token)) {
			t.Errorf("%s: told %q", step.path, a.header.Get("X-Began"))
		}
	}
	n := told.Load()
	c.ok("/renew")
	c.ok("/set/k/w")
	c.ok("/owner")
	c.ok("/logout")
	if told.Load() != n {
		t.Error("told of a session that was there before")
	}
}

func TestBinding(t *testing.T) {
	s := newSite(t, nil)
	put := func(ctx context.Context, b []byte) error {
		return session(ctx).Bind(ctx, func([]byte) ([]byte, error) { return b, nil })
	}
	s.handle("/bind/{key}", func(ctx context.Context, r *http.Request) (any, error) {
		return "", put(ctx, []byte(r.PathValue("key")))
	})
	s.handle("/unbind", func(ctx context.Context, _ *http.Request) (any, error) { return "", put(ctx, nil) })
	s.handle("/long", func(ctx context.Context, _ *http.Request) (any, error) { return "", put(ctx, make([]byte, 769)) })
	s.handle("/not", func(ctx context.Context, _ *http.Request) (any, error) {
		return "", session(ctx).Bind(ctx, func([]byte) ([]byte, error) { return nil, errNoPass })
	})
	s.handle("/binding", func(ctx context.Context, _ *http.Request) (any, error) {
		b, err := session(ctx).Binding(ctx)
		st, err2 := session(ctx).Status(ctx)
		members, _, err3 := session(ctx).Members(ctx)
		return fmt.Sprintf("%s %v rev %d members %d", cmp.Or(string(b), "-"), st.Bound, st.Revision, len(members)), errors.Join(err, err2, err3)
	})
	c := s.client()
	if a := c.get("/bind/key"); a.code != 400 || a.cookie != "" || !strings.Contains(a.body, sojourn.ErrNotFound.Error()) {
		t.Errorf("without a session: %+v", a)
	}
	c.ok("/set/k/v")
	c.want("/binding", 200, "- false rev 1 members 1")
	c.ok("/bind/key")
	c.want("/binding", 200, "key true rev 1 members 1")
	if a := c.get("/not"); a.code != 400 || !strings.Contains(a.body, errNoPass.Error()) {
		t.Errorf("an error of the function: %+v", a)
	}
	if a := c.get("/long"); a.code != 400 || !strings.Contains(a.body, sojourn.ErrTooLarge.Error()) {
		t.Errorf("too long: %+v", a)
	}
	c.want("/binding", 200, "key true rev 1 members 1")
	c.ok("/bind/other")
	c.ok("/login/ada") // a login is bound to nothing, and keeps the rest
	c.want("/binding", 200, "- false rev 1 members 1")
	c.ok("/bind/key")
	c.ok("/unbind")
	c.want("/binding", 200, "- false rev 1 members 1")
	if got := s.events.of(sojourn.EventBound); len(got) != 2 || got[1].Owner != "ada" {
		t.Errorf("told %+v, expected once for each session", got)
	}
}

// P2 for bindings: each of parallel calls sees what the one before stored, over
// two processes.
func TestP2ParallelBinds(t *testing.T) {
	s := newSite(t, nil)
	id, _, err := s.m.Create(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	st, err := id.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := s.m.Options()
	other, err := sojourn.New(s.store, &o)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var wg sync.WaitGroup
	const each = 20
	for _, m := range []*sojourn.Manager{s.m, other} {
		for range each {
			wg.Go(func() {
				v, err := m.Open(t.Context(), st.ID)
				if err == nil {
					err = v.Bind(t.Context(), func(old []byte) ([]byte, error) {
						n := uint32(0)
						if len(old) == 4 {
							n = binary.BigEndian.Uint32(old)
						}
						return binary.BigEndian.AppendUint32(nil, n+1), nil
					})
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	v, err := s.m.Open(t.Context(), st.ID)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := v.Binding(t.Context()); err != nil || len(b) != 4 || binary.BigEndian.Uint32(b) != 2*each {
		t.Errorf("%x, %v; expected %d", b, err, 2*each)
	}
}

func TestGuardOptionsAreChecked(t *testing.T) {
	for _, o := range []sojourn.Options{
		{Guards: []func(*http.Request, *sojourn.Session) error{nil}},
		{Began: []func(http.Header, *http.Request, *sojourn.Session){nil}},
	} {
		if _, err := sojourn.New(newMapStore(), &o); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%v, expected ErrInvalid", err)
		}
	}
}
