package live

import (
	"context"
	"time"

	"github.com/sojournhq/sojourn"
)

// A Backplane keeps the event logs of sessions and carries what is added to
// them to every node that follows the session. Nodes that share one serve the
// same pages: none of them is special and nothing is sticky.
//
// A log is born by Open or Watch, has an epoch from NewEpoch, numbers its events
// from 1 without a gap, keeps them within its Retention, and dies with End or
// when nobody has opened, watched or read it for as long as it keeps events. All
// methods are safe for parallel use. An error means that the outcome is unknown.
type Backplane interface {
	// Start is called once, by the Hub, before anything else.
	Start(health Health) error
	// Open returns the newest position of a session's log, making one if there
	// is none, and gives it these tags. It returns an *Ended for a session whose
	// end it remembers.
	Open(ctx context.Context, id sojourn.ID, tags []string) (Position, error)
	// Append adds an event to the logs of these sessions; one without a log is
	// passed over.
	Append(ctx context.Context, ids []sojourn.ID, e Event) error
	// Read returns what came after a position. It opens no log.
	Read(ctx context.Context, id sojourn.ID, after Position) (Page, error)
	// End adds the last event to a session's log, if there is one, and drops the
	// log. For as long as keep says, Open and Watch return an *Ended with reason.
	End(ctx context.Context, id sojourn.ID, e Event, reason sojourn.Reason, keep time.Duration) error
	// Tagged returns the sessions whose logs have a tag.
	Tagged(ctx context.Context, tag string) ([]sojourn.ID, error)

	// Watch is Open, and from the returned position on each event is delivered
	// to f, in order, until stop is called. While a session is watched by any
	// node its log lives and it counts as present.
	Watch(ctx context.Context, id sojourn.ID, tags []string, f Follower) (p Position, stop func(), err error)
	// Present returns the sessions with a tag that are watched, or were a moment
	// ago.
	Present(ctx context.Context, tag string) ([]sojourn.ID, error)
	// Known reports whether a session may have a log. It costs no I/O; a
	// backplane that cannot tell without says true.
	Known(id sojourn.ID) bool
}

// A Page is a part of a log.
type Page struct {
	Events   []Event // after the position asked for, oldest first
	Position Position
	// Recovered is false if events between the position asked for and Position
	// are lost or unknown; Events is empty then.
	Recovered bool
}

// A Follower receives events, one call at a time. It does not block.
type Follower interface {
	// Deliver gives the next event of the log.
	Deliver(epoch string, e Event)
	// Moved says that events before this position are lost, or that the log began
	// anew; what is delivered next comes after it.
	Moved(to Position)
}

// Health is how a Backplane tells the Hub of itself.
type Health interface {
	// Lost: from now on events may fail to arrive.
	Lost()
	// Restored: they arrive again, and followers have been given what they missed
	// meanwhile, or will be before anything newer.
	Restored()
}
