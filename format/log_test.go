package format_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/format/phpformat"
	"github.com/sojournhq/sojourn/store/memstore"
)

// The ID is all that PHP asks for, so it is what must not be printed there.
func TestP6AnIDThatIsTheSecretIsNotLogged(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	keep := newShelf()
	store, err := phpformat.New(keep, memstore.New(nil), &phpformat.Options{Store: &format.Options{Logger: logger, Beside: true}})
	if err != nil {
		t.Fatal(err)
	}
	out := errors.New("kept out")
	m, err := sojourn.New(store, &sojourn.Options{Logger: logger, InsecureSkipOriginCheck: true, Guards: []func(*http.Request, *sojourn.Session) error{
		func(r *http.Request, s *sojourn.Session) error {
			if r != nil && r.URL.Path == "/refused" {
				return out
			}
			return nil
		}}})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	h := m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		s, _ := sojourn.From(ctx)
		var err error
		switch r.URL.Path {
		case "/set":
			err = sojourn.Key[string]("k").Set(ctx, "v")
		case "/login":
			err = s.Login(ctx, "ada")
		case "/renew":
			err = s.RenewNow(ctx)
		case "/logout":
			err = s.Logout(ctx)
		default:
			_, err = s.Owner(ctx)
		}
		id, _ := s.ID(ctx)
		if id != "" {
			ids = append(ids, string(id))
		}
		fmt.Fprintf(&log, "%v %+v %v\n", s, s, err)
	}))
	cookie := ""
	ask := func(path string) {
		r := httptest.NewRequest("POST", path, nil)
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if set := w.Result().Cookies(); len(set) > 0 {
			cookie = set[0].Name + "=" + set[0].Value
		}
	}
	for _, path := range []string{"/set", "/login", "/page", "/refused", "/renew", "/page"} {
		ask(path)
	}
	keep.fail = errors.New("down")
	ask("/set")
	keep.fail = nil
	ask("/logout")
	session, token, err := m.Create(context.Background(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	ids = append(ids, string(token.ID()))
	fmt.Fprintf(&log, "%v %#v %v %s\n", token, token, session, []any{token})
	keep.mu.Lock()
	for key := range keep.data { // what cannot be read
		keep.data[key], keep.expires[key] = []byte("\xff"), time.Now().Add(time.Hour)
	}
	keep.mu.Unlock()
	if _, err := m.Open(context.Background(), token.ID()); err == nil {
		t.Error("a broken record was read")
	} else {
		fmt.Fprintln(&log, err)
	}
	if len(ids) < 4 || !strings.Contains(log.String(), "session=") {
		t.Fatalf("IDs %q, log %s", ids, log.String())
	}
	for _, id := range ids {
		for line := range strings.Lines(log.String()) {
			if strings.Contains(line, id) {
				t.Errorf("%s in %s", id, line)
			}
		}
	}
}
