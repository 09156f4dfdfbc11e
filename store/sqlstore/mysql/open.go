package mysql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Open connects to the database of the URL:
//
//	mysql://user:password@host:3306/database?tls=true
//	mysql://user:password@/database?socket=/run/mysqld/mysqld.sock
//
// tls is true (the certificate is verified), skip-verify, preferred or false,
// the default. Open creates the tables, or brings those of an older release up to
// date, unless [Options.NoMigrate] is set; several processes may do so at once. It
// refuses a read-only server and tables of a newer release.
func Open(ctx context.Context, url string, opt *Options) (*Store, error) {
	o, err := opt.settled()
	if err != nil {
		return nil, fmt.Errorf("mysql: open: %w", err)
	}
	s, err := open(ctx, url, o)
	if err != nil {
		return nil, fmt.Errorf("mysql: open: %w", explain(err))
	}
	return s, nil
}

func open(ctx context.Context, url string, o Options) (_ *Store, err error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	plain, err := mysql.NewConnector(config)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector{plain})
	defer func() {
		if err != nil {
			db.Close()
		}
	}()
	conns := o.Conns
	if conns == 0 {
		conns = defaultConns
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(30 * time.Minute)
	db.SetConnMaxLifetime(time.Hour) // so that a server that has moved is found again
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close() // again does nothing
	if err := checkServer(ctx, conn); err != nil {
		return nil, err
	}
	if err := prepare(ctx, conn, o.NoMigrate); err != nil {
		return nil, err
	}
	// Only a write tells for certain whether this user may write. No ID is empty.
	if _, err := conn.ExecContext(ctx, sqlRemove+"('')"); err != nil {
		return nil, err
	}
	conn.Close() // there may be only one
	s := &Store{db: db}
	if s.loads, err = db.PrepareContext(ctx, sqlLoad); number(err) == erTooManyStatements {
		err = nil
	}
	return s, err
}

// A connector gives each connection what the statements rely on.
type connector struct{ driver.Connector }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	// A statement of its own: the variable has other names on other servers.
	_, err = conn.(driver.ExecerContext).ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// checkServer refuses servers that lack SKIP LOCKED.
func checkServer(ctx context.Context, conn *sql.Conn) error {
	var version string
	if err := conn.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version); err != nil {
		return err
	}
	if !recent(version) {
		return fmt.Errorf("the server is %q: expected MySQL 8.0 or later, or MariaDB 10.6 or later", version)
	}
	return nil
}

var versionPattern = regexp.MustCompile(`^(\d+)\.(\d+)`)

func recent(version string) bool {
	m := versionPattern.FindStringSubmatch(version)
	if m == nil {
		return true // who knows
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	if strings.Contains(version, "MariaDB") {
		return major > 10 || major == 10 && minor >= 6
	}
	return major >= 8
}
