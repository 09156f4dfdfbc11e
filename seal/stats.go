package seal

import (
	"errors"
	"sync/atomic"
)

// Stats counts what a Store met since it was made.
type Stats struct {
	// Keys is what was done with each key: Ring.Keys.
	Keys []KeyUse
	// UnknownKey, Forged and Unsealed count records that did not open, a record
	// once for each time it was read.
	UnknownKey, Forged, Unsealed uint64
}

type failures struct{ unknown, forged, unsealed atomic.Uint64 }

func (f *failures) count(err error) {
	switch {
	case err == nil:
	case errors.Is(err, ErrUnknownKey):
		f.unknown.Add(1)
	case errors.Is(err, ErrForged):
		f.forged.Add(1)
	case errors.Is(err, ErrUnsealed):
		f.unsealed.Add(1)
	}
}

// Stats returns the counts so far.
func (s *Store) Stats() Stats {
	return Stats{s.ring.Keys(), s.unknown.Load(), s.forged.Load(), s.unsealed.Load()}
}
