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
	if cause == "user" || reportCounts(st, ago) {
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

// reportCounts tells whether an activity that long ago moves the deadline. It
// must be later than what moved it last, and, as an extension counts from now
// on, not so old that the session would live noticeably longer than Idle after
// it: a tenth of Idle, the lag at which deadlines are kept anyway, or 30 s where
// that is more, for pages that report at intervals.
func reportCounts(st sojourn.Status, ago float64) bool {
	sinceMoved := st.Idle - st.IdleRemaining
	window := max(st.Idle/10, min(30*time.Second, st.Idle/2))
	return ago < float64(sinceMoved.Milliseconds()) && ago <= float64(window.Milliseconds())
}
