package sojourn_test

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sojournhq/sojourn"
)

var (
	keyK = sojourn.Key[string]("k")
	keyL = sojourn.Key[string]("late")
)

// served runs one handler behind the middleware of a real server.
type served struct {
	*site
	url    string
	client *http.Client
	log    *bytes.Buffer // what net/http complains about
}

func serveOver(t *testing.T, h http.HandlerFunc) *served {
	t.Helper()
	s := &served{site: newSite(t, &sojourn.Options{Cookie: sojourn.Cookie{Insecure: true}}), log: new(bytes.Buffer)}
	srv := httptest.NewUnstartedServer(s.m.Handler(h))
	srv.Config.ErrorLog = log.New(s.log, "", 0)
	srv.Start()
	t.Cleanup(srv.Close) // waits for handlers
	s.url, s.client = srv.URL, srv.Client()
	return s
}

func (s *served) do(method string, shapes ...shape) (answer, error) {
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url, nil)
	if err != nil {
		return answer{}, err
	}
	for _, f := range shapes {
		f(r)
	}
	res, err := s.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{code: res.StatusCode, body: string(body), header: res.Header}, err
}

func (s *served) must(method string, shapes ...shape) answer {
	s.t.Helper()
	a, err := s.do(method, shapes...)
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// stored is how many records the store holds.
func (s *site) stored() int {
	m := s.store.Store.(*mapStore)
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.recs)
}

func (s *site) wantCookie(a answer) {
	s.t.Helper()
	if a.header.Get("Set-Cookie") == "" || s.stored() != 1 {
		s.t.Errorf("Set-Cookie %q, %d records; expected one of each", a.header.Get("Set-Cookie"), s.stored())
	}
}
