package cookiestore_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// day is longer than any tombstone the core asks for.
const day = 24 * time.Hour

// P1: cookies kept from before a logout are worth nothing, now or later.
func TestLogoutIsFinal(t *testing.T) {
	s := newSite(t, sojourn.Policy{Idle: 10 * day, Absolute: 300 * day})
	b := s.browser()
	b.login("ada")
	b.set("bread")
	kept := b.copy()
	b.in(func(ctx context.Context, s *sojourn.Session) error { return s.Logout(ctx) })
	if len(b.cookies) != 0 {
		t.Errorf("after the logout the browser keeps %v", b.cookies)
	}
	b.expect("after the logout", none, "", "")
	kept.expect("kept cookies", ended, sojourn.ReasonLogout, "")
	if len(kept.sent) != 0 {
		t.Errorf("an ended session was answered with %q", kept.sent)
	}
	for range 9 {
		s.pass(day)
		if _, err := s.manager.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		kept.expect("kept cookies, days later", ended, sojourn.ReasonLogout, "")
	}
	s.pass(7 * day)
	if _, err := s.manager.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.marks.Stats().Records; n != 0 {
		t.Errorf("%d marks are left when no cookie is", n)
	}
	kept.expect("kept cookies, when the mark has gone", ended, sojourn.ReasonExpired, "")
}

// P1: a request under way during the logout brings nothing back.
func TestLogoutDuringARequest(t *testing.T) {
	s := newSite(t, sojourn.Policy{})
	b := s.browser()
	b.login("ada")
	other := b.copy()
	res := b.do(func(w http.ResponseWriter, r *http.Request) {
		if _, err := hits.Add(r.Context(), 1); err != nil {
			t.Fatal(err)
		}
		other.in(func(ctx context.Context, s *sojourn.Session) error { return s.Logout(ctx) })
		w.Write([]byte("done"))
	})
	if res.StatusCode != http.StatusUnauthorized || len(b.sent) != 0 {
		t.Errorf("a change of a session that ended meanwhile: status %d, cookies %q; expected 401 and none", res.StatusCode, b.sent)
	}
	b.expect("afterwards", ended, sojourn.ReasonLogout, "")
}

// P1: a login moves the session, and the old pair dies with it.
func TestLoginEndsTheOldPair(t *testing.T) {
	s := newSite(t, sojourn.Policy{})
	b := s.browser()
	b.set("bread")
	planted := b.copy()
	b.login("ada")
	b.expect("after the login", active, "", "bread")
	planted.expect("the pair from before", ended, sojourn.ReasonMoved, "")
	ada := b.copy()
	b.login("grace")
	b.expect("another user", active, "", "")
	ada.expect("the first user's pair", ended, sojourn.ReasonReplaced, "")
}

// P13: revoke-all ends every pair from before, and none from after.
func TestRevokeOwner(t *testing.T) {
	s := newSite(t, sojourn.Policy{Idle: 10 * day, Absolute: 300 * day})
	phone, laptop, grace := s.browser(), s.browser(), s.browser()
	phone.login("ada")
	laptop.login("ada")
	grace.login("grace")
	kept := phone.copy()
	if err := s.manager.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	for _, b := range []*browser{phone, laptop, kept} {
		b.expect("after revoke-all", ended, sojourn.ReasonRevoked, "")
	}
	grace.expect("somebody else", active, "", "")
	phone.login("ada")
	phone.set("bread")
	phone.expect("a login after revoke-all", active, "", "bread")

	// The new session lives on for months. Its generation is remembered as long,
	// and the old ones stay dead.
	for range 40 {
		s.pass(5 * day)
		if _, err := s.manager.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		phone.in(func(ctx context.Context, _ *sojourn.Session) error { _, err := cart.Get(ctx); return err })
		phone.expect("the new session, months later", active, "", "bread")
	}
	old := phone.copy()
	if err := s.manager.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	old.expect("after a second revoke-all", ended, sojourn.ReasonRevoked, "")
	kept.expect("a pair from before the first", ended, sojourn.ReasonRevoked, "")
}

// P13: all but this one; also twice, and by one of several.
func TestRevokeOthers(t *testing.T) {
	s := newSite(t, sojourn.Policy{})
	phone, laptop := s.browser(), s.browser()
	for range 3 {
		phone.login("ada")
		laptop.login("ada")
		laptop.set("bread")
		before := laptop.copy()
		laptop.in(func(ctx context.Context, session *sojourn.Session) error { return s.manager.RevokeOthers(ctx, session) })
		phone.expect("the others", ended, sojourn.ReasonRevoked, "")
		laptop.expect("this one", active, "", "bread")
		before.expect("this one's pair from before", ended, sojourn.ReasonRevoked, "")
	}
}

