package webapi

import (
	"net/http"
	"time"

	"github.com/sojournhq/sojourn"
)

// statusBody is the state of a session on the wire. Durations count from the
// moment of the answer: a browser's clock is not to be trusted.
type statusBody struct {
	State  sojourn.State  `json:"state"`
	Handle string         `json:"h,omitempty"`
	Reason sojourn.Reason `json:"reason,omitempty"`
	*lifeBody
}

// lifeBody is what only a living session has.
type lifeBody struct {
	Revision   uint64 `json:"rev"`
	Expires    int64  `json:"expires_in_ms"`
	Idle       int64  `json:"idle_ms"`
	Absolute   int64  `json:"absolute_in_ms"`
	Warn       int64  `json:"warn_ms"`
	Extendable bool   `json:"extendable"`
}

// status never extends the session and never fails for the lack of one, so that
// pages can ask as often as they like.
func (a *API) status(w http.ResponseWriter, r *http.Request, _ string) error {
	s, err := sojourn.From(r.Context())
	if err != nil {
		return err
	}
	s.Passive() // whatever X-Session-Activity says
	st, err := s.Status(r.Context())
	if err != nil {
		return err
	}
	a.writeStatus(w, st)
	return nil
}

func (a *API) writeStatus(w http.ResponseWriter, st sojourn.Status) {
	b := statusBody{State: st.State, Handle: handle(st.ID)}
	switch st.State {
	case sojourn.StateActive:
		w.Header().Set(headerHandle, b.Handle)
		b.lifeBody = &lifeBody{
			Revision:   st.Revision,
			Expires:    millis(st.IdleRemaining),
			Idle:       millis(st.Idle),
			Absolute:   millis(st.AbsoluteRemaining),
			Warn:       millis(min(a.opt.WarnBefore, st.Idle/2)),
			Extendable: st.Extendable(),
		}
	case sojourn.StateEnded:
		b.Reason = st.Reason
	default:
		b = statusBody{State: sojourn.StateNone}
	}
	writeJSON(w, http.StatusOK, "application/json", b)
}

// millis rounds down and never below zero: a page must not believe that a
// session lasts longer than it does.
func millis(d time.Duration) int64 { return max(0, d.Milliseconds()) }
