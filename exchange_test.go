package sojourn_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

// A shape changes a request before it is sent.
type shape func(*http.Request)

func header(name string, values ...string) shape {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

func cookies(lines ...string) shape { return header("Cookie", lines...) }

func from(remoteAddr string) shape { return func(r *http.Request) { r.RemoteAddr = remoteAddr } }

// exchange serves one request as it is, without a jar.
func (s *site) exchange(method, target string, shapes ...shape) answer {
	return exchange(s.h, method, target, shapes...)
}

func exchange(h http.Handler, method, target string, shapes ...shape) answer {
	r := httptest.NewRequest(method, target, nil)
	for _, f := range shapes {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{code: w.Code, body: strings.TrimSpace(w.Body.String()), header: w.Result().Header}
}

// begun stores a session with the member k = v and returns its token.
func (s *site) begun() (sojourn.ID, string) {
	s.t.Helper()
	session, token, err := s.m.Create(s.t.Context(), "")
	if err != nil {
		s.t.Fatal(err)
	}
	ctx := sojourn.NewContext(s.t.Context(), session)
	if err := sojourn.Key[string]("k").Set(ctx, "v"); err != nil {
		s.t.Fatal(err)
	}
	if err := session.Save(ctx); err != nil {
		s.t.Fatal(err)
	}
	return token.ID(), token.Reveal()
}

// settingsError is what New says to these options, "" if it takes them.
func settingsError(t *testing.T, opt sojourn.Options) string {
	t.Helper()
	_, err := sojourn.New(newMapStore(), &opt)
	if err == nil {
		return ""
	}
	return err.Error()
}
