package mysql

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/sojournhq/sojourn"
)

// ErrClosed is what operations return after [Store.Close].
var ErrClosed = errors.New("store is closed")

// Errors of the server that are more than a text to us.
const (
	erDupEntry     = 1062
	erLockDeadlock = 1213 // on Galera also: the cluster did not accept the transaction
	erCheckRead    = 1020 // MariaDB: the row has changed since the transaction began

	erTooManyStatements = 1461 // max_prepared_stmt_count, of the whole server
)

// settleAttempts bounds how often an operation is run again. Each time another
// one has got its way, so more than two is rare.
const settleAttempts = 8

// settle runs an operation, again where the server says that it has undone it
// because of another one. What may have happened is never repeated here.
func settle(ctx context.Context, run func() error) error {
	for attempt := 1; ; attempt++ {
		err := run()
		if n := number(err); n != erLockDeadlock && n != erCheckRead || attempt == settleAttempts || ctx.Err() != nil {
			return err
		}
	}
}

// number is that of a server's error, 0 for others.
func number(err error) uint16 {
	var e *driver.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
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
	return fmt.Errorf("mysql: %s: %w", op, err)
}

var advice = map[uint16]string{
	1021: "the server's disk is full",
	1114: "the server's disk is full, or the table has reached its largest size",
	1040: "the server has no connection left: raise its max_connections, or lower Options.Conns",
	1203: "the user has no connection left: raise max_user_connections, or lower Options.Conns",
	1226: "the user has reached a limit",
	1044: "the user may not use this database",
	1045: "wrong user or password, or the server refuses this host",
	1698: "wrong user or password, or the server refuses this host",
	1049: "there is no such database: create it, or name another in the URL",
	1142: "the user lacks a privilege: docs/stores-sql.md lists those that are needed",
	1143: "the user lacks a privilege: docs/stores-sql.md lists those that are needed",
	1146: "a table is missing: `sojourn schema mysql` prints how to create it",
	1054: "a table has other columns than expected: `sojourn schema mysql` prints how it is created",
	1053: "the server is shutting down",
	1205: "another transaction held a lock for too long",
	1290: readOnly, 1792: readOnly, 1836: readOnly,
	1665: "binlog_format is STATEMENT: expected ROW or MIXED",
}

const readOnly = "the server is read-only: expected the primary"

// explain adds what to do about an error whose own words do not say it.
func explain(err error) error {
	if text, ok := advice[number(err)]; ok {
		return fmt.Errorf("%s: %w", text, err)
	}
	if tooLarge(err) {
		return fmt.Errorf("%w: the server's max_allowed_packet is less: %w", sojourn.ErrTooLarge, err)
	}
	var network *net.OpError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.As(err, &network):
		return fmt.Errorf("the server cannot be reached: %w", err)
	case errors.Is(err, driver.ErrInvalidConn):
		return fmt.Errorf("the connection was lost: %w", err)
	}
	return err
}

func tooLarge(err error) bool {
	switch number(err) {
	case 1153:
		return true
	case 1105: // any error without a number of its own
		return strings.Contains(err.Error(), "max_allowed_packet")
	}
	return errors.Is(err, driver.ErrPktTooLarge)
}
