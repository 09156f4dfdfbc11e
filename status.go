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

	Idle              time.Duration // the idle timeout
	IdleRemaining     time.Duration // until it expires if nothing happens; never more than AbsoluteRemaining
	AbsoluteRemaining time.Duration // until it expires whatever happens
	Persistent        bool          // its cookie outlives the browser
}

// Extendable reports whether activity can still move the deadline.
func (s Status) Extendable() bool {
	return s.State == StateActive && s.AbsoluteRemaining > s.IdleRemaining
}
