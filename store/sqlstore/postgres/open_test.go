package postgres

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/enginetest"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/schema"
)

func TestOpenCreatesTheTablesOnce(t *testing.T) {
	url := newDatabase(t)
	enginetest.OpensTogether(t, func() (sojourn.Store, error) {
		s, err := Open(t.Context(), url, &Options{Conns: 2})
		if err == nil {
			t.Cleanup(func() { s.Close() })
		}
		return s, err
	})
}

func TestThePrintedSchemaIsTheOneThatOpenCreates(t *testing.T) {
	created, printed := newDatabase(t), newDatabase(t)
	openURL(t, created, nil)
	admin(t, printed, schema.Postgres.Script())
	openURL(t, printed, &Options{NoMigrate: true})
	describe := func(url string) (text string) {
		p, err := pgxpool.New(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		err = p.QueryRow(t.Context(), `SELECT string_agg(line, E'\n' ORDER BY line) FROM (
			SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable) AS line
				FROM information_schema.columns WHERE table_schema = 'public'
			UNION SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
			UNION SELECT relname || ' ' || reloptions::text FROM pg_class WHERE relname LIKE 'sojourn%'
			UNION SELECT 'version ' || version FROM sojourn_schema) lines`).Scan(&text)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	if a, b := describe(created), describe(printed); a != b || !strings.Contains(a, "version 1") {
		t.Errorf("open creates\n%s\nprinted is\n%s", a, b)
	}
}

func TestOpenRefuses(t *testing.T) {
	p := shared(t)
	user := "someone" + newDatabase(t)[len(newDatabase(t))-8:]
	admin(t, p.AdminURL(), "CREATE ROLE "+user+" LOGIN PASSWORD '"+enginetest.Secret+"'")
	refuses := func(name, url string, opt *Options, want string) {
		t.Helper()
		enginetest.Refuses(t, name, func() error {
			s, err := Open(t.Context(), url, opt)
			if err == nil {
				s.Close()
			}
			return err
		}, want)
	}
	for name, url := range map[string]string{
		"nothing":             "",
		"no URL":              "host=localhost password=" + enginetest.Secret,
		"another scheme":      "mysql://u:" + enginetest.Secret + "@h/d",
		"a slash in password": "postgres://u:/" + enginetest.Secret + "@h/d",
		"a bad escape":        "postgres://u:%zz" + enginetest.Secret + "@h/d",
		"a bad parameter":     "postgres://u:" + enginetest.Secret + "@h/d?sslmode=perhaps",
		"a bad port":          "postgres://u:" + enginetest.Secret + "@h:99999999/d",
	} {
		refuses("malformed: "+name, url, nil, "expected postgres://user:password@host:5432/database")
	}
	if _, err := Open(t.Context(), "", nil); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("a malformed URL gives %v: expected ErrInvalid", err)
	}
	refuses("negative connections", newDatabase(t), &Options{Conns: -1}, "expected 1 to 10,000")
	refuses("wrong password", p.URL(user, enginetest.Secret+"x", "postgres"), nil, "wrong user or password")
	refuses("unknown user", p.URL("nobody", enginetest.Secret, "postgres"), nil, "wrong user or password")
	refuses("unknown database", p.URL(testenv.Admin, testenv.Admin, "nowhere"), nil, "there is no such database")
	refuses("nobody listens", "postgres://u:"+enginetest.Secret+"@"+testenv.Loopback(testenv.Port(t))+"/d", nil, "cannot be reached")
	refuses("no privilege to create", p.URL(user, enginetest.Secret, "postgres"), nil, "docs/stores-sql.md")

	empty := newDatabase(t)
	refuses("tables missing", empty, &Options{NoMigrate: true}, "`sojourn schema postgres` prints how to create them")
	admin(t, empty, "CREATE TABLE sojourn_session (a int)")
	refuses("a table of another kind", empty, nil, "expected both or neither; nothing was changed")

	newer := newDatabase(t)
	openURL(t, newer, nil)
	admin(t, newer, "INSERT INTO sojourn_schema VALUES (99)")
	refuses("a newer schema", newer, nil, "of a newer release: expected at most 1; nothing was changed")
	older := newDatabase(t)
	openURL(t, older, nil)
	admin(t, older, "DELETE FROM sojourn_schema")
	refuses("an older schema", older, &Options{NoMigrate: true}, "prints how to create them")

	readOnly := newDatabase(t)
	openURL(t, readOnly, nil)
	refuses("read-only", readOnly+"?default_transaction_read_only=on", nil, "the server is read-only")
}

func TestLeastPrivilegesAreEnough(t *testing.T) {
	url := newDatabase(t)
	openURL(t, url, nil)
	user := "app" + url[len(url)-8:]
	admin(t, url, "CREATE ROLE "+user+" LOGIN PASSWORD 'secret'", "REVOKE ALL ON SCHEMA public FROM PUBLIC")
	for _, grant := range enginetest.Grants(t, "PostgreSQL") {
		admin(t, url, strings.Replace(grant, "TO app", "TO "+user, 1))
	}
	conform(t, strings.Replace(url, testenv.Admin+":"+testenv.Admin, user+":secret", 1), &Options{NoMigrate: true}, 300*time.Millisecond, func() {})
}
