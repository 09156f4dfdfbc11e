// Package foreign is where the core and package format meet, which know nothing
// of each other's insides: how sessions of other systems are named in cookies,
// and how a record of theirs becomes a payload of ours.
package foreign

import (
	"context"
	"net/http"
	"time"
)

// A Carrier is a store that names its sessions to clients in its own way. The
// core asks it instead of reading and writing a cookie with a token:
//
//	Attach ─▶ Present ─▶ (load, judge, handler, commit) ─▶ Send
type Carrier interface {
	// Attach returns the context for all store calls of a request.
	Attach(r *http.Request) context.Context
	// Present returns the ID of the session that the request's cookies name and
	// vouch for, "" for none, and how many cookies of that name there are.
	Present(r *http.Request) (id string, cookies int)
	// Send adds the lines of Set-Cookie that an answer needs, if any.
	Send(r *http.Request, h http.Header, a Answer)

	// NewID draws an ID that nobody can guess.
	NewID() string
	// Reveal is the text by which a client presents a session, "" where that
	// depends on what it holds. Whoever has it has the session.
	Reveal(id string) string
	// Parse is the reverse: ok only if the text vouches for the ID.
	Parse(text string) (id string, ok bool)

	// Check refuses a member that the other system could not hold. A nil value
	// asks about the name only.
	Check(key string, value []byte) error
	// Lifetimes are those of a new session and its cookie; zero for a cookie
	// that ends with the browser.
	Lifetimes() (session, cookie time.Duration)
	// InCookie: the cookie is the record, not its name.
	InCookie() bool
	// Beside: there are records of our own beside the other system's.
	Beside() bool
}

// An Answer is what the core knows of a session when its answer begins.
type Answer struct {
	ID      string // of the live session, "" for none
	Issued  bool   // the ID is new to the client
	Changed bool   // this request has written the record
	Drop    bool   // the client should forget its session
	Expires time.Time
	Life    time.Duration // of the cookie; zero: as long as the browser
}

// A Member is one member of a session, its value raw JSON.
type Member struct {
	Key   string
	Value []byte
}

// A Head is what the other system says of a session besides its members.
type Head struct {
	Revision uint64 // of the data: differs if the data do
	Idle     time.Duration
	Cookie   time.Duration // zero: as long as the browser
}

// The core sets these. Payloads alias nothing of what they are made of.
var (
	// Compose makes a payload. What h does not say comes from base, a payload
	// without members; nil stands for a session of which nothing else is known,
	// and which has no absolute deadline.
	Compose func(base []byte, h Head, members []Member) ([]byte, error)
	// Split takes a payload apart: a payload without members, and the members.
	Split func(payload []byte) (base []byte, members []Member, err error)
)

type keptKey struct{}

// Keep marks a context in which one session of a user outlives the others.
func Keep(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, keptKey{}, id)
}

// Kept is the ID of that session, "" for none.
func Kept(ctx context.Context) string {
	id, _ := ctx.Value(keptKey{}).(string)
	return id
}

type originKey struct{}

// From marks a context in which a session moves to a new ID.
func From(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, originKey{}, id)
}

// Origin is the ID it moves from, "" for none.
func Origin(ctx context.Context) string {
	id, _ := ctx.Value(originKey{}).(string)
	return id
}
