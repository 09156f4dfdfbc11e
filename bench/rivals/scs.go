package rivals

import (
	"net/http"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
)

type scsSite struct{ sessions *scs.SessionManager }

func openSCS() (Site, error) {
	sessions := scs.New()
	// The default store's goroutine, which runs once a minute, would keep the
	// sessions of a finished measurement in memory.
	sessions.Store = memstore.NewWithCleanupInterval(0)
	return scsSite{sessions}, nil
}

func (s scsSite) Wrap(next http.Handler) http.Handler { return s.sessions.LoadAndSave(next) }

func (s scsSite) SetName(_ http.ResponseWriter, r *http.Request, name string) error {
	s.sessions.Put(r.Context(), "name", name)
	return nil
}

func (s scsSite) Name(r *http.Request) (string, error) {
	return s.sessions.GetString(r.Context(), "name"), nil
}

func (s scsSite) Hit(_ http.ResponseWriter, r *http.Request) (int64, error) {
	n := s.sessions.GetInt64(r.Context(), "hits") + 1
	s.sessions.Put(r.Context(), "hits", n)
	return n, nil
}
