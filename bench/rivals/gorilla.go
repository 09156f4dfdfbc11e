package rivals

import (
	"crypto/rand"
	"net/http"

	"github.com/gorilla/sessions"
)

type gorillaSite struct{ store sessions.Store }

func openGorilla() (Site, error) {
	key := make([]byte, 32) // signed, not encrypted: the common case
	rand.Read(key)
	return gorillaSite{sessions.NewCookieStore(key)}, nil
}

// Wrap adds nothing: the handlers ask for the session themselves.
func (s gorillaSite) Wrap(next http.Handler) http.Handler { return next }

func (s gorillaSite) SetName(w http.ResponseWriter, r *http.Request, name string) error {
	session, err := s.store.Get(r, "session")
	if err != nil {
		return err
	}
	session.Values["name"] = name
	return session.Save(r, w)
}

func (s gorillaSite) Name(r *http.Request) (string, error) {
	session, err := s.store.Get(r, "session")
	if err != nil {
		return "", err
	}
	name, _ := session.Values["name"].(string)
	return name, nil
}

func (s gorillaSite) Hit(w http.ResponseWriter, r *http.Request) (int64, error) {
	session, err := s.store.Get(r, "session")
	if err != nil {
		return 0, err
	}
	n, _ := session.Values["hits"].(int64)
	n++
	session.Values["hits"] = n
	return n, session.Save(r, w)
}
