package formattest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// There asks the other application: the answer's body, which must be 200, and the
// cookies it sets.
func There(t *testing.T, method, url, cookie, body string) (text string, cookies []*http.Cookie) {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Cookie", cookie)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s: %s: %s, %v", url, resp.Status, all, err)
	}
	return string(all), resp.Cookies()
}

// Here runs f in a request to an application of ours, which must end well, and
// returns the cookies it sets.
func Here(t *testing.T, store sojourn.Store, cookie string, f func(ctx context.Context, s *sojourn.Session) error) []*http.Cookie {
	t.Helper()
	m, err := sojourn.New(store, &sojourn.Options{InsecureSkipOriginCheck: true, LoadTimeout: 5 * time.Second, CommitTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Cookie", cookie)
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
	m.Close() // waits for what follows the answer
	if w.Code != 200 {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	return w.Result().Cookies()
}

// Owner is for Here: it fails unless that user is logged in, "" for nobody.
func Owner(want string) func(context.Context, *sojourn.Session) error {
	return func(ctx context.Context, s *sojourn.Session) error {
		got, err := s.Owner(ctx)
		if err == nil && got != want {
			err = sojourn.ErrNotFound
		}
		return err
	}
}

// Pairs is what a client sends after it was sent these cookies.
func Pairs(cookies []*http.Cookie) string {
	all := make([]string, len(cookies))
	for i, c := range cookies {
		all[i] = c.Name + "=" + c.Value
	}
	return strings.Join(all, "; ")
}
