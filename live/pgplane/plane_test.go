package pgplane_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/live"
	"github.com/sojournhq/sojourn/live/pgplane"
	"github.com/sojournhq/sojourn/live/planetest"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

var server = testenv.Shared(func(t testenv.TB) *testenv.Postgres { return testenv.StartPostgres(t) })

// database is a new one on the shared server.
func database(t testing.TB) string {
	t.Helper()
	p := server(t)
	name := fmt.Sprintf("test%x", rand.Uint64())
	admin(t, p.AdminURL(), "CREATE DATABASE "+name)
	return p.URL(testenv.Admin, testenv.Admin, name)
}

func admin(t testing.TB, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, s := range statements {
		if _, err := conn.Exec(context.Background(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func open(t testing.TB, url string, opt pgplane.Options) *pgplane.Plane {
	t.Helper()
	p, err := pgplane.Open(t.Context(), url, &opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestPlane(t *testing.T) {
	planetest.Run(t, func(t *testing.T, keep live.Retention) []live.Backplane {
		url, opt := database(t), pgplane.Options{Retention: keep}
		return []live.Backplane{open(t, url, opt), open(t, url, opt), open(t, url, opt)}
	})
}

var quick = pgplane.Options{Retention: live.Retention{Events: 100}, Probe: 200 * time.Millisecond}

// The connections are cut, and refused for a while.
func TestCut(t *testing.T) {
	url := database(t)
	line := testenv.StartProxy(t, server(t).Addr)
	planetest.Interruption(t, open(t, through(line, url), quick), open(t, url, quick), time.Second,
		func() { line.Refuse(true); line.Cut() }, func() { line.Refuse(false) })
}

func through(line *testenv.Proxy, url string) string {
	at := strings.LastIndexByte(url, '@')
	slash := at + strings.IndexByte(url[at:], '/')
	return url[:at+1] + line.Addr + url[slash:]
}

// The connections stay open and deliver nothing.
func TestWedged(t *testing.T) {
	url := database(t)
	line := testenv.StartProxy(t, server(t).Addr)
	planetest.Interruption(t, open(t, through(line, url), quick), open(t, url, quick), 3*time.Second, line.Freeze, line.Thaw)
}

// Only the connection that listens has lost its subscription, as behind a pooler.
func TestForgottenSubscriptions(t *testing.T) {
	url := database(t)
	planetest.Interruption(t, open(t, url, quick), open(t, url, quick), time.Second, func() {
		admin(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'")
	}, func() {})
}

// After a crash of the server unlogged tables are empty: all logs begin anew.
func TestCrash(t *testing.T) {
	p := testenv.StartPostgres(t)
	planetest.Forgotten(t, open(t, p.AdminURL(), quick), open(t, p.AdminURL(), quick), func() {
		p.Kill()
		p.Start()
	})
}

// What nobody uses is removed, and what is watched stays.
func TestSweep(t *testing.T) {
	url := database(t)
	opt := quick
	opt.Retention.For = time.Second
	p := open(t, url, opt)
	if err := p.Start(silent{}); err != nil {
		t.Fatal(err)
	}
	_, stop, err := p.Watch(t.Context(), "watched", []string{"owner:ada"}, silent{})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	ids := []sojourn.ID{"watched", "unused", "ended"}
	for _, id := range ids {
		if _, err := p.Open(t.Context(), id, []string{"owner:ada"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Append(t.Context(), ids, live.Event{Type: "app.n", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := p.End(t.Context(), "ended", live.Event{Type: "session.ended", At: time.Now()}, sojourn.ReasonLogout, time.Second); err != nil {
		t.Fatal(err)
	}
	admin(t, url, "INSERT INTO sojourn_live_watch VALUES (1, 'a node that died', 'watched', 'owner:ada')")
	testenv.Eventually(t, "only what is watched remains", 20*time.Second, func() error {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			return err
		}
		defer conn.Close(context.Background())
		var got string
		err = conn.QueryRow(t.Context(), `SELECT format('%s logs, %s events, %s tags, %s watches',
			(SELECT string_agg(convert_from(id, 'UTF8'), ',') FROM sojourn_live), (SELECT count(*) FROM sojourn_live_event),
			(SELECT count(*) FROM sojourn_live_tag), (SELECT count(*) FROM sojourn_live_watch))`).Scan(&got)
		if want := "watched logs, 0 events, 1 tags, 1 watches"; err == nil && got != want {
			err = fmt.Errorf("%s, expected %s", got, want)
		}
		return err
	})
}

type silent struct{}

func (silent) Lost()                      {}
func (silent) Restored()                  {}
func (silent) Deliver(string, live.Event) {}
func (silent) Moved(live.Position)        {}

func TestRefused(t *testing.T) {
	url := database(t)
	for _, c := range []struct{ url, says string }{
		{"redis://u:s3cret@h/db", "expected postgres://"},
		{"postgres://u:s3cret/x@h/db", "expected postgres://"},
		{strings.Replace(url, testenv.Admin+"@", "s3cret@", 1), "wrong user or password"},
		{url + "x", "no such database"},
		{url + "?default_transaction_read_only=on", "read-only"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		p, err := pgplane.Open(ctx, c.url, nil)
		cancel()
		if err == nil {
			p.Close()
			t.Errorf("%s opened", c.says)
		} else if !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v, expected %q", err, c.says)
		}
	}
	if _, err := pgplane.Open(t.Context(), url, &pgplane.Options{NoMigrate: true}); err == nil || !strings.Contains(err.Error(), "sojourn schema postgres-live") {
		t.Errorf("without tables: %v", err)
	}
	admin(t, url, pgplane.Schema())
	open(t, url, pgplane.Options{NoMigrate: true})
	for _, opt := range []pgplane.Options{{Probe: time.Hour}, {Conns: -1}, {Retention: live.Retention{Events: -1}}} {
		if p, err := pgplane.Open(t.Context(), url, &opt); !errors.Is(err, sojourn.ErrInvalid) {
			t.Errorf("%+v: %v, %v", opt, p, err)
		}
	}
}

// A log keeps as many events and bytes as Retention says, and sixteen more at most.
func TestTrimmed(t *testing.T) {
	url := database(t)
	p := open(t, url, pgplane.Options{Retention: live.Retention{Events: 50, Bytes: 20_000}})
	if _, err := p.Open(t.Context(), "id", nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ size, most int }{{1, 50 + 16}, {1000, 20 + 16}} {
		for range 100 {
			data := fmt.Appendf(nil, "%q", strings.Repeat("x", c.size))
			if err := p.Append(t.Context(), []sojourn.ID{"id"}, live.Event{Type: "app.n", Data: data, At: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		var n, top int
		err = conn.QueryRow(t.Context(), "SELECT count(*), max(top) FROM sojourn_live_event").Scan(&n, &top)
		conn.Close(t.Context())
		if err != nil || n > c.most || n < c.most-32 {
			t.Errorf("%d events of %d bytes are kept, at most %d, %v", n, c.size, c.most, err)
		}
	}
}
