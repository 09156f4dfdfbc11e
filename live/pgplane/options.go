package pgplane

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// Options are the settings of a [Plane]. The zero value is right for most.
type Options struct {
	// Retention bounds the log of a session. Its Bytes may be exceeded by up to
	// sixteen events. All processes should agree.
	Retention live.Retention
	// Conns is how many connections there are at most, besides the one that
	// listens. Default 4.
	Conns int
	// Probe is how often this node tests that notifications reach it; one that
	// takes longer than twice that is lost. Default 1 s.
	Probe time.Duration
	// NoMigrate leaves the tables alone: Open then fails if they are missing.
	// Default false: Open creates them.
	NoMigrate bool
	// Logger receives what an operator should see: notifications that do not
	// arrive, and when they do again. Default: silence.
	Logger *slog.Logger
}

func (o *Options) settled() (Options, error) {
	var s Options
	if o != nil {
		s = *o
	}
	s.Retention = s.Retention.OrDefault()
	if s.Retention.Events < 1 || s.Retention.Bytes < 1<<10 || s.Retention.For < time.Second {
		return s, fmt.Errorf("%w: Options.Retention is %+v: expected at least 1 event, 1 KiB and 1 s", sojourn.ErrInvalid, s.Retention)
	}
	if s.Conns = cmp.Or(s.Conns, 4); s.Conns < 1 || s.Conns > 1000 {
		return s, fmt.Errorf("%w: Options.Conns is %d: expected 1 to 1,000", sojourn.ErrInvalid, s.Conns)
	}
	if s.Probe = cmp.Or(s.Probe, time.Second); s.Probe < 10*time.Millisecond || s.Probe > time.Minute {
		return s, fmt.Errorf("%w: Options.Probe is %v: expected 10 ms to 1 min", sojourn.ErrInvalid, s.Probe)
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s, nil
}
