package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sojournhq/sojourn"
)

// ErrClosed is what operations return after [Store.Close].
var ErrClosed = errors.New("store is closed")

// settleAttempts bounds how often an operation is run again. Each time another
// one has got its way, so more than two is rare.
const settleAttempts = 8

// settle runs an operation, again where the server says that it has undone it
// because of another one. What may have happened is never repeated here.
func (s *Store) settle(ctx context.Context, run func() error) error {
	for attempt := 1; ; attempt++ {
		err := run()
		if !undone(err) || attempt == settleAttempts || ctx.Err() != nil {
			return err
		}
	}
}

func undone(err error) bool {
	switch code(err) {
	case "40001", // serialization_failure: a role whose default is REPEATABLE READ
		"40P01": // deadlock_detected
		return true
	}
	return false
}

// code is the SQLSTATE of a server's error, "" for others.
func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// wrap adds the package, the operation and, where the server's own words do not
// say it, what an operator can do. A nil error stays nil.
func (s *Store) wrap(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sojourn.ErrNotFound), errors.Is(err, sojourn.ErrConflict), errors.Is(err, sojourn.ErrExists):
	case s.closed.Load():
		err = ErrClosed
	default:
		err = explain(err)
	}
	return fmt.Errorf("postgres: %s: %w", op, err)
}

var advice = map[string]string{
	"28P01": "wrong user or password",
	"28000": "the server refuses this user, host or database (pg_hba.conf)",
	"3D000": "there is no such database: create it, or name another in the URL",
	"42501": "the user lacks a privilege: docs/stores-sql.md lists those that are needed",
	"42P01": "a table is missing or not in the search_path: `sojourn schema postgres` prints how to create it",
	"42703": "a table has other columns than expected: `sojourn schema postgres` prints how it is created",
	"25006": "the server is read-only: expected the primary (with several hosts, target_session_attrs=read-write)",
	"53300": "the server has no connection left: raise its max_connections, or lower Options.Conns",
	"53100": "the server's disk is full",
	"53200": "the server is out of memory",
	"57P01": "the server is shutting down",
	"57P02": "the server has crashed and restarts",
	"57P03": "the server is starting or shutting down",
	"57014": "the server cancelled the statement (statement_timeout, or somebody did)",
}

// explain adds what to do about an error whose own words do not say it.
func explain(err error) error {
	if text, ok := advice[code(err)]; ok {
		return fmt.Errorf("%s: %w", text, err)
	}
	var network *net.OpError
	if errors.As(err, &network) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the server cannot be reached: %w", err)
	}
	return err
}
