package redisstore

import (
	"crypto/tls"
	"log/slog"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/internal/redisurl"
)

// Options are the settings of a [Store]. The zero value is right for most.
type Options struct {
	// Prefix begins every key: at most 64 bytes, without braces. Default what
	// the URL says, else "sojourn:". Change it when several applications share
	// one server; all processes of one application must agree.
	Prefix string
	// Linger is how long a record stays after its deadline, so that late clients
	// learn that their session expired. Default 10 min; negative: not at all.
	Linger time.Duration
	// ReplicaWait is how long whatever ends sessions waits for one replica to
	// have it, where every primary has a replica (the command WAIT). It returns
	// as soon as one does, and is no error if none does. Default 50 ms;
	// negative: no waiting. Raise it when replicas are far away.
	ReplicaWait time.Duration
	// Replay is how long this process remembers what it ended, at most the
	// latest 16,384, to end it again on a primary that came up without it, after
	// a failover. Default 5 min; negative: no replay. Raise it when failovers
	// take longer.
	Replay time.Duration
	// MaxRecord is the largest payload in bytes, more is ErrTooLarge. Default
	// 1 MiB. The server answers nobody else while it copies a large value.
	MaxRecord int
	// TLS is used by the rediss… URLs. Default the system's roots, TLS 1.2.
	TLS *tls.Config
	// Logger receives what an operator should see: a server that may forget
	// revocations, failovers, replays. Default: silence.
	Logger *slog.Logger
}

const maxPrefix = 64

// settled is Options with every default filled in.
func (o *Options) settled(t redisurl.Target) (Options, error) {
	var s Options
	if o != nil {
		s = *o
	}
	if s.Prefix == "" {
		s.Prefix = t.Prefix
	}
	if s.Prefix == "" {
		s.Prefix = "sojourn:"
	}
	if len(s.Prefix) > maxPrefix || strings.ContainsAny(s.Prefix, "{}") {
		return s, invalid("prefix %q: expected at most %d bytes and no braces, which would choose the Cluster slot", s.Prefix, maxPrefix)
	}
	duration := func(d *time.Duration, unset time.Duration) {
		switch {
		case *d == 0:
			*d = unset
		case *d < 0:
			*d = 0
		}
	}
	duration(&s.Linger, 10*time.Minute)
	duration(&s.ReplicaWait, 50*time.Millisecond)
	duration(&s.Replay, 5*time.Minute)
	if s.MaxRecord < 0 || s.MaxRecord > 256<<20 {
		return s, invalid("Options.MaxRecord is %d: expected 1 byte to 256 MiB", s.MaxRecord)
	}
	if s.MaxRecord == 0 {
		s.MaxRecord = 1 << 20
	}
	if s.TLS == nil {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s, nil
}
