package format

import (
	"context"
	"time"
)

// A Keeper holds another system's records under that system's keys. It interprets
// nothing of them. All methods are safe for parallel use and end with ctx; errors
// other than those named mean that the engine failed.
//
// Where the other system locks a record, Swap and Delete take that lock, for as
// long as they run.
type Keeper interface {
	// Read returns the bytes under key, and when they vanish by themselves: zero if
	// that is never, or not known. [sojourn.ErrNotFound] if there are none.
	Read(ctx context.Context, key string) (record []byte, expires time.Time, err error)
	// Swap replaces old by record if old is still what is stored; nil for old means
	// "nothing", nil for record removes. Else it changes nothing and returns
	// [sojourn.ErrConflict], or [sojourn.ErrNotFound] if there is nothing. A zero
	// expires leaves the deadline as it is.
	Swap(ctx context.Context, key string, old, record []byte, expires time.Time) error
	// Touch moves the deadline. It never creates; nothing to touch is no error.
	Touch(ctx context.Context, key string, expires time.Time) error
	// Delete removes what is under key, if anything.
	Delete(ctx context.Context, key string) error
}

// A Pinger is a keeper that can tell whether its engine answers.
type Pinger interface {
	Ping(ctx context.Context) error
}
