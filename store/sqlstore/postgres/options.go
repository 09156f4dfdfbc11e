package postgres

import (
	"fmt"

	"github.com/sojournhq/sojourn"
)

// Options are the settings of a [Store]. The zero value is right for most.
type Options struct {
	// Conns is how many connections to the server there are at most; operations
	// beyond wait for one. Default 16, or pool_max_conns of the URL. All processes
	// together must stay below the server's max_connections. More than four for
	// each of the server's processors rarely helps.
	Conns int

	// NoMigrate leaves the tables alone: Open then fails if they are missing or of
	// another version. Default false: Open creates them or brings them up to date.
	// Set it where an administrator does that, with what `sojourn schema postgres`
	// prints.
	NoMigrate bool

	// Notify has Revoke, RevokeOwner and updates that end a session tell so to
	// those who listen by [Store.Watch], in the same round trip (NOTIFY). Default
	// false: nobody is told, and Watch is refused with ErrUnsupported. Set it in
	// all processes, where near caches should drop at once what has ended.
	//
	// The price: PostgreSQL commits transactions that notify one at a time, across
	// all databases of the server, and each waits for its disk meanwhile; so no
	// more sessions can be ended in a second than the disk syncs. Nothing else
	// waits. And each role that may connect to the database can listen, and so
	// learn IDs of sessions and owners that are ended, though no token.
	Notify bool
}

const defaultConns = 16

func (o *Options) settled() (Options, error) {
	s := Options{}
	if o != nil {
		s = *o
	}
	if s.Conns < 0 || s.Conns > 10_000 {
		return s, fmt.Errorf("%w: options: %d connections: expected 1 to 10,000, or 0 for the default", sojourn.ErrInvalid, s.Conns)
	}
	return s, nil
}
