package sqlstore

import (
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
)

// Options are the settings of a [Store]. The zero value is right for one
// machine.
type Options struct {
	// Readers is how many reads run at the same time. Default 4. More helps only
	// with more processors; each keeps up to 8 MiB of pages in memory.
	Readers int

	// BusyTimeout is how long a write waits while another process writes.
	// Default 5 s. Lower it where an early error is better than a slow answer.
	BusyTimeout time.Duration
}

func (o *Options) settled() (Options, error) {
	s := Options{}
	if o != nil {
		s = *o
	}
	if s.Readers < 0 || s.BusyTimeout < 0 {
		return s, fmt.Errorf("%w: options: expected no negative value", sojourn.ErrInvalid)
	}
	if s.Readers == 0 {
		s.Readers = 4
	}
	if s.BusyTimeout == 0 {
		s.BusyTimeout = 5 * time.Second
	}
	return s, nil
}
