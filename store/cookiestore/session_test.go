package cookiestore_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

const (
	none   = sojourn.StateNone
	active = sojourn.StateActive
	ended  = sojourn.StateEnded
)

// The whole session is in the browser: nothing is kept for it elsewhere.
func TestNoServerState(t *testing.T) {
	s := newSite(t, sojourn.Policy{})
	b := s.browser()
	if b.status(); len(b.sent) != 0 {
		t.Errorf("a visitor without a session was sent %q", b.sent)
	}
	b.set("bread")
	b.expect("the next request", active, "", "bread")
	if b.expect("a read", active, "", "bread"); len(b.sent) != 0 {
		t.Errorf("a request that only reads was sent %q", b.sent)
	}
	b.set("milk")
	if len(b.sent) != 1 || !strings.HasPrefix(b.sent[0], dataCookie+"=") {
		t.Errorf("a change was answered with %q, expected the record only", b.sent)
	}
	for _, attribute := range []string{"Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=2400"} { // 30 min idle and 10 to learn about it
		if !strings.Contains(b.sent[0], "; "+attribute) {
			t.Errorf("the record's cookie lacks %s: %s", attribute, b.sent[0])
		}
	}
	b.expect("the next request", active, "", "milk")
	if n := s.marks.Stats().Records; n != 0 {
		t.Errorf("%d records are kept on the server", n)
	}
	twin := siteOver(t, s, nil, sojourn.Policy{}) // another server with the same keys
	b.at(twin).expect("another server", active, "", "milk")
}

// Within one request nothing is lost, however often it commits.
func TestManyCommitsOfOneRequest(t *testing.T) {
	b := newSite(t, sojourn.Policy{}).browser()
	b.set("bread")
	b.in(func(ctx context.Context, s *sojourn.Session) error {
		for range 10 {
			if _, err := hits.Add(ctx, 1); err != nil {
				return err
			}
			if err := s.Save(ctx); err != nil {
				return err
			}
		}
		other, err := b.site.manager.Open(ctx, mustID(t, ctx, s)) // the request's own session, a second time
		if err != nil {
			return err
		}
		if _, err := hits.Add(sojourn.NewContext(ctx, other), 5); err != nil {
			return err
		}
		if err := other.Save(ctx); err != nil {
			return err
		}
		_, err = hits.Add(ctx, 1) // meets a conflict
		return err
	})
	b.in(func(ctx context.Context, _ *sojourn.Session) error {
		if n, err := hits.Get(ctx); n != 16 || err != nil {
			t.Errorf("the counter holds %d, expected 16; error %v", n, err)
		}
		return nil
	})
}

