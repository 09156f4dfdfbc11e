package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/enginetest"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

var shared = testenv.Shared(func(t testenv.TB) *testenv.MariaDB { return testenv.StartMariaDB(t) })

// newDatabase creates an empty database on the shared server and returns its URL
// for the user who may do everything.
func newDatabase(t testing.TB) string {
	t.Helper()
	m := shared(t)
	name := fmt.Sprintf("test%x", rand.Uint64())
	admin(t, m.AdminURL(), "CREATE DATABASE "+name)
	return m.URL(testenv.Admin, testenv.Admin, name)
}

// connect opens the driver's own view of a database.
func connect(t testing.TB, url string) *sql.DB {
	t.Helper()
	config, err := parse(url)
	if err != nil {
		t.Fatal(err)
	}
	c, err := mysql.NewConnector(config)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { db.Close() })
	return db
}

// admin runs statements.
func admin(t testing.TB, url string, statements ...string) {
	t.Helper()
	db := connect(t, url)
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func openURL(t testing.TB, url string, opt *Options) *Store {
	t.Helper()
	s, err := Open(context.Background(), url, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// engine is the shared server with a database of its own.
func engine(t testing.TB) *enginetest.Engine {
	t.Helper()
	m := shared(t)
	url := newDatabase(t)
	return &enginetest.Engine{Server: m, Addr: m.Addr, Open: func(t testing.TB, addr string, conns int) enginetest.Store {
		return openURL(t, strings.Replace(url, m.Addr, addr, 1), &Options{Conns: conns})
	}}
}

func create(t testing.TB, s *Store, id, owner string) sojourn.Record {
	t.Helper()
	r := sojourn.Record{ID: sojourn.ID(id), Owner: owner, Expires: in(time.Hour), Payload: []byte("payload of " + id)}
	if err := s.Create(t.Context(), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// in is that long from now, in whole milliseconds.
func in(d time.Duration) time.Time {
	return time.UnixMilli(time.Now().Add(d).UnixMilli()).UTC()
}
