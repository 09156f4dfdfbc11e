package live

import (
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn"
)

// Errors of the methods that answer requests. Nothing has been written when one
// is returned.
var (
	// ErrTooMany: the session has as many connections as it may have.
	ErrTooMany = errors.New("live: too many connections of this session")
	// ErrBusy: this server has no room, or is draining. Another one may have.
	ErrBusy = errors.New("live: this server takes no more connections")
	// ErrRejected: the application's handler took no message of this type, or
	// there is none.
	ErrRejected = errors.New("live: message not accepted")
)

// Ended is the error of a request whose session does not live. It is an
// sojourn.ErrNotFound.
type Ended struct {
	State  sojourn.State  // ended or none
	Reason sojourn.Reason // of ended
}

func (e *Ended) Error() string { return fmt.Sprintf("live: session %s: %s", e.State, e.Reason) }

// Unwrap makes it an sojourn.ErrNotFound.
func (e *Ended) Unwrap() error { return sojourn.ErrNotFound }