func mustID(t *testing.T, ctx context.Context, s *sojourn.Session) sojourn.ID {
	t.Helper()
	id, err := s.ID(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// P7: alive just before the deadline inside the seal, dead at it, whatever the
// browser does with its cookie.
func TestDeadlinesInsideTheSeal(t *testing.T) {
	for _, c := range []struct {
		what   string
		policy sojourn.Policy
		reads  int // every 20 min, to stay active
	}{
		{"idle", sojourn.Policy{Idle: 30 * time.Minute, Absolute: 12 * time.Hour}, 0},
		{"idle, after requests that only read", sojourn.Policy{Idle: 30 * time.Minute, Absolute: 12 * time.Hour}, 9},
		{"absolute", sojourn.Policy{Idle: 30 * time.Minute, Absolute: 50 * time.Minute}, 1},
	} {
		s := newSite(t, c.policy)
		b := s.browser()
		b.set("bread")
		for range c.reads {
			s.pass(20 * time.Minute)
			b.in(func(ctx context.Context, _ *sojourn.Session) error { _, err := cart.Get(ctx); return err })
			if len(b.sent) == 0 {
				t.Errorf("%s: a request that reads extends the session, but the record was not sent", c.what)
			}
		}
		s.pass(30*time.Minute - time.Millisecond)
		b.expect(c.what+", just before", active, "", "bread")
		s.pass(time.Millisecond)
		b.expect(c.what+", at the deadline", ended, sojourn.ReasonExpired, "")
		s.pass(100 * 24 * time.Hour)
		b.expect(c.what+", long after", ended, sojourn.ReasonExpired, "")
	}
}

// P8: polls do not extend.
func TestIdleMeansIdle(t *testing.T) {
	s := newSite(t, sojourn.Policy{Idle: 30 * time.Minute})
	b := s.browser()
	b.set("bread")
	for range 6 {
		s.pass(5 * time.Minute)
		b.status()
	}
	b.expect("after half an hour of polls", ended, sojourn.ReasonExpired, "")
}

// P5: parallel requests that each renew the secret leave a pair that fits,
// whichever answer is last.
func TestRotationLogsNobodyOut(t *testing.T) {
	s := newSite(t, sojourn.Policy{Idle: 3 * time.Hour, Rotate: time.Hour})
	b := s.browser()
	b.set("bread")
	for round := range 4 {
		s.pass(time.Hour + time.Minute)
		read := func(w http.ResponseWriter, r *http.Request) { cart.Get(r.Context()) }
		first, second := b.send(read), b.send(read)
		if len(first.Cookies()) != 2 || len(second.Cookies()) != 2 {
			t.Fatalf("round %d: a renewal was answered with %q and %q, expected token and record", round, first.Cookies(), second.Cookies())
		}
		if round%2 == 0 {
			first, second = second, first
		}
		b.take(first)
		b.copy().expect("between the answers", active, "", "bread")
		b.take(second)
		b.expect("after both answers", active, "", "bread")
	}
}

// Too large a session is refused while something can still be said about it.
func TestTooLarge(t *testing.T) {
	b := newSite(t, sojourn.Policy{}).browser()
	b.set("bread")
	fits, longest := 0, 0
	for size := 2000; size < 4000; size += 50 {
		var err error
		res := b.do(func(w http.ResponseWriter, r *http.Request) {
			s, _ := sojourn.From(r.Context())
			cart.Set(r.Context(), strings.Repeat("x", size))
			err = s.Save(r.Context())
		})
		if err == nil {
			fits, longest = size, len(dataCookie)+len(b.cookies[dataCookie])
			continue
		}
		if !errors.Is(err, sojourn.ErrTooLarge) || !strings.Contains(err.Error(), "browsers keep 4096") {
			t.Fatalf("with %d bytes: error %v, expected ErrTooLarge", size, err)
		}
		if len(res.Header["Set-Cookie"]) != 0 {
			t.Errorf("with %d bytes, too many, the browser was sent %q", size, res.Header["Set-Cookie"])
		}
	}
	if fits < 2600 || fits > 3000 {
		t.Errorf("%d bytes fit, the documentation says about 2700", fits)
	}
	if longest < 4096-80 { // a step is 50 bytes, a third more in base64
		t.Errorf("the longest cookie has %d bytes, browsers keep 4096", longest)
	}
	b.expect("afterwards", active, "", strings.Repeat("x", fits))
	res := b.do(func(w http.ResponseWriter, r *http.Request) {
		cart.Set(r.Context(), strings.Repeat("y", 4000))
		w.Write([]byte("done")) // the commit is at the first byte
	})
	if res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("too large at the first byte: status %d, expected 413", res.StatusCode)
	}
	b.expect("after 413", active, "", strings.Repeat("x", fits))
}

// A policy that Options.MaxAge does not allow for is reported, not cut short.
func TestPolicyBeyondMaxAge(t *testing.T) {
	s := newSite(t, sojourn.Policy{Idle: 16 * 24 * time.Hour})
	var err error
	b := s.browser()
	b.do(func(w http.ResponseWriter, r *http.Request) {
		session, _ := sojourn.From(r.Context())
		cart.Set(r.Context(), "bread")
		err = session.Save(r.Context())
	})
	if !errors.Is(err, sojourn.ErrInvalid) || !strings.Contains(err.Error(), "Options.MaxAge") || !strings.Contains(s.log.String(), "Options.MaxAge") {
		t.Errorf("error %v, log %q, expected both to name Options.MaxAge", err, s.log.String())
	}
	// The longest default policy fits.
	b = newSite(t, sojourn.Policy{}).browser()
	b.in(func(ctx context.Context, s *sojourn.Session) error {
		if err := s.Login(ctx, "ada"); err != nil {
			return err
		}
		return s.Remember(ctx, true)
	})
	b.site.pass(13 * 24 * time.Hour)
	b.expect("remembered", active, "", "")
}

// There is no session without its request.
func TestOffRequest(t *testing.T) {
	s := newSite(t, sojourn.Policy{})
	b := s.browser()
	b.login("ada")
	st, _ := b.status()
	ctx := t.Context()
	_, open := s.manager.Open(ctx, st.ID)
	_, _, create := s.manager.Create(ctx, "ada")
	_, list := s.manager.List(ctx, "ada")
	var elsewhere error
	other := s.browser()
	other.set("bread")
	other.do(func(w http.ResponseWriter, r *http.Request) {
		elsewhere = s.manager.Revoke(r.Context(), st.ID, sojourn.ReasonRevoked)
	})
	for what, err := range map[string]error{"Open": open, "Create": create, "List": list,
		"Revoke": s.manager.Revoke(ctx, st.ID, sojourn.ReasonRevoked), "Revoke in another client's request": elsewhere} {
		if !errors.Is(err, sojourn.ErrUnsupported) || errors.Is(err, sojourn.ErrUnavailable) {
			t.Errorf("%s: error %v, expected ErrUnsupported", what, err)
		}
	}
	b.expect("nothing of which", active, "", "")
	if !strings.Contains(s.log.String(), "Store.Handler") {
		t.Errorf("the log does not say what is missing: %q", s.log.String())
	}
}

// A change after the first byte cannot be sent, and is not acknowledged.
func TestChangeAfterTheFirstByte(t *testing.T) {
	s := newSite(t, sojourn.Policy{})
	b := s.browser()
	b.set("bread")
	b.do(func(w http.ResponseWriter, r *http.Request) {
		session, _ := sojourn.From(r.Context())
		cart.Set(r.Context(), "milk")
		w.Write([]byte("begun"))
		cart.Set(r.Context(), "wine")
		if err := session.Save(r.Context()); !errors.Is(err, sojourn.ErrHeadersSent) || errors.Is(err, sojourn.ErrUnavailable) {
			t.Errorf("a change after the first byte: error %v, expected ErrHeadersSent", err)
		}
	})
	b.expect("afterwards", active, "", "milk")
}