// P13: of logins that race revoke-all each is dead, or came after.
func TestRevokeOwnerRacesLogin(t *testing.T) {
	s := newSite(t, sojourn.Policy{})
	const owner = "ada"
	generations := map[uint64]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				g, err := s.store.RevokeOwner(t.Context(), owner)
				if err != nil {
					t.Errorf("RevokeOwner: %v", err)
				}
				mu.Lock()
				if generations[g] {
					t.Errorf("generation %d was given twice", g)
				}
				generations[g] = true
				mu.Unlock()
			}
		})
	}
	browsers := make([]*browser, 20)
	for i := range browsers {
		browsers[i] = s.browser()
		all.Go(func() { browsers[i].login(owner) })
	}
	all.Wait()
	if _, err := s.store.RevokeOwner(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	for _, b := range browsers {
		b.expect("a login before the last revoke-all", ended, sojourn.ReasonRevoked, "")
	}
}

// A store of revocations that forgets a generation ends the sessions of it.
func TestForgottenGenerationRevivesNobody(t *testing.T) {
	s := newSite(t, sojourn.Policy{})
	if err := s.manager.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	b := s.browser()
	b.login("ada")
	b.expect("before", active, "", "")
	s.pass(60 * day)
	if _, err := s.manager.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.pass(-60 * day)
	if n := s.marks.Stats().Records; n != 0 {
		t.Fatalf("%d marks are left", n)
	}
	b.expect("afterwards", ended, sojourn.ReasonRevoked, "")
}

// A session of another device is ended by its ID.
func TestRevokeByID(t *testing.T) {
	s := newSite(t, sojourn.Policy{})
	b := s.browser()
	b.login("ada")
	st, _ := b.status()
	for _, reason := range []sojourn.Reason{sojourn.ReasonRevoked, sojourn.ReasonLogout} { // the first stays
		if err := s.store.Revoke(t.Context(), sojourn.RevokedRecord{ID: st.ID, Owner: "ada", Reason: reason, At: s.now(), Until: s.now().Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	b.expect("revoked by ID", ended, sojourn.ReasonRevoked, "")
	if _, err := s.store.RevokeOwner(t.Context(), ""); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("RevokeOwner of nobody: error %v, expected ErrInvalid", err)
	}
}

// An older record of a live session can be brought back by its browser. The
// documentation says so; here is what it means.
func TestOlderRecordIsStillGood(t *testing.T) {
	s := newSite(t, sojourn.Policy{})
	b := s.browser()
	b.set("bread")
	kept := b.copy()
	b.set("milk")
	kept.expect("an older record", active, "", "bread")
	s.pass(time.Hour)
	kept.expect("an older record, past its deadline", ended, sojourn.ReasonExpired, "")
}

// A logout between the two steps of a login takes what the session held with it.
func TestLogoutDuringALogin(t *testing.T) {
	plain := newSite(t, sojourn.Policy{})
	marks := &broken{Store: plain.marks}
	s := siteOver(t, plain, marks, sojourn.Policy{})
	for range 10 { // two records could be sent: the wrong one must not be, by chance
		b := s.browser()
		b.set("bread")
		other := b.copy()
		marks.first = func() {
			other.in(func(ctx context.Context, s *sojourn.Session) error { return s.Logout(ctx) })
		}
		b.in(func(ctx context.Context, s *sojourn.Session) error {
			if err := cart.Set(ctx, "milk"); err != nil {
				return err
			}
			if err := s.Save(ctx); err != nil {
				return err
			}
			return s.Login(ctx, "ada")
		})
		b.expect("after the login", active, "", "")
		if st, _ := b.status(); st.Owner != "ada" {
			t.Errorf("the session is %q's, expected ada's", st.Owner)
		}
	}
}

// Sweeping marks away ends no session, so it is no event.
func TestSweepIsNoEvent(t *testing.T) {
	s := newSite(t, sojourn.Policy{})
	var seen events
	m, err := sojourn.New(s.store, &sojourn.Options{Clock: s.now, Observers: []sojourn.Observer{&seen}})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	before := len(seen)
	s.pass(100 * day)
	if n, err := m.Sweep(t.Context()); n != 1 || err != nil {
		t.Errorf("%d marks were swept, expected 1; error %v", n, err)
	}
	if len(seen) != before {
		t.Errorf("sweeping was observed as %v", seen[before:])
	}
}

type events []sojourn.Event

func (e *events) Observe(_ context.Context, event sojourn.Event) { *e = append(*e, event) }
