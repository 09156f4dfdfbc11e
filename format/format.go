package format

import (
	"net/http"
	"time"
)

// A Format is how one system writes its sessions down. It does no I/O and is safe
// for parallel use. Package formattest checks one.
type Format interface {
	// Describe tells what does not depend on a session.
	Describe() Description

	// NewID draws an ID as the other system does, of at least 128 random bits.
	NewID() string
	// Key is where a keeper holds the record of an ID.
	Key(id string) string

	// Decode reads a record, with limits on its size and depth: [sojourn.ErrCorrupt]
	// if the other system could not read it or would refuse it for good. It aliases
	// nothing of what it is given. Expiry is not its affair.
	Decode(record []byte) (*Document, error)
	// Encode applies changes to a record and leaves every other byte of the members
	// as it is; nil stands for one that does not exist yet. What an Edit says of a
	// new record also holds for a copy of another, which gets a new ID. [sojourn.ErrUnsupported],
	// naming key and type, for what the other system cannot hold.
	Encode(record []byte, e *Edit) ([]byte, error)
	// Check is Encode's opinion of one member, before there is a record. A nil value
	// asks about the key only.
	Check(key string, value []byte) error

	// ReadCookies tells what a request's cookies say; it never fails, Presented.Reason
	// tells. Of several cookies of one name the first counts, as for most systems.
	ReadCookies(r *http.Request, now time.Time) Presented
	// WriteCookies returns values for Set-Cookie.
	WriteCookies(o *Outgoing) ([]string, error)
}

// A Description is what a format promises of all its sessions.
type Description struct {
	Name   string // as in "sojourn format decode --format NAME"
	System string // for people: "express-session"
	Cookie string // name of the cookie

	InCookie bool // the cookie is the record: Presented.Record, and no keeper
	Inner    bool // the deadline inside the record counts: extending it writes the record
	Slides   bool // use extends the session, as the other system does it
	Rolling  bool // every answer renews the cookie's lifetime
	Resigns  bool // a cookie signed with an old secret is signed anew at once

	Life       time.Duration // of a new session: after each use or write
	CookieLife time.Duration // of a new session's cookie; zero: as long as the browser
	Slack      time.Duration // by how much a record outlives its session in the keeper

	// Warning says when the other system overwrites what is written here, "" if it
	// does not.
	Warning string
}

// A Document is a record, read.
type Document struct {
	Members []Member // in order, without those of the other system's own
	Owner   string   // the user, "" for nobody
	// Expires is the deadline inside the record, zero if there is none. Unless
	// Description.Inner, the keeper's is the one that counts.
	Expires time.Time
	// Life is how far a use or a write moves the deadline; zero: as described.
	Life time.Duration
	// CookieLife is the cookie's; zero: as long as the browser.
	CookieLife time.Duration
	// Unending: it has no deadline, nor has what a keeper holds.
	Unending bool
}

// A Member is one value of a session. Value is JSON that the format turns back
// into the same value: what JSON cannot say is marked in a way of the format's.
type Member struct {
	Key   string
	Value []byte
}

// An Edit is what becomes of a record.
type Edit struct {
	Set     []Member // in order; those that are new go to the end
	Delete  []string
	Owner   string    // of a new record; "" leaves it as it is
	Now     time.Time // for what is written down of the time
	Expires time.Time // the new deadline; zero: as it is
}

// Presented is what the cookies of a request say.
type Presented struct {
	ID      string // of the session, "" if they name none that is vouched for
	Record  []byte // InCookie: the record
	Expires time.Time
	Secret  int    // which secret fits, from 0; -1 for none
	Count   int    // cookies of that name
	Reason  string // why there is no ID: a Word, and more for people
}

// Outgoing is what an answer's cookies should say.
type Outgoing struct {
	ID      string
	Record  []byte        // InCookie: the record
	Drop    bool          // the client should forget the session
	Life    time.Duration // zero: as long as the browser
	Expires time.Time     // the session's deadline
	Now     time.Time
}
