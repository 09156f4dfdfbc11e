package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/sojournhq/sojourn"
)

type account struct{ sessions *sojourn.Manager }

func (a account) login(r *http.Request, s *sojourn.Session) error {
	if r.FormValue("password") != "sesame" { // your own check goes here
		return errors.New("wrong password")
	}
	if err := s.Login(r.Context(), r.FormValue("user")); err != nil {
		return err
	}
	return s.Remember(r.Context(), r.FormValue("remember") != "")
}

func (a account) logout(r *http.Request, s *sojourn.Session) error {
	return s.Logout(r.Context())
}

// devices are the sessions of whoever is logged in; nobody has none.
func (a account) devices(ctx context.Context) ([]sojourn.Status, error) {
	s, err := sojourn.From(ctx)
	if err != nil {
		return nil, err
	}
	user, err := s.Owner(ctx)
	if err != nil {
		return nil, err
	}
	return a.sessions.List(ctx, user)
}

func (a account) revoke(r *http.Request, s *sojourn.Session) error {
	devices, err := a.devices(r.Context())
	if err != nil {
		return err
	}
	for _, d := range devices { // nobody may end a session of somebody else
		if string(d.ID) == r.FormValue("id") {
			return a.sessions.Revoke(r.Context(), d.ID, sojourn.ReasonRevoked)
		}
	}
	return errors.New("no such device")
}

func (a account) revokeOthers(r *http.Request, s *sojourn.Session) error {
	return a.sessions.RevokeOthers(r.Context(), s)
}
