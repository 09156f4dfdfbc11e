package main

import (
	"crypto/subtle"
	"errors"
	"net/http"

	"github.com/sojournhq/sojourn"
)

type account struct{ sessions *sojourn.Manager }

// A form does what it says with the session and leads back to the page.
type form func(r *http.Request, s *sojourn.Session) error

func (do form) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s, err := sojourn.From(r.Context())
	if err == nil {
		err = do(r, s)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// show is the page: who is logged in, how sure we are, and the forms.
func (a account) show(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	s, err := sojourn.From(ctx)
	if err != nil {
		a.sessions.Error(w, r, err)
		return
	}
	st, err := s.Status(ctx)
	if err != nil {
		a.sessions.Error(w, r, err)
		return
	}
	view := struct {
		sojourn.Status
		Sent int64
		CSRF string
		Ask  bool
	}{Status: st, Ask: r.FormValue("ask") == "code"}
	if st.Owner != "" {
		if view.Sent, err = sent.Get(ctx); err == nil {
			view.CSRF, err = s.CSRFToken(ctx)
		}
	}
	if err != nil {
		a.sessions.Error(w, r, err)
		return
	}
	page.Execute(w, view)
}

func (a account) login(r *http.Request, s *sojourn.Session) error {
	if !same(r.FormValue("password"), "sesame") {
		return errors.New("wrong password")
	}
	return s.Login(r.Context(), r.FormValue("user"))
}

// code takes the second factor. The session's secret changes with it, so that a
// cookie copied before is worth nothing.
func (a account) code(r *http.Request, s *sojourn.Session) error {
	if !same(r.FormValue("code"), "123456") {
		return errors.New("wrong code")
	}
	return s.Elevate(r.Context(), level)
}

func (a account) send(r *http.Request, _ *sojourn.Session) error {
	_, err := sent.Add(r.Context(), 1)
	return err
}

func (a account) logout(r *http.Request, s *sojourn.Session) error { return s.Logout(r.Context()) }

// same stands for a real check: a password hash, a one-time code.
func same(got, want string) bool {
	return subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}
