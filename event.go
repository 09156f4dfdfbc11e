package sojourn

import (
	"context"
	"log/slog"
	"strings"
	"time"
)

// A Reason says why a session ended.
type Reason string

// An EventKind names what happened.
type EventKind string

// The words of this package. Applications may use reasons of their own with
// Session.Revoke: at most 64 bytes of printable ASCII.
const (
	ReasonLogout   Reason = "logout"   // the user ended it
	ReasonRevoked  Reason = "revoked"  // ended from another device or by an administrator
	ReasonReplaced Reason = "replaced" // another user logged in over it
	ReasonMoved    Reason = "moved"    // it lives on under a new ID, given at login
	ReasonExpired  Reason = "expired"  // a deadline passed
	ReasonEvicted  Reason = "evicted"  // another login took its place: Options.OnMaxSessions
	ReasonReplayed Reason = "replayed" // a replaced secret was used: Options.OnReplay
	ReasonSuspect  Reason = "suspect"  // Options.Signals said so

	EventCreated      EventKind = "created"       // a session was stored for the first time; login moves also count
	EventRenewed      EventKind = "renewed"       // its secret changed
	EventElevated     EventKind = "elevated"      // its user authenticated again: Level
	EventExtended     EventKind = "extended"      // its idle deadline moved by Extend
	EventChanged      EventKind = "changed"       // members were written: Keys
	EventEnded        EventKind = "ended"         // Reason says why
	EventOwnerRevoked EventKind = "owner-revoked" // all sessions of Owner ended, but ID where it is given
	EventReplayed     EventKind = "replayed"      // a replaced secret was used: a stolen cookie, or a very late client
	EventBound        EventKind = "bound"         // it was tied to more than its token: Session.Bind
	EventRefused      EventKind = "refused"       // one of Options.Guards kept a request with a good token out: Err
	EventSignal       EventKind = "signal"        // the address or the user agent changed: Signals
	EventRejected     EventKind = "rejected"      // a token with the ID of a live session and a wrong secret
	EventDuplicate    EventKind = "duplicate"     // several cookies of our name: one is planted
	EventUnavailable  EventKind = "unavailable"   // the store failed: Err
	EventCorrupt      EventKind = "corrupt"       // the store found a record damaged, forged or sealed with a key it lacks: Err
)

// An Event is something that happened to a session. It never holds a token or
// the value of a member.
type Event struct {
	Kind      EventKind
	ID        ID     // "" where no session is known
	From      ID     // created at login: the ID it moved from
	Owner     string // "" for nobody
	Reason    Reason // ended
	Keys      []string
	Level     int      // created, elevated: of assurance
	Signals   []string // signal: what Options.Signals saw
	At        time.Time
	IP        string // of the request, "" outside one
	UserAgent string
	Err       error // unavailable, corrupt, refused
}

// An Observer receives every event, on a goroutine of the request that caused
// it and after the store has answered. It must return quickly and be safe for
// parallel use.
type Observer interface {
	Observe(ctx context.Context, e Event)
}

func (e *Event) attrs() []slog.Attr {
	attrs := make([]slog.Attr, 0, 6)
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	add("session", e.ID.Masked())
	add("from", e.From.Masked())
	add("owner", e.Owner)
	add("reason", string(e.Reason))
	add("signals", strings.Join(e.Signals, " "))
	add("ip", e.IP)
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	return attrs
}

// A lateEvent waits until its session is unlocked.
type lateEvent struct {
	ctx   context.Context
	event Event
	next  *lateEvent // the one before it
}

func (s *Session) postpone(ctx context.Context, e Event) {
	l := &lateEvent{ctx: ctx, event: e}
	for {
		l.next = s.late.Load()
		if s.late.CompareAndSwap(l.next, l) {
			return
		}
	}
}

// deliver tells what was postponed, oldest first.
func (s *Session) deliver() {
	var first *lateEvent
	for l := s.late.Swap(nil); l != nil; {
		l.next, first, l = first, l, l.next
	}
	for ; first != nil; first = first.next {
		s.m.tell(first.ctx, first.event)
	}
}
