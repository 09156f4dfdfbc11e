package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sojournhq/sojourn"
)

// Open connects to the database of the URL, which has the form of PostgreSQL's
// own clients:
//
//	postgres://user:password@host:5432/database?sslmode=verify-full
//
// What it leaves out comes from the PG… environment variables. Open creates the
// tables, or brings those of an older release up to date, unless
// [Options.NoMigrate] is set; several processes may do so at once. It refuses a
// read-only server and tables of a newer release.
func Open(ctx context.Context, url string, opt *Options) (*Store, error) {
	o, err := opt.settled()
	if err != nil {
		return nil, fmt.Errorf("postgres: open: %w", err)
	}
	s, err := open(ctx, url, o)
	if err != nil {
		return nil, fmt.Errorf("postgres: open: %w", explain(err))
	}
	return s, nil
}

func open(ctx context.Context, url string, o Options) (*Store, error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	switch {
	case o.Conns > 0:
		config.MaxConns = int32(o.Conns)
	case !strings.Contains(url, "pool_max_conns="):
		config.MaxConns = defaultConns
	}
	if doubtful != nil {
		config.ShouldPing = doubtful
	}
	pool, st, err := connect(ctx, config, o)
	if err != nil {
		return nil, err
	}
	if params := config.ConnConfig.RuntimeParams; st.commit == "off" && params["synchronous_commit"] == "" {
		pool.Close()
		params["synchronous_commit"] = "on" // P14, whatever the server's default
		if pool, _, err = connect(ctx, config, o); err != nil {
			return nil, err
		}
	}
	s := &Store{pool: pool, notify: o.Notify}
	s.life, s.end = context.WithCancel(context.Background())
	return s, nil
}

// connect makes a pool that holds one connection, by which it has looked at the
// tables.
func connect(ctx context.Context, config *pgxpool.Config, o Options) (_ *pgxpool.Pool, st state, err error) {
	pool, err := pgxpool.NewWithConfig(ctx, config.Copy())
	if err != nil {
		return nil, st, err
	}
	defer func() {
		if err != nil {
			pool.Close()
		}
	}()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, st, unwrapConnect(err)
	}
	defer conn.Release()
	if st, err = look(ctx, conn.Conn()); err != nil {
		return nil, st, err
	}
	return pool, st, prepare(ctx, conn.Conn(), st, o.NoMigrate)
}

const form = "expected postgres://user:password@host:5432/database"

// parse reads the URL. Its errors never quote it, for it holds a password.
func parse(text string) (*pgxpool.Config, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, fmt.Errorf("%w: malformed URL: %s", sojourn.ErrInvalid, form)
	}
	if strings.Contains(u.Path, "@") { // behind a slash in the password
		return nil, fmt.Errorf("%w: malformed URL: %s, with / as %%2F and @ as %%40 in the password", sojourn.ErrInvalid, form)
	}
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		_, reason, _ := strings.Cut(err.Error(), "`: ") // behind the URL
		return nil, fmt.Errorf("%w: malformed URL: %s: %s", sojourn.ErrInvalid, reason, form)
	}
	if config.ConnConfig.ConnectTimeout == 0 || !u.Query().Has("connect_timeout") {
		config.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	return config, nil
}

// unwrapConnect is the reason why the server, of several the last, could not be
// reached.
func unwrapConnect(err error) error {
	var c *pgconn.ConnectError
	if errors.As(err, &c) {
		return fmt.Errorf("user %q, database %q: %w", c.Config.User, c.Config.Database, errors.Unwrap(c))
	}
	return err
}

// A state is what Open finds at the server.
type state struct {
	readOnly string // "on" or "off"
	commit   string // synchronous_commit
	tables   bool   // there is a table for sessions
	marked   bool   // there is a table with their version
}

func look(ctx context.Context, conn *pgx.Conn) (st state, err error) {
	// Not to_regclass: it may answer out of a cache that is older than the lock
	// under which migrate looks.
	const exists = "EXISTS (SELECT FROM pg_class WHERE relname = '%s' AND pg_table_is_visible(oid))"
	err = conn.QueryRow(ctx, `SELECT current_setting('transaction_read_only'), current_setting('synchronous_commit'), `+
		fmt.Sprintf(exists, "sojourn_session")+", "+fmt.Sprintf(exists, "sojourn_schema")).
		Scan(&st.readOnly, &st.commit, &st.tables, &st.marked)
	if err == nil && st.readOnly != "off" {
		err = errors.New("the server is read-only, a replica or one with default_transaction_read_only: expected the primary (with several hosts, target_session_attrs=read-write)")
	}
	return st, err
}
