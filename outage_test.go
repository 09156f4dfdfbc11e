package sojourn_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn"
)

func TestP9AnOutageIsNotALogout(t *testing.T) {
	for _, down := range []string{"load", "update", "create", "revoke"} {
		t.Run(down, func(t *testing.T) {
			s := newSite(t, nil)
			c := s.client()
			c.ok("/login/ada")
			token := c.token
			s.store.fault = func(op string) (before, after error) {
				if op == down {
					return errLost, nil
				}
				return nil, nil
			}
			path := map[string]string{"load": "/get/k", "update": "/add", "create": "/login/bob", "revoke": "/logout"}[down]
			a := c.get(path)
			if a.code != 503 || a.header.Get("Retry-After") == "" || a.cookie != "" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s while %s fails: %+v, expected 503, Retry-After and no cookie", path, down, a)
			}
			if len(s.events.of(sojourn.EventUnavailable)) == 0 {
				t.Error("nobody was told")
			}
			if a := c.send("", "/plain"); a.code != 200 {
				t.Errorf("requests without a session suffer: %+v", a)
			}
			s.store.fault = nil
			if a := c.get("/owner"); a.body != "ada" || c.token != token {
				t.Errorf("after the outage: %+v", a)
			}
		})
	}
}

// A handler that ignores the error cannot turn it into a logout, or into an
// answer that looks like success.
func TestP9TheHandlerCannotHideIt(t *testing.T) {
	s := newSite(t, nil)
	s.mux.HandleFunc("/careless", func(w http.ResponseWriter, r *http.Request) {
		owner, err := session(r.Context()).Owner(r.Context())
		if !errors.Is(err, sojourn.ErrUnavailable) {
			t.Errorf("owner: %v, expected ErrUnavailable", err)
		}
		if errors.Is(err, sojourn.ErrNotFound) {
			t.Error("an outage looks like an end")
		}
		if owner == "" {
			w.Header().Set("Content-Length", "7")
			w.Header().Set("Location", "/login")
			w.WriteHeader(http.StatusFound)
		}
		w.Write([]byte("go away"))
	})
	c := s.client()
	c.ok("/login/ada")
	s.store.fault = func(string) (before, after error) { return errLost, nil }
	a := c.get("/careless")
	if a.code != 503 || a.body != "Service Unavailable" || a.header.Get("Location") != "" {
		t.Errorf("%+v", a)
	}
}

// A store that hangs is given up after the deadlines, without goroutines that
// pile up, and the request's own cancellation does not cut a commit.
func TestP9DeadlinesOfASlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := &hanging{Store: newMapStore()}
		m, err := sojourn.New(hang, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, token, err := m.Create(t.Context(), "ada")
		if err != nil {
			t.Fatal(err)
		}
		hang.on = true
		begin := time.Now()
		if _, err := m.Open(t.Context(), token.ID()); !errors.Is(err, sojourn.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("open: %v", err)
		}
		if took := time.Since(begin); took != 500*time.Millisecond {
			t.Errorf("two attempts to load took %v, expected 500ms", took)
		}
		begin = time.Now()
		ctx, cancel := context.WithCancel(sojourn.NewContext(t.Context(), s))
		if _, err := sojourn.Counter("n").Add(ctx, 1); err != nil {
			t.Fatal(err)
		}
		cancel() // the client left; only the deadline ends the commit
		if err := s.Save(ctx); !errors.Is(err, sojourn.ErrUnavailable) {
			t.Errorf("save: %v", err)
		}
		if took := time.Since(begin); took < 500*time.Millisecond || took > 2*time.Second {
			t.Errorf("the commit was given up after %v", took)
		}
		hang.on = false
		ctx, cancel = context.WithCancel(t.Context())
		s, err = m.Open(ctx, token.ID())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sojourn.Counter("n").Add(sojourn.NewContext(ctx, s), 1); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := s.Save(ctx); err != nil {
			t.Errorf("save after the client left: %v", err)
		}
	})
}

// hanging does not answer until its context ends.
type hanging struct {
	sojourn.Store
	on bool
}

func (h *hanging) Load(ctx context.Context, id sojourn.ID) (sojourn.Record, error) {
	if h.on {
		<-ctx.Done()
		return sojourn.Record{}, ctx.Err()
	}
	return h.Store.Load(ctx, id)
}

