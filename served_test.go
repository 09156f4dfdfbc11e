package sojourn_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
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
	log    *complaints
	shut   func() // waits for handlers; the test's end calls it too
}

// complaints are what net/http writes to its log.
type complaints struct {
	mu   sync.Mutex
	text []byte
}

func (c *complaints) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.text = append(c.text, b...)
	return len(b), nil
}

// complained ends the server, so that its log is complete.
func (s *served) complained() string {
	s.shut()
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return string(s.log.text)
}

func serveOver(t *testing.T, h http.HandlerFunc) *served {
	t.Helper()
	s := &served{site: newSite(t, &sojourn.Options{Cookie: sojourn.Cookie{Insecure: true}}), log: new(complaints)}
	srv := httptest.NewUnstartedServer(s.m.Handler(h))
	srv.Config.ErrorLog = log.New(s.log, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	s.url, s.client, s.shut = srv.URL, srv.Client(), srv.Close
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
