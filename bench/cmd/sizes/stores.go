package main

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/bench/env"
	"github.com/sojournhq/sojourn/bench/sizes"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/memcachestore"
	"github.com/sojournhq/sojourn/store/memstore"
	"github.com/sojournhq/sojourn/store/redisstore"
	"github.com/sojournhq/sojourn/store/sqlstore"
	"github.com/sojournhq/sojourn/store/sqlstore/mysql"
	"github.com/sojournhq/sojourn/store/sqlstore/postgres"
)

// openers start an engine and open a store on it.
var openers = map[string]func(ctx context.Context, e *env.Env) sizes.Subject{
	"memory": func(context.Context, *env.Env) sizes.Subject {
		return sizes.Subject{Store: memstore.New(nil), CPU: sizes.Self, Bytes: heap}
	},
	"sqlite": func(ctx context.Context, e *env.Env) sizes.Subject {
		path := filepath.Join(e.TempDir(), "sessions.db")
		s := opened(e)(sqlstore.OpenSQLite(ctx, path, nil))
		return sizes.Subject{Store: s, CPU: sizes.Self, Bytes: func(ctx context.Context) (int64, error) {
			return query(ctx, "sqlite", "file:"+path+"?mode=ro", "SELECT page_count*page_size FROM pragma_page_count(), pragma_page_size()")
		}}
	},
	"redis": func(ctx context.Context, e *env.Env) sizes.Subject {
		server := testenv.StartRedis(e, nil)
		s := opened(e)(redisstore.Open(ctx, "redis://"+server.Addr, nil))
		return sizes.Subject{Store: s, CPU: sizes.Children, Bytes: func(context.Context) (int64, error) {
			return strconv.ParseInt(server.Info("used_memory"), 10, 64)
		}}
	},
	"postgres": func(ctx context.Context, e *env.Env) sizes.Subject {
		url := testenv.StartPostgres(e).AdminURL()
		s := opened(e)(postgres.Open(ctx, url, nil))
		return sizes.Subject{Store: s, CPU: sizes.Children, Bytes: func(ctx context.Context) (int64, error) {
			return query(ctx, "pgx", url, "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
		}}
	},
	"mariadb": func(ctx context.Context, e *env.Env) sizes.Subject {
		server := testenv.StartMariaDB(e)
		s := opened(e)(mysql.Open(ctx, server.AdminURL(), nil))
		dsn := fmt.Sprintf("%s:%s@tcp(%s)/mysql", testenv.Admin, testenv.Admin, server.Addr)
		return sizes.Subject{Store: s, CPU: sizes.Children, Bytes: func(ctx context.Context) (int64, error) {
			return query(ctx, "mysql", dsn, "SELECT coalesce(sum(file_size),0) FROM information_schema.innodb_sys_tablespaces WHERE name LIKE 'mysql/sojourn%' OR name LIKE 'mysql/session%'")
		}}
	},
	"memcached": func(ctx context.Context, e *env.Env) sizes.Subject {
		server := testenv.StartMemcached(e, "-m", "4096")
		s := opened(e)(memcachestore.Open(ctx, "memcached://"+server.Addr, nil))
		return sizes.Subject{Store: s, CPU: sizes.Children, Bytes: func(context.Context) (int64, error) { return memcachedBytes(server.Addr) }}
	},
}

func subjects() []string {
	names := make([]string, 0, len(openers))
	for name := range openers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func open(ctx context.Context, e *env.Env, name string) sizes.Subject {
	s := openers[name](ctx, e)
	s.Name = name
	return s
}

// opened ends the measurement if a store did not open, and closes it at the end.
func opened(e *env.Env) func(s sojourn.Store, err error) sojourn.Store {
	return func(s sojourn.Store, err error) sojourn.Store {
		if err != nil {
			e.Fatalf("%v", err)
		}
		if c, ok := s.(io.Closer); ok {
			e.Cleanup(func() { c.Close() })
		}
		return s
	}
}

func heap(context.Context) (int64, error) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc), nil
}

// query asks an SQL engine for one number.
func query(ctx context.Context, driver, dsn, statement string) (n int64, err error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, statement).Scan(&n)
	return n, err
}

func memcachedBytes(addr string) (int64, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	fmt.Fprint(c, "stats\r\n")
	for lines := bufio.NewScanner(c); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "STAT bytes "); ok {
			return strconv.ParseInt(value, 10, 64)
		}
	}
	return 0, fmt.Errorf("memcached: no bytes in stats")
}
