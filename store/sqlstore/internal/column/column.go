// Package column says what the columns of every SQL engine can hold.
package column

import (
	"fmt"

	"github.com/sojournhq/sojourn"
)

// The longest values, in bytes.
const (
	MaxID    = 128
	MaxOwner = 255
)

// The values of state.
const (
	Live = 0
	Dead = 1
)

// State is the state of a record.
func State(dead bool) int64 {
	if dead {
		return Dead
	}
	return Live
}

// HoldsID reports whether there can be a record of that ID.
func HoldsID(id sojourn.ID) bool { return id != "" && len(id) <= MaxID }

// CheckRecord refuses a record whose ID or owner is too long.
func CheckRecord(r *sojourn.Record) error {
	if !HoldsID(r.ID) {
		return fmt.Errorf("%w: id of %d bytes: expected 1 to %d", sojourn.ErrInvalid, len(r.ID), MaxID)
	}
	if len(r.Owner) > MaxOwner {
		return fmt.Errorf("%w: owner of %d bytes: expected at most %d", sojourn.ErrInvalid, len(r.Owner), MaxOwner)
	}
	return nil
}

// HoldsOwner reports whether there can be a user of that name.
func HoldsOwner(owner string) bool { return owner != "" && len(owner) <= MaxOwner }

// CheckOwner refuses a name that no user can have.
func CheckOwner(owner string) error {
	if !HoldsOwner(owner) {
		return fmt.Errorf("%w: owner of %d bytes: expected 1 to %d", sojourn.ErrInvalid, len(owner), MaxOwner)
	}
	return nil
}

// Payload never is nil, which database drivers would store as NULL.
func Payload(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
