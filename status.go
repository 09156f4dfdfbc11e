package sojourn

import "time"

// A State is where a session stands.
type State string

// The states of a session.
const (
	StateNone   State = "none"   // there is none (yet)
	StateActive State = "active" // it lives
	StateEnded  State = "ended"  // it has ended: Status.Reason
)

// Status describes a session at one moment. Durations are as the server's
// clock measured them: a browser should trust them and not its own clock.
type Status struct {
	State State
	ID    ID
	Owner string
	// Reason says why an ended session ended; EndedAt when, if known.
	Reason  Reason
	EndedAt time.Time

	Now       time.Time // the server's clock when this was made
	Created   time.Time
	AuthTime  time.Time // last login or Elevate; zero for nobody
	Level     int       // assurance of that, as it counts now: see Session.Elevate; 0 for nobody
	LastSeen  time.Time // exact to the touch step
	Revision  uint64    // counts commits that changed members
	IP        string    // of the last counted request
	UserAgent string
	Label     string // given by the user to this device
	Current   bool   // in a list: the session that asked
	Bound     bool   // to more than its token: see Session.Bind

	Idle              time.Duration // the idle timeout
	IdleRemaining     time.Duration // until it expires if nothing happens; never more than AbsoluteRemaining
	AbsoluteRemaining time.Duration // until it expires whatever happens
	Persistent        bool          // its cookie outlives the browser
}

// Extendable reports whether activity can still move the deadline.
func (s Status) Extendable() bool {
	return s.State == StateActive && s.AbsoluteRemaining > s.IdleRemaining
}

func (s *Session) status() Status {
	st := Status{State: s.state, ID: s.base.ID, Owner: s.base.Owner, Now: s.m.now()}
	if s.state == StateEnded {
		st.Reason, st.EndedAt = s.ended.why, s.ended.at
	}
	if s.state == StateNone {
		st.ID, st.Owner = "", ""
	}
	if s.state != StateActive {
		return st
	}
	h := &s.draft.head
	p := s.m.policyOf(h)
	now := st.Now.UnixMilli()
	expires := s.base.Expires.UnixMilli()
	if s.birth != nil {
		st.ID, st.Owner = s.birth.token.id, s.birth.owner
		expires = now + p.Idle.Milliseconds()
	}
	expires = min(expires, h.absolute) // the policy may just have changed
	ms := func(v int64) time.Duration { return time.Duration(max(v, 0)) * time.Millisecond }
	seen := h.seen
	if touched := expires - p.Idle.Milliseconds(); touched > seen && touched <= now {
		seen = touched
	}
	if h.created != 0 { // else the form of another system does not tell
		st.Created = time.UnixMilli(h.created)
	}
	if seen != 0 {
		st.LastSeen = time.UnixMilli(seen)
	}
	if h.auth != 0 {
		st.AuthTime, st.Level = time.UnixMilli(h.auth), h.assurance(now)
	}
	about := h.about()
	st.Revision, st.Idle, st.Persistent = about.rev, p.Idle, p.CookieLifetime > 0
	st.IdleRemaining, st.AbsoluteRemaining = ms(expires-now), ms(h.absolute-now)
	st.IP, st.UserAgent, st.Label = string(about.ip), string(about.userAgent), string(about.label)
	st.Current, st.Bound = s.req != nil, h.has(flagBound)
	return st
}

// ActivityCounts tells whether something that the user did that long ago moves
// the deadline now. It must be later than what moved it last, and, as an
// extension counts from now on, not so old that the session would live
// noticeably longer than Idle after it: a tenth of Idle, the lag at which
// deadlines are kept anyway, or 30 s where that is more, for pages that report at
// intervals.
func (s Status) ActivityCounts(ago time.Duration) bool {
	window := max(s.Idle/10, min(30*time.Second, s.Idle/2))
	return ago < s.Idle-s.IdleRemaining && ago <= window
}
