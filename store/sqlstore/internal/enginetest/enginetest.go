// Package enginetest checks what the stores on database servers promise beyond
// the contract: round trips, and what becomes of them when the server or the
// network fails.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// A Server is a database server that can be killed and started again.
type Server interface {
	Kill()
	Start()
}

// An Engine is a store on a server of its own kind.
type Engine struct {
	Server Server
	Addr   string // of the server
	// Open opens a store that reaches the server at addr, directly or through a
	// proxy, with at most that many connections. It ends with the test.
	Open func(t testing.TB, addr string, conns int) Store
}

// A Store is what every such store is.
type Store interface {
	sojourn.Store
	sojourn.Sweeper
	sojourn.Pinger
	Scan(ctx context.Context, after sojourn.ID, limit int) ([]sojourn.Record, error)
	Close() error
}

func in(d time.Duration) time.Time {
	return time.UnixMilli(time.Now().Add(d).UnixMilli()).UTC()
}

func unique(prefix string) string { return fmt.Sprintf("%s-%016x", prefix, rand.Uint64()) }

func newRecord(owner string) sojourn.Record {
	return sojourn.Record{ID: sojourn.ID(unique("session")), Owner: owner, Expires: in(time.Hour), Payload: []byte("payload")}
}

func create(t testing.TB, s sojourn.Store, owner string) sojourn.Record {
	t.Helper()
	r := newRecord(owner)
	if err := s.Create(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func revocation(r sojourn.Record) sojourn.RevokedRecord {
	return sojourn.RevokedRecord{ID: r.ID, Owner: r.Owner, Reason: sojourn.ReasonLogout, At: in(0), Until: in(time.Minute)}
}

// verdict reports whether err states a fact about a record.
func verdict(err error) bool {
	for _, fact := range []error{sojourn.ErrNotFound, sojourn.ErrConflict, sojourn.ErrExists, sojourn.ErrUnsupported, sojourn.ErrTooLarge, sojourn.ErrInvalid} {
		if errors.Is(err, fact) {
			return true
		}
	}
	return false
}
