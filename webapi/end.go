package webapi

import (
	"net/http"

	"github.com/sojournhq/sojourn"
)

// end logs the user out: here, everywhere else, or everywhere. Ending a session
// that is gone already succeeds, as the first answer may have been lost; ending
// the others of an unknown user does not.
func (a *API) end(w http.ResponseWriter, r *http.Request, _ string) error {
	scope := "this"
	fields, err := a.fields(w, r)
	if err != nil {
		return err
	}
	if !field(fields, "scope", &scope) || scope != "this" && scope != "others" && scope != "all" {
		return problemf(codeInvalidRequest, `Expected {"scope":"this"}, "others" or "all".`)
	}
	s, st, err := a.session(w, r, activity)
	if err != nil {
		return err
	}
	if scope != "this" || st.State == sojourn.StateActive {
		if err := alive(r, st); err != nil {
			return err
		}
	}
	switch scope {
	case "others":
		if st.Owner != "" {
			err = a.manager.RevokeOthers(r.Context(), s)
		}
		if err == nil {
			w.WriteHeader(http.StatusNoContent)
		}
		return err
	case "all":
		// The others first: were this one to end and the store to fail then, the
		// user could not try again.
		if st.Owner != "" {
			if err := a.manager.RevokeOwner(r.Context(), st.Owner); err != nil {
				return err
			}
		}
	}
	return a.logout(w, r, s)
}

// logout ends the session of the request and answers 204.
func (a *API) logout(w http.ResponseWriter, r *http.Request, s *sojourn.Session) error {
	if err := s.Logout(r.Context()); err != nil {
		return err
	}
	if v := a.clearSiteData(r); v != "" {
		w.Header().Set("Clear-Site-Data", v)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// clearSiteData is the header's value, or "" over plain HTTP, where browsers
// ignore it. Behind a proxy the connection does not tell; a Secure cookie does,
// as browsers send one over HTTPS only.
func (a *API) clearSiteData(r *http.Request) string {
	if r.TLS == nil && a.rules.Cookie.Insecure {
		return ""
	}
	switch {
	case a.opt.ClearCache && a.opt.KeepStorage:
		return `"cache"`
	case a.opt.ClearCache:
		return `"cache", "storage"`
	case a.opt.KeepStorage:
		return ""
	}
	return `"storage"`
}
