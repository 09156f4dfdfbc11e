package webapi

import (
	"net/http"
	"time"

	"github.com/sojournhq/sojourn"
)

// extend moves the idle deadline. The request itself is no activity: only what
// it reports is.
func (a *API) extend(w http.ResponseWriter, r *http.Request, _ string) error {
	s, err := sojourn.From(r.Context())
	if err != nil {
		return err
	}
	s.Passive()
	st, err := s.Status(r.Context())
	if err != nil {
		return err
	}
	if err := alive(r, st); err != nil {
		return err
	}
	cause, ago := "user", 0.0 // by a button; "activity": the user did something else, that many ms ago
	fields, err := a.fields(w, r)
	if err != nil {
		return err
	}
	if !field(fields, "cause", &cause) || !field(fields, "active_ms_ago", &ago) || cause != "user" && cause != "activity" || ago < 0 {
		return problemf(codeInvalidRequest, `Expected {"cause":"user"} or {"cause":"activity","active_ms_ago":n}, n at least 0.`)
	}
	if cause == "user" || st.ActivityCounts(milliseconds(ago)) {
		if err := s.Extend(r.Context()); err != nil {
			return err
		}
		if st, err = s.Status(r.Context()); err != nil {
			return err
		}
	}
	a.writeStatus(w, r, st)
	return nil
}

// milliseconds is a number of a request as a duration: at most a century, which
// counts for nothing anyway.
func milliseconds(n float64) time.Duration {
	return time.Duration(min(n, 100*365*24*3600*1000) * float64(time.Millisecond))
}
