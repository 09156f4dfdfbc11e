package sojourn

import (
	"context"
	"time"
)

// A Record is what a store keeps for one session. A store interprets nothing
// of it but the named fields; Payload is opaque.
type Record struct {
	ID      ID
	Version uint64 // chosen by the store; changes with every Create, Update and Revoke, not with Touch
	Dead    bool   // a tombstone: ended, kept until Expires so that late clients learn why
	// Cached tells that Load did not ask the source: there may be a newer one.
	// Only stores that cache set it; it is not stored.
	Cached  bool
	Expires time.Time
	Owner   string // the user, "" for nobody
	// Generation is the owner's generation this record belongs to. Create
	// stamps it; Update writes it as given.
	Generation uint64
	// OwnerGeneration is the owner's generation now. Load fills it; it is not stored.
	OwnerGeneration uint64
	// Payload is never changed in place by either side, so a store may keep and
	// return the slice it was given.
	Payload []byte
}

// A RevokedRecord tells a store which session ends and what to leave behind.
type RevokedRecord struct {
	ID     ID
	Owner  string // as in the record, so that a store finds its index without reading
	Reason Reason
	At     time.Time
	Until  time.Time // the tombstone may be swept after this
}

// Tombstone is the dead record that a store keeps in place of the live one. Its
// Version is zero: the store gives it one.
func (r RevokedRecord) Tombstone() Record {
	return Record{ID: r.ID, Dead: true, Expires: r.Until, Owner: r.Owner, Payload: encodeTombstone(r.Reason, r.At)}
}

// A Store keeps records. It needs no clock and no knowledge of sessions: the
// core decides who is expired. Times have millisecond precision.
//
// All methods are safe for parallel use and return when ctx ends. Errors other
// than those named are taken as "unavailable". Package storetest checks every
// rule below, docs/writing-a-store.md explains them.
type Store interface {
	// Load returns the live record of id with OwnerGeneration filled. It
	// returns ErrNotFound for an absent record, and ErrNotFound together with
	// the tombstone for a dead one. A store that checks what it reads (a wrapper
	// that seals) returns ErrCorrupt with as much of the record as it can.
	Load(ctx context.Context, id ID) (Record, error)

	// Create stores r if there is no record of its ID, live or dead, else it
	// returns ErrExists. It sets r.Version, r.Generation and r.OwnerGeneration;
	// the generation is the owner's at that moment, so that a RevokeOwner
	// before or after it is either seen or kills the record.
	Create(ctx context.Context, r *Record) error

	// Update replaces the record if it is live and has r.Version, and sets
	// r.Version to the new one. Otherwise it stores nothing and returns
	// ErrConflict with the current record (OwnerGeneration filled), or
	// ErrNotFound (with the tombstone, if there is one). It never creates.
	// r may be Dead: this ends the session only if nobody changed it meanwhile.
	// Payload, Expires, Dead and Generation are replaced; Owner never changes.
	// A zero Expires keeps the stored deadline, which a Touch may have moved
	// since r was loaded.
	Update(ctx context.Context, r *Record) (current Record, err error)

	// Touch moves the deadline of a live record forward to expires. It never
	// creates, never moves back, and does not change the version. Touching an
	// absent or dead record is no error.
	Touch(ctx context.Context, r *Record, expires time.Time) error

	// Revoke ends a session whatever its version, leaving its tombstone. The
	// first reason stays. Revoking an absent or dead record is no error and
	// stores nothing.
	Revoke(ctx context.Context, r RevokedRecord) error

	// List returns the IDs of the owner's records that may be live, in any
	// order; it may return some that are not. ErrUnsupported where the engine
	// has no index. The empty owner has no list: it returns none.
	List(ctx context.Context, owner string) ([]ID, error)

	// RevokeOwner raises the owner's generation by at least one and returns the
	// new one: every record of an older generation is dead from now on.
	RevokeOwner(ctx context.Context, owner string) (generation uint64, err error)
}

// A Sweeper is a store that removes expired records only when told to.
type Sweeper interface {
	// Sweep removes at most limit records, live or dead, whose Expires is
	// before the given time, and returns them. Fewer than limit means that none
	// are left. It holds no lock for longer than a bounded batch takes.
	Sweep(ctx context.Context, before time.Time, limit int) ([]Record, error)
}

// A Pinger is a store that can tell whether its engine answers.
type Pinger interface {
	Ping(ctx context.Context) error
}

// A carried store keeps each record in its client's cookie, so what a request
// stores must leave with that request's own answer: the core touches before the
// first byte, not behind it, and does not combine the commits of parallel requests.
type carried interface {
	Carried() // does nothing: having it is what counts
}

// As finds the optional interface T (Sweeper, Pinger, io.Closer, …) in a store
// or in the stores it wraps, which it reaches through their Unwrap method.
func As[T any](s Store) (T, bool) {
	for s != nil {
		if t, ok := s.(T); ok {
			return t, true
		}
		w, ok := s.(interface{ Unwrap() Store })
		if !ok {
			break
		}
		s = w.Unwrap()
	}
	var none T
	return none, false
}