func (h *hanging) Update(ctx context.Context, r *sojourn.Record) (sojourn.Record, error) {
	if h.on {
		<-ctx.Done()
		return sojourn.Record{}, ctx.Err()
	}
	if ctx.Err() != nil {
		return sojourn.Record{}, ctx.Err()
	}
	return h.Store.Update(ctx, r)
}

// A record that cannot be read is neither a logout nor an outage: its cookie
// stays, it is never overwritten, and a new login works. Programs get an error.
func TestCorruptRecord(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	id := sojourn.ID(c.token[:28])
	store := s.store.Store.(*mapStore)
	for full, rec := range store.recs {
		if full[:28] == id {
			rec.Payload = append([]byte{9}, rec.Payload[1:]...)
			store.recs[full] = rec
		}
	}
	if a := c.get("/owner"); a.code != 200 || a.body != "" || a.cookie != "" {
		t.Errorf("reading: %+v, expected nobody and no cookie", a)
	}
	if a := c.get("/set/k/v"); a.code == 200 || a.code == 503 || a.cookie != "" {
		t.Errorf("writing: %+v, expected a refusal and no cookie", a)
	}
	if got := s.events.of(sojourn.EventCorrupt); len(got) != 2 || got[0].ID[:28] != id || !strings.Contains(got[0].Err.Error(), "newer Sojourn") {
		t.Errorf("events: %+v", got)
	}
	again := s.client()
	again.token = c.token
	if a := again.get("/login/ada"); a.code != 200 || a.cookie == "" {
		t.Errorf("login: %+v", a)
	}
	for full, rec := range store.recs {
		if full[:28] == id && rec.Payload[0] != 9 {
			t.Error("the record was overwritten")
		}
	}
	_, err := s.m.Authenticate(t.Context(), c.token)
	if !errors.Is(err, sojourn.ErrCorrupt) || errors.Is(err, sojourn.ErrNotFound) {
		t.Errorf("authenticate: %v", err)
	}
}

// A record that its store calls corrupt is no session, and no outage: the cookie
// stays for when the record can be read again, and a login works meanwhile.
func TestP9ACorruptRecordIsNeitherOutageNorLogout(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	token := c.token
	s.store.fault = func(op string) (before, after error) {
		if op == "load" {
			return sojourn.ErrCorrupt, nil
		}
		return nil, nil
	}
	if a := c.get("/owner"); a.code != 200 || a.body != "" || a.cookie != "" {
		t.Errorf("reading: %+v, expected nobody and no cookie", a)
	}
	if a := c.get("/set/k/v"); a.code == 200 || a.code == 503 || a.cookie != "" {
		t.Errorf("writing: %+v, expected a refusal and no cookie", a)
	}
	if got := s.events.of(sojourn.EventCorrupt); len(got) != 2 || string(got[0].ID) == "" || !errors.Is(got[0].Err, sojourn.ErrCorrupt) {
		t.Errorf("events: %+v", got)
	}
	if n := len(s.events.of(sojourn.EventUnavailable)); n != 0 {
		t.Errorf("%d outages were told", n)
	}
	again := s.client()
	again.token = token
	if a := again.get("/login/ada"); a.code != 200 || a.cookie == "" || again.token == token {
		t.Errorf("login: %+v", a)
	}
	tok, err := sojourn.ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	s.store.fault = nil
	if a := c.get("/owner"); a.body != "ada" {
		t.Errorf("once it can be read again: %+v", a)
	}
	s.store.fault = func(op string) (before, after error) {
		if op == "load" {
			return nil, sojourn.ErrCorrupt
		}
		return nil, nil
	}
	if err := s.m.Revoke(t.Context(), tok.ID(), "found damaged"); err != nil {
		t.Errorf("revoke: %v", err)
	}
	s.store.fault = nil
	if st, err := s.m.Inspect(t.Context(), tok.ID()); err != nil || st.State != sojourn.StateEnded {
		t.Errorf("after revoke: %+v, %v", st, err)
	}
}

// Whoever logs out is named with where the request came from.
func TestEndedTellsWhereFrom(t *testing.T) {
	s := newSite(t, nil)
	c := s.client()
	c.ok("/login/ada")
	c.ok("/logout")
	if e := s.events.of(sojourn.EventEnded); len(e) != 1 || e[0].IP == "" {
		t.Errorf("%+v, expected one with an address", e)
	}
}
