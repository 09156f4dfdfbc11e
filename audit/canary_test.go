package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/audit"
	"github.com/sojournhq/sojourn/store/memstore"
)

// No token reaches either kind of audit, whatever happens to sessions.
func TestP6NoTokenInTheAudit(t *testing.T) {
	var line sink
	kinds := []sojourn.EventKind{sojourn.EventCreated, sojourn.EventRenewed, sojourn.EventExtended, sojourn.EventChanged, sojourn.EventEnded,
		sojourn.EventOwnerRevoked, sojourn.EventReplayed, sojourn.EventRejected}
	l := open(t, &line, &audit.Options{Kinds: kinds})
	rc, srv := serve(t, nil)
	var posted bytes.Buffer
	var mu sync.Mutex
	rc.answer = func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		fmt.Fprint(&posted, r.Header)
		mu.Unlock()
		return true
	}
	w := hook(t, srv, audit.WebhookOptions{Options: audit.Options{Kinds: kinds}})
	tokens := exercise(t, l, w)
	if err := errors.Join(l.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	for _, r := range rc.accepted() {
		fmt.Fprintf(&posted, "%+v", r)
	}
	seen := map[string]bool{}
	list, _ := line.records(t)
	for _, r := range list {
		seen[r.Event] = true
		if r.Event == "ended" && (r.IP == "" || r.UserAgent == "") && r.Reason == "logout" {
			t.Errorf("a logout without its where from: %+v", r)
		}
	}
	for _, k := range []string{"created", "changed", "ended", "rejected", "owner-revoked"} {
		if !seen[k] {
			t.Errorf("nothing of %s: %v", k, seen)
		}
	}
	for _, token := range tokens {
		for _, text := range []string{line.text(), posted.String()} {
			if strings.Contains(text, token[30:]) || strings.Contains(text, "hidden-value") {
				t.Error("a token or a value shows")
			}
		}
	}
	if len(tokens) < 2 || !strings.Contains(line.text(), tokens[0][:28]) {
		t.Error("the test saw nothing")
	}
}

// exercise lets a visitor log in, write, try a wrong secret, log out, and be revoked.
func exercise(t *testing.T, observers ...sojourn.Observer) (tokens []string) {
	m, err := sojourn.New(memstore.New(nil), &sojourn.Options{Observers: observers})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	cookie := ""
	do := func(f func(context.Context, *sojourn.Session) error) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", cookie)
		r.Header.Set("User-Agent", "test/1")
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
			if _, token, _ := strings.Cut(cookie, "="); len(token) == 56 {
				tokens = append(tokens, token)
			}
		}
	}
	set := func(ctx context.Context, _ *sojourn.Session) error {
		return sojourn.Key[string]("k").Set(ctx, "hidden-value")
	}
	login := func(ctx context.Context, s *sojourn.Session) error { return s.Login(ctx, "ada") }
	do(set)
	do(login)
	do(func(ctx context.Context, s *sojourn.Session) error { return s.Extend(ctx) })
	good := cookie
	cookie = cookie[:len(cookie)-4] + "AAAA"
	do(func(ctx context.Context, s *sojourn.Session) error { _, err := s.Owner(ctx); return err })
	cookie = good
	do(func(ctx context.Context, s *sojourn.Session) error { return s.RenewNow(ctx) })
	do(func(ctx context.Context, s *sojourn.Session) error { return s.Logout(ctx) })
	cookie = ""
	do(login)
	if err := m.RevokeOwner(t.Context(), "ada"); err != nil {
		t.Error(err)
	}
	return tokens
}
