package movestore

import (
	"bytes"
	"context"
	"errors"

	"github.com/sojournhq/sojourn"
)

// A kind is how far a session has come, as one of the stores tells.
type kind int

const (
	absent   kind = iota
	ended         // a tombstone
	live          // an ordinary record
	moving        // in the old store: nobody may change it any more; it holds the session
	arriving      // in the new store: a copy that does not count yet
	gone          // in the old store: the session is in the new one
)

// A marked payload begins with bytes that no payload of package sojourn begins
// with, whose first byte is a small version number. A program that knows only
// one of the stores refuses to read it, rather than taking the session for one
// that has ended.
const (
	mark = "\xff\x00sojourn/movestore\x00"

	markMoving   = mark + "1" // the session's payload follows
	markArriving = mark + "2" // the session's payload follows
	markGone     = mark + "3"
)

func kindOf(r *sojourn.Record) kind {
	switch {
	case r.ID == "":
		return absent
	case r.Dead:
		return ended
	case len(r.Payload) <= len(mark) || string(r.Payload[:len(mark)]) != mark:
		return live
	}
	switch r.Payload[len(mark)] {
	case markMoving[len(mark)]:
		return moving
	case markArriving[len(mark)]:
		return arriving
	}
	return gone
}

// marked puts a mark before a payload.
func marked(with string, payload []byte) []byte {
	return append([]byte(with), payload...)
}

// unmarked is the session's own payload.
func unmarked(r *sojourn.Record) []byte {
	if k := kindOf(r); k != moving && k != arriving {
		return r.Payload
	}
	return bytes.Clone(r.Payload[len(markMoving):])
}

// A sight is what a look at one store showed.
type sight struct {
	sojourn.Record
	kind kind
}

// look loads a record; that it is absent or has ended is no error.
func look(ctx context.Context, s sojourn.Store, id sojourn.ID) (sight, error) {
	r, err := s.Load(ctx, id)
	if err != nil && !errors.Is(err, sojourn.ErrNotFound) {
		return sight{}, err
	}
	if err != nil && !r.Dead {
		return sight{}, nil
	}
	return sight{r, kindOf(&r)}, nil
}

// outdated reports that a RevokeOwner has reached the record.
func (s *sight) outdated() bool { return s.Owner != "" && s.Generation < s.OwnerGeneration }

// A Standing is what is left to do for a record of the old store.
type Standing int

const (
	Waiting Standing = iota // to be carried
	Carried                 // the new store has it
	Ended                   // it has ended: nothing to carry
)

// StandingOf tells how far a record of the old store, as its Scan returned it
// with OwnerGeneration filled, has come. It knows no clock: one that has expired
// is Waiting.
func StandingOf(r *sojourn.Record) Standing {
	s := sight{*r, kindOf(r)}
	switch {
	case s.kind == ended || s.kind == absent:
		return Ended
	case s.kind == gone:
		return Carried
	case s.outdated():
		return Ended
	}
	return Waiting
}
