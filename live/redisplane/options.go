package redisplane

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// Options are the settings of a [Plane]. The zero value is right for most.
type Options struct {
	// Prefix begins every key and channel: at most 64 bytes, without braces.
	// Default what the URL says, else "sojourn:". All processes of one
	// application must agree.
	Prefix string
	// Retention bounds the log of a session. All processes should agree.
	Retention live.Retention
	// Probe is how often this node tests that messages reach it; one that takes
	// longer than twice that is lost. Default 1 s. Shorten it where a wedged
	// connection must be noticed sooner.
	Probe time.Duration
	// TLS is used by the rediss… URLs. Default the system's roots, TLS 1.2.
	TLS *tls.Config
	// Logger receives what an operator should see: messages that do not arrive,
	// and when they do again. Default: silence.
	Logger *slog.Logger
}

const maxPrefix = 64

func (o *Options) settled(prefix string) (Options, error) {
	var s Options
	if o != nil {
		s = *o
	}
	s.Prefix = cmp.Or(s.Prefix, prefix, "sojourn:")
	if len(s.Prefix) > maxPrefix || strings.ContainsAny(s.Prefix, "{}") {
		return s, fmt.Errorf("%w: prefix %q: expected at most %d bytes and no braces, which would choose the Cluster slot", sojourn.ErrInvalid, s.Prefix, maxPrefix)
	}
	s.Retention = s.Retention.OrDefault()
	if s.Retention.Events < 1 || s.Retention.Bytes < 1<<10 || s.Retention.For < time.Second {
		return s, fmt.Errorf("%w: Options.Retention is %+v: expected at least 1 event, 1 KiB and 1 s", sojourn.ErrInvalid, s.Retention)
	}
	if s.Probe = cmp.Or(s.Probe, time.Second); s.Probe < 10*time.Millisecond || s.Probe > time.Minute {
		return s, fmt.Errorf("%w: Options.Probe is %v: expected 10 ms to 1 min", sojourn.ErrInvalid, s.Probe)
	}
	if s.TLS == nil {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s, nil
}
