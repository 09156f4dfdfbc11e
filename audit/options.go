package audit

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/sojournhq/sojourn"
)

// Options shape a Log or a Webhook. The zero value is ready for use.
type Options struct {
	// Kinds are the events to record. Default: all but the two that everyday use is
	// full of, changed and extended.
	Kinds []sojourn.EventKind
	// Actor tells from the context of a request who is acting, where that may be
	// somebody else than the session's owner, such as an administrator. It is called
	// within the request and must be quick. Default: nobody is named.
	Actor func(context.Context) string
	// Queue is how many records may wait. Raise it if "dropped" shows under bursts;
	// each takes about 1 KiB at most. Default 4096.
	Queue int
	// CloseTimeout bounds how long Close waits for what is in the queue. Default 5 s.
	CloseTimeout time.Duration
	// Logger receives what an operator should see: that records cannot be written or
	// delivered. Default: silence.
	Logger *slog.Logger
	// Clock tells the time of what has none. Default time.Now.
	Clock func() time.Time
}

var everyday = map[sojourn.EventKind]bool{sojourn.EventChanged: true, sojourn.EventExtended: true}

func (o *Options) settle() (*Options, error) {
	s := Options{}
	if o != nil {
		s = *o
	}
	switch {
	case s.Queue < 0:
		return nil, fmt.Errorf("%w: Options.Queue is %d, expected at least 1, or 0 for 4096", sojourn.ErrInvalid, s.Queue)
	case s.CloseTimeout < 0:
		return nil, fmt.Errorf("%w: Options.CloseTimeout is %v, expected above zero, or 0 for 5s", sojourn.ErrInvalid, s.CloseTimeout)
	}
	if s.Queue == 0 {
		s.Queue = 4096
	}
	if s.CloseTimeout == 0 {
		s.CloseTimeout = 5 * time.Second
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Clock == nil {
		s.Clock = time.Now
	}
	s.Kinds = append([]sojourn.EventKind(nil), s.Kinds...)
	return &s, nil
}

func (o *Options) wants(kind sojourn.EventKind) bool {
	if len(o.Kinds) == 0 {
		return !everyday[kind]
	}
	for _, k := range o.Kinds {
		if k == kind {
			return true
		}
	}
	return false
}
