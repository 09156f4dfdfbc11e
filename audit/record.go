package audit

import (
	"context"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

// A Record is an event as it is written. Empty fields are left out, but for V,
// Time, Event, Stream and Seq.
type Record struct {
	// V is the version of this form, 1. Fields may be added within a version.
	V int `json:"v"`
	// Time is when it happened, RFC 3339 in UTC with milliseconds.
	Time string `json:"time"`
	// Event is what happened: a sojourn.EventKind, or "dropped".
	Event string `json:"event"`
	// Session is the session's ID; From the one that it had before a login. IDs of
	// other systems' sessions are masked: see sojourn.ID.
	Session string `json:"session,omitempty"`
	From    string `json:"from,omitempty"`
	// Owner is whose session it is. Actor is who did it, where Options.Actor tells.
	Owner string `json:"owner,omitempty"`
	Actor string `json:"actor,omitempty"`
	// Reason is why a session ended.
	Reason string `json:"reason,omitempty"`
	// Keys names the members that were written.
	Keys []string `json:"keys,omitempty"`
	// Level is of assurance, at a login and an elevation.
	Level int `json:"level,omitempty"`
	// Signals are what made a request suspicious.
	Signals []string `json:"signals,omitempty"`
	// IP and UserAgent are the request's.
	IP        string `json:"ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	// Error is why a store failed, a record could not be read, or a guard refused.
	Error string `json:"error,omitempty"`
	// Count is how many records were lost, of the event "dropped".
	Count uint64 `json:"count,omitempty"`
	// Stream is chosen at random when the log is opened; Seq counts within it from
	// 1 without gaps, also what was dropped.
	Stream string `json:"stream"`
	Seq    uint64 `json:"seq"`
}

const (
	eventDropped = "dropped"
	textLimit    = 512 // bytes of one field
	keysLimit    = 64
	timeFormat   = "2006-01-02T15:04:05.000Z07:00"
)

func (o *Options) record(ctx context.Context, e sojourn.Event) Record {
	r := o.blank(string(e.Kind), e.At)
	r.Session, r.From, r.Owner = clip(e.ID.Masked()), clip(e.From.Masked()), clip(e.Owner)
	r.Reason, r.IP, r.UserAgent = clip(string(e.Reason)), clip(e.IP), clip(e.UserAgent)
	for _, k := range e.Keys[:min(len(e.Keys), keysLimit)] {
		r.Keys = append(r.Keys, clip(k))
	}
	r.Level = e.Level
	for _, sign := range e.Signals[:min(len(e.Signals), keysLimit)] {
		r.Signals = append(r.Signals, clip(sign))
	}
	if e.Err != nil {
		r.Error = clip(e.Err.Error())
	}
	if o.Actor != nil {
		r.Actor = clip(o.Actor(ctx))
	}
	return r
}

func (o *Options) blank(event string, at time.Time) Record {
	if at.IsZero() {
		at = o.Clock()
	}
	return Record{V: 1, Time: at.UTC().Format(timeFormat), Event: event}
}

// clip bounds a text: clients choose some of them. What is no UTF-8 in a short one
// is replaced on encoding.
func clip(s string) string {
	if len(s) <= textLimit {
		return s
	}
	return strings.ToValidUTF8(s[:textLimit], "") + "…"
}
