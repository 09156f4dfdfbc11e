package live

import (
	"context"
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
)

// Options shape a Hub. The zero value serves one process.
type Options struct {
	// Backplane joins several processes. It remains the caller's to close,
	// after Drain. Default: one in this process.
	Backplane Backplane
	// Retention bounds the log of a session in this process, which is also the
	// longest queue a connection may have. A backplane has one of its own.
	Retention Retention
	// OnMessage receives what pages send: types that begin with "app.". ctx
	// carries the session of the page, loaded for this message, so that typed
	// keys work; what was changed is saved if it returns without error. It never
	// extends the session. The reply becomes the data of the acknowledgement.
	// Messages of one connection come one at a time. A page that had no
	// acknowledgement may send a message again, with the same ID. Default:
	// messages are refused.
	OnMessage func(ctx context.Context, m Message) (reply any, err error)
	// Topics names what a session follows besides itself and its user; asked
	// when it connects. Default none.
	Topics func(ctx context.Context, st sojourn.Status) []string
	// NoValues leaves the values of changed members out of events: pages are told
	// the names, and fetch them. Set it where what sessions hold must not be kept
	// by the backplane, as where a store is sealed. Default false: values of up to
	// 2 KiB are sent along.
	NoValues bool
	// OnPresence is told when the first connection of a session to this process
	// opens, and when it has had none for 10 s. It must not block. Default none.
	OnPresence func(p Presence)

	// MaxPerSession bounds the connections of one session to this process; more
	// are refused. Default 32.
	MaxPerSession int
	// MaxConnections bounds all connections to this process. Default 50,000.
	MaxConnections int
	// MaxMessage bounds one message in either direction, in bytes. Default 64 KiB.
	MaxMessage int
	// Ping is how often a silent connection is given a sign of life. Default
	// 25 s, less than the 60 s after which proxies give up.
	Ping time.Duration
	// MaxAge ends a connection after this long ± 20 %, so that it is made anew,
	// with all checks, perhaps elsewhere. Default 30 min.
	MaxAge time.Duration
	// Recheck bounds how late the end of a session is noticed if no event told
	// of it: connected sessions are read again this often. Default 30 s.
	Recheck time.Duration
	// DrainOver is the time over which Drain spreads the reconnects. Default 5 s.
	DrainOver time.Duration
}

const (
	linger      = 10 * time.Second // how long a session stays present without a connection: reloads, polls
	writeWithin = 10 * time.Second // one write, else the connection is given up
	connecting  = 64               // at once
	enterWithin = 2 * time.Second  // wait for a place among them
	perSecond   = 1000             // pages that come back after this process has died
	minSpread   = time.Second      // over which they do
	readWithin  = 2 * time.Second  // the log, before a page is sent to another node
	pongWithin  = 15 * time.Second // beyond two pings
	forgetAfter = 10 * time.Minute // the reason of an ended session
	maxWait     = 25 * time.Second // of a poll
)

func (o *Options) settle() error {
	o.Retention = o.Retention.OrDefault()
	ints := []struct {
		v            *int
		name         string
		def, low, up int
	}{
		{&o.Retention.Events, "Retention.Events", 256, 1, 1 << 16},
		{&o.Retention.Bytes, "Retention.Bytes", 256 << 10, 1 << 10, 64 << 20},
		{&o.MaxPerSession, "MaxPerSession", 32, 1, 1 << 16},
		{&o.MaxConnections, "MaxConnections", 50_000, 1, 10_000_000},
		{&o.MaxMessage, "MaxMessage", 64 << 10, 128, 1 << 20},
	}
	for _, i := range ints {
		if *i.v == 0 {
			*i.v = i.def
		}
		if *i.v < i.low || *i.v > i.up {
			return fmt.Errorf("%w: Options.%s is %d, expected %d to %d", sojourn.ErrInvalid, i.name, *i.v, i.low, i.up)
		}
	}
	durations := []struct {
		v            *time.Duration
		name         string
		def, low, up time.Duration
	}{
		{&o.Retention.For, "Retention.For", 5 * time.Minute, time.Second, 24 * time.Hour},
		{&o.Ping, "Ping", 25 * time.Second, time.Second, time.Hour},
		{&o.MaxAge, "MaxAge", 30 * time.Minute, 10 * time.Second, 24 * time.Hour},
		{&o.Recheck, "Recheck", 30 * time.Second, time.Second, time.Hour},
		{&o.DrainOver, "DrainOver", 5 * time.Second, time.Millisecond, time.Hour},
	}
	for _, d := range durations {
		if *d.v == 0 {
			*d.v = d.def
		}
		if *d.v < d.low || *d.v > d.up {
			return fmt.Errorf("%w: Options.%s is %v, expected %v to %v", sojourn.ErrInvalid, d.name, *d.v, d.low, d.up)
		}
	}
	if need := 2*o.MaxMessage + 1<<10; o.Retention.Bytes < need {
		return fmt.Errorf("%w: Options.Retention.Bytes is %d, expected at least %d, so that a message of MaxMessage fits", sojourn.ErrInvalid, o.Retention.Bytes, need)
	}
	return nil
}
