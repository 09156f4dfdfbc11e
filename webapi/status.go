package webapi

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn"
)

// statusBody is the state of a session on the wire. Durations count from the
// moment of the answer: a browser's clock is not to be trusted.
type statusBody struct {
	State  sojourn.State  `json:"state"`
	Handle string         `json:"h,omitempty"`
	User   string         `json:"u,omitempty"`
	Reason sojourn.Reason `json:"reason,omitempty"`
	*lifeBody
	*liveBody
}

// liveBody is how to connect, where Options.Live is set.
type liveBody struct {
	Cursor     string   `json:"cursor,omitempty"`
	Transports []string `json:"transports"`
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
	a.writeStatus(w, r, st)
	return nil
}

func (a *API) writeStatus(w http.ResponseWriter, r *http.Request, st sojourn.Status) {
	if st.State == sojourn.StateActive {
		w.Header().Set(headerHandle, handle(st.ID))
	}
	b := a.statusOf(st)
	if a.opt.Live != nil && st.State == sojourn.StateActive {
		cursor, err := a.opt.Live.Cursor(r, st)
		if err != nil { // the session lives all the same: a page connects without, and is told that it may have missed something
			a.rules.Logger.WarnContext(r.Context(), "webapi: status without a cursor", "error", err)
		}
		b.liveBody = &liveBody{cursor, a.opt.Live.Transports()}
	}
	writeJSON(w, http.StatusOK, "application/json", b)
}

// liveStatus is the status as the live connection sends it.
func (a *API) liveStatus(st sojourn.Status) json.RawMessage {
	raw, err := json.Marshal(a.statusOf(st))
	if err != nil {
		return json.RawMessage(`null`)
	}
	return raw
}

func (a *API) statusOf(st sojourn.Status) statusBody {
	b := statusBody{State: st.State, Handle: handle(st.ID)}
	switch st.State {
	case sojourn.StateActive:
		b.User = userHandle(st.Owner)
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
	return b
}

// millis rounds down and never below zero: a page must not believe that a
// session lasts longer than it does.
func millis(d time.Duration) int64 { return max(0, d.Milliseconds()) }
