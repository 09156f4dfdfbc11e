package live

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

// Types of events that the hub itself logs. The application's begin with "app.".
const (
	typeExtended = "session.extended" // its deadline moved
	typeRotated  = "session.rotated"  // its secret was replaced; the connection stays
	typeData     = "session.data"     // readable members changed
	typeEnded    = "session.ended"    // the last event of a log
	appPrefix    = "app."
)

// An Event is one entry of a session's log. Its fields are exported for
// implementers of Backplane, who store it as JSON.
type Event struct {
	Offset uint64          `json:"-"` // set by the backplane
	Type   string          `json:"t"`
	Data   json.RawMessage `json:"d,omitempty"` // compact JSON
	// Revision is that of the data, with session.data.
	Revision uint64    `json:"r,omitempty"`
	At       time.Time `json:"a"`
	// Expires and Absolute are the new deadlines, with session.extended. On the
	// wire they are durations from the moment of sending.
	Expires  time.Time `json:"e,omitzero"`
	Absolute time.Time `json:"x,omitzero"`

	frame []byte // as sent, where that never changes
}

// weight is what an event costs a log, in bytes.
func (e *Event) weight() int { return 160 + len(e.Type) + 2*len(e.Data) } // the frame repeats the data

// encode makes the frame of an event.
func (e *Event) encode(epoch string, now time.Time) []byte {
	if e.frame != nil {
		return e.frame
	}
	b := make([]byte, 0, 64+len(e.Data))
	b = append(b, `{"id":"`...)
	b = append(b, epoch...)
	b = append(b, '.')
	b = strconv.AppendUint(b, e.Offset, 10)
	b = append(b, `","type":"`...)
	b = append(b, e.Type...)
	b = append(b, '"')
	if e.Revision != 0 {
		b = append(b, `,"rev":`...)
		b = strconv.AppendUint(b, e.Revision, 10)
	}
	switch {
	case !e.Expires.IsZero():
		b = append(b, `,"data":`...)
		b = appendDeadlines(b, e.Expires.Sub(now), e.Absolute.Sub(now))
	case len(e.Data) > 0:
		b = append(append(b, `,"data":`...), e.Data...)
	}
	return append(b, '}')
}

// appendDeadlines writes durations, never below zero: browsers' clocks are not
// to be trusted, so no time of the day is sent.
func appendDeadlines(b []byte, expires, absolute time.Duration) []byte {
	return fmt.Appendf(b, `{"expires_in_ms":%d,"absolute_in_ms":%d,"extendable":%t}`,
		max(0, expires.Milliseconds()), max(0, absolute.Milliseconds()), absolute > expires)
}

// newEvent checks and encodes an event of the application's.
func newEvent(typ string, data any, limit int, now time.Time) (Event, error) {
	if !appType(typ) {
		return Event{}, fmt.Errorf("%w: type %q, expected app. and 1 to 60 letters, digits, '.', '-' and '_'", sojourn.ErrInvalid, typ)
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return Event{}, fmt.Errorf("%w: data of %s: %w", sojourn.ErrInvalid, typ, err)
	}
	if len(raw) > limit {
		return Event{}, fmt.Errorf("%w: data of %s has %d bytes, at most %d are sent", sojourn.ErrTooLarge, typ, len(raw), limit)
	}
	return Event{Type: typ, Data: raw, At: now}, nil
}

// appType reports whether a type is one of the application's.
func appType(typ string) bool {
	rest, ok := strings.CutPrefix(typ, appPrefix)
	return ok && rest != "" && len(typ) <= 64 && strings.Trim(rest, alphabet+".") == ""
}
