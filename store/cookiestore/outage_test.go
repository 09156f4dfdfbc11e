package cookiestore_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/sojournhq/sojourn"
)

// P9: while revocations cannot be asked for, nobody gets in, and nobody is
// logged out.
func TestOutageOfRevocations(t *testing.T) {
	healthy := newSite(t, sojourn.Policy{})
	marks := &broken{Store: healthy.marks}
	s := siteOver(t, healthy, marks, sojourn.Policy{})
	b, visitor := s.browser(), s.browser()
	b.set("bread")
	b.login("ada")
	visitor.set("bread")
	marks.err = errors.New("connection refused")
	for what, f := range map[string]func(ctx context.Context, s *sojourn.Session) error{
		"a read":   func(ctx context.Context, _ *sojourn.Session) error { _, err := cart.Get(ctx); return err },
		"a write":  func(ctx context.Context, _ *sojourn.Session) error { return cart.Set(ctx, "milk") },
		"a logout": func(ctx context.Context, s *sojourn.Session) error { return s.Logout(ctx) },
	} {
		res := b.do(func(w http.ResponseWriter, r *http.Request) {
			session, _ := sojourn.From(r.Context())
			if err := f(r.Context(), session); !errors.Is(err, sojourn.ErrUnavailable) {
				t.Errorf("%s: error %v, expected ErrUnavailable", what, err)
			}
		})
		if res.StatusCode != http.StatusServiceUnavailable || len(b.sent) != 0 {
			t.Errorf("%s: status %d, cookies %q; expected 503 and none", what, res.StatusCode, b.sent)
		}
	}

	// A login fails half-way: the new record is sealed, the old one's end is not
	// stored.
	marks.err = nil
	res := visitor.do(func(w http.ResponseWriter, r *http.Request) {
		session, _ := sojourn.From(r.Context())
		if _, err := cart.Get(r.Context()); err != nil {
			t.Fatal(err)
		}
		if err := session.Login(r.Context(), "ada"); err != nil {
			t.Fatal(err)
		}
		marks.marking = errors.New("connection refused")
	})
	if res.StatusCode != http.StatusServiceUnavailable || len(visitor.sent) != 0 {
		t.Errorf("a login that failed half-way: status %d, cookies %q; expected 503 and none", res.StatusCode, visitor.sent)
	}

	marks.marking = nil
	b.expect("once revocations answer", active, "", "bread")
	visitor.expect("after the login that failed", active, "", "bread")
	visitor.login("grace")
	visitor.expect("after another", active, "", "bread")
	if err := s.store.Ping(t.Context()); err != nil {
		t.Errorf("Ping: %v", err)
	}
}
