package seal

import (
	"fmt"

	"github.com/sojournhq/sojourn"
)

// Why a record does not open. Each is a [sojourn.ErrCorrupt], which the core takes
// for "no session" and reports with [sojourn.EventCorrupt].
var (
	// ErrUnknownKey: the ring lacks the key it was sealed with. Most often a key
	// file was not given to every machine, or an old key was removed too early.
	ErrUnknownKey = fmt.Errorf("%w: sealed with a key that the ring does not hold", sojourn.ErrCorrupt)
	// ErrForged: it was changed, cut, or belongs to another session, owner or place.
	ErrForged = fmt.Errorf("%w: the seal is broken", sojourn.ErrCorrupt)
	// ErrUnsealed: it was stored without a seal.
	ErrUnsealed = fmt.Errorf("%w: not sealed", sojourn.ErrCorrupt)
)
