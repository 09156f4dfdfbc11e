package pgplane

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// A Plane is a [live.Backplane]. It is made by [Open] and safe for parallel use.
type Plane struct {
	opt     Options
	pool    *pgxpool.Pool
	node    string // of this process, made up
	channel string // of the tables' schema

	life   context.Context // until Close
	stop   context.CancelFunc
	tasks  sync.WaitGroup
	health live.Health

	mu      sync.Mutex
	watches map[sojourn.ID]*watch
	count   int64                   // of Watch calls
	dirty   map[sojourn.ID]struct{} // whose logs are to be read
	left    []int64                 // Watch calls to be taken back
	probes  map[string]time.Time    // own notifications under way
	heard   chan struct{}           // closed while notifications arrive
	isHeard bool
	news    chan struct{} // something is in dirty
	leave   chan struct{} // something is in left
}

var _ live.Backplane = (*Plane)(nil)

const callTimeout = 5 * time.Second

// Open connects to the database of the URL, which has the form of PostgreSQL's
// own clients (postgres://user:password@host:5432/database), and creates the
// tables unless [Options.NoMigrate] is set. Errors never repeat the password.
// Close the plane after use.
func Open(ctx context.Context, url string, opt *Options) (*Plane, error) {
	o, err := opt.settled()
	if err != nil {
		return nil, fmt.Errorf("pgplane: open: %w", err)
	}
	config, err := parse(url)
	if err != nil {
		return nil, fmt.Errorf("pgplane: open: %w", err)
	}
	config.MaxConns = int32(o.Conns)
	params := config.ConnConfig.RuntimeParams
	params["default_transaction_isolation"] = "read committed" // what the statements are written for
	params["synchronous_commit"] = "off"                       // what is lost in a crash is told as lost
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, wrap("open", err)
	}
	p := &Plane{
		opt: o, pool: pool, node: newNode(),
		watches: map[sojourn.ID]*watch{}, dirty: map[sojourn.ID]struct{}{}, probes: map[string]time.Time{},
		heard: make(chan struct{}), news: make(chan struct{}, 1), leave: make(chan struct{}, 1),
	}
	p.life, p.stop = context.WithCancel(context.Background())
	if err := p.inspect(ctx); err != nil {
		p.stop()
		pool.Close()
		return nil, wrap("open", err)
	}
	return p, nil
}

const form = "expected postgres://user:password@host:5432/database"

// parse reads the URL. Its errors never quote it, for it holds a password.
func parse(text string) (*pgxpool.Config, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || strings.Contains(u.Path, "@") {
		return nil, fmt.Errorf("%w: malformed URL: %s", sojourn.ErrInvalid, form)
	}
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		_, reason, _ := strings.Cut(err.Error(), "`: ") // behind the URL
		return nil, fmt.Errorf("%w: malformed URL: %s: %s", sojourn.ErrInvalid, reason, form)
	}
	if !u.Query().Has("connect_timeout") {
		config.ConnConfig.ConnectTimeout = 3 * time.Second
	}
	return config, nil
}

func (p *Plane) inspect(ctx context.Context) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		var c *pgconn.ConnectError
		if errors.As(err, &c) {
			err = fmt.Errorf("user %q, database %q: %w", c.Config.User, c.Config.Database, errors.Unwrap(c))
		}
		return err
	}
	defer conn.Release()
	if err := prepare(ctx, conn.Conn(), p.opt.NoMigrate); err != nil {
		return err
	}
	// Channels belong to the database; a schema of it may have tables of its own.
	err = conn.QueryRow(ctx, "SELECT 'sojourn_live_' || 'sojourn_live'::regclass::oid::text").Scan(&p.channel)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sqlBeat, p.node, beatTTL.Milliseconds())
	return err
}

// Start implements [live.Backplane].
func (p *Plane) Start(health live.Health) error {
	p.health = health
	p.tasks.Go(p.listen)
	p.tasks.Go(p.fetchAll)
	p.tasks.Go(p.tend)
	return nil
}

// Close ends the connections. Methods fail from now on.
func (p *Plane) Close() error {
	p.stop()
	p.tasks.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = p.pool.Exec(ctx, sqlDepart, p.node)
	p.pool.Close()
	return nil
}

// Known implements [live.Backplane]: only the server could tell.
func (p *Plane) Known(sojourn.ID) bool { return true }

// exec runs a statement, again where the server has undone it because of another.
func (p *Plane) exec(ctx context.Context, sql string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		_, err := p.pool.Exec(ctx, sql, args...)
		var said *pgconn.PgError
		if attempt == 5 || !errors.As(err, &said) || said.Code != "40001" && said.Code != "40P01" {
			return err
		}
	}
}

func newNode() string {
	var b [12]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

var advice = map[string]string{
	"28P01": "wrong user or password",
	"3D000": "there is no such database: create it, or name another in the URL",
	"42501": "the user lacks a privilege: have an administrator run what `sojourn schema postgres-live` prints, and grant SELECT, INSERT, UPDATE and DELETE on those tables",
	"42P01": "a table is missing: `sojourn schema postgres-live` prints how to create it",
	"25006": "the server is read-only: expected the primary (with several hosts, target_session_attrs=read-write)",
}

func wrap(op string, err error) error {
	var said *pgconn.PgError
	var ended *live.Ended
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sojourn.ErrInvalid), errors.As(err, &ended):
	case errors.As(err, &said):
		if text, ok := advice[said.Code]; ok {
			err = fmt.Errorf("%s: %w", text, err)
		}
		if strings.HasPrefix(said.Code, "57P") || strings.HasPrefix(said.Code, "53") {
			err = fmt.Errorf("%w: %w", sojourn.ErrUnavailable, err)
		}
	case op != "open" || errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("%w: %w", sojourn.ErrUnavailable, err)
	}
	return fmt.Errorf("pgplane: %s: %w", op, err)
}

// idsOf reads a column of ids.
func idsOf(rows pgx.Rows, err error) ([]sojourn.ID, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (sojourn.ID, error) {
		var id []byte
		err := row.Scan(&id)
		return sojourn.ID(id), err
	})
}
