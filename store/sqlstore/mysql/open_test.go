package mysql

import (
	"errors"
	"strings"
	"testing"
	"time"

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

// An interruption may come between two tables.
func TestOpenCompletesTheTables(t *testing.T) {
	for n := range schema.MySQL.Step(0) {
		url := newDatabase(t)
		admin(t, url, schema.MySQL.Step(0)[:n]...)
		create(t, openURL(t, url, nil), "one", "user")
	}
}

func TestThePrintedSchemaIsTheOneThatOpenCreates(t *testing.T) {
	created, printed := newDatabase(t), newDatabase(t)
	openURL(t, created, nil)
	for statement := range strings.SplitSeq(schema.MySQL.Script(), ";\n") { // as the mysql program does
		if strings.TrimSpace(statement) != "" {
			admin(t, printed, statement)
		}
	}
	openURL(t, printed, &Options{NoMigrate: true})
	describe := func(url string) (text string) {
		for _, table := range []string{"sojourn_session", "sojourn_owner", "sojourn_schema"} {
			var name, sql string
			if err := connect(t, url).QueryRow("SHOW CREATE TABLE "+table).Scan(&name, &sql); err != nil {
				t.Fatal(err)
			}
			text += sql + "\n"
		}
		return text
	}
	if a, b := describe(created), describe(printed); a != b {
		t.Errorf("open creates\n%s\nprinted is\n%s", a, b)
	}
}

func TestOpenRefuses(t *testing.T) {
	m := shared(t)
	empty := newDatabase(t)
	user := "some" + empty[len(empty)-8:]
	admin(t, m.AdminURL(), "CREATE USER "+user+"@'%' IDENTIFIED BY '"+enginetest.Secret+"'",
		"GRANT SELECT ON "+empty[strings.LastIndex(empty, "/")+1:]+".* TO "+user+"@'%'")
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
		"the driver's form":   "u:" + enginetest.Secret + "@tcp(h)/d",
		"another scheme":      "postgres://u:" + enginetest.Secret + "@h/d",
		"a slash in password": "mysql://u:/" + enginetest.Secret + "@h/d",
		"a bad escape":        "mysql://u:%zz" + enginetest.Secret + "@h/d",
		"a bad parameter":     "mysql://u:" + enginetest.Secret + "@h/d?multiStatements=true",
		"a bad value":         "mysql://u:" + enginetest.Secret + "@h/d?tls=perhaps",
		"a bad query":         "mysql://u:" + enginetest.Secret + "@h/d?;",
		"a bad port":          "mysql://u:" + enginetest.Secret + "@h:x/d",
		"no user":             "mysql://h/d",
		"no database":         "mysql://u:" + enginetest.Secret + "@h/",
		"no host":             "mysql://u:" + enginetest.Secret + "@/d",
	} {
		refuses("malformed: "+name, url, nil, "expected mysql://user:password@host:3306/database")
	}
	if _, err := Open(t.Context(), "", nil); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("a malformed URL gives %v: expected ErrInvalid", err)
	}
	refuses("negative connections", empty, &Options{Conns: -1}, "expected 1 to 10,000")
	db := empty[strings.LastIndex(empty, "/")+1:]
	refuses("wrong password", m.URL(user, enginetest.Secret+"x", db), nil, "wrong user or password")
	refuses("unknown user", m.URL("nobody", enginetest.Secret, db), nil, "wrong user or password")
	refuses("unknown database", m.URL(testenv.Admin, testenv.Admin, "nowhere"), nil, "there is no such database")
	refuses("a database of others", m.URL(user, enginetest.Secret, "mysql"), nil, "may not use this database")
	refuses("nobody listens", "mysql://u:"+enginetest.Secret+"@"+testenv.Loopback(testenv.Port(t))+"/d", nil, "cannot be reached")
	refuses("no privilege to create", m.URL(user, enginetest.Secret, db), nil, "docs/stores-sql.md")
	refuses("tables missing", empty, &Options{NoMigrate: true}, "`sojourn schema mysql` prints how to create them")

	newer := newDatabase(t)
	openURL(t, newer, nil)
	admin(t, newer, "INSERT INTO sojourn_schema VALUES (99)")
	refuses("a newer schema", newer, nil, "of a newer release: expected at most 1; nothing was changed")
	older := newDatabase(t)
	openURL(t, older, nil)
	admin(t, older, "DELETE FROM sojourn_schema")
	refuses("an older schema", older, &Options{NoMigrate: true}, "prints how to create them")
}

func TestOpenThroughTheSocket(t *testing.T) {
	m := shared(t)
	url := strings.Replace(newDatabase(t), m.Addr, "", 1) + "?socket=" + m.Socket
	create(t, openURL(t, url, nil), "one", "user")
}

func TestOldServersAreRefused(t *testing.T) {
	for version, want := range map[string]bool{
		"8.0.36": true, "8.4.0": true, "9.1.0-commercial": true, "5.7.44-log": false,
		"10.11.19-MariaDB-0+deb12u1": true, "10.6.0-MariaDB": true, "11.4.2-MariaDB": true, "10.5.29-MariaDB": false,
		"something new": true,
	} {
		if recent(version) != want {
			t.Errorf("recent(%q) is %v", version, !want)
		}
	}
}

func TestLeastPrivilegesAreEnough(t *testing.T) {
	url := newDatabase(t)
	openURL(t, url, nil)
	db := url[strings.LastIndex(url, "/")+1:]
	user := "app" + url[len(url)-8:]
	admin(t, url, "CREATE USER "+user+"@'%' IDENTIFIED BY 'secret'")
	for _, grant := range enginetest.Grants(t, "MySQL and MariaDB") {
		admin(t, url, strings.NewReplacer("ON app.", "ON "+db+".", "TO 'app'@", "TO '"+user+"'@").Replace(grant))
	}
	conform(t, strings.Replace(url, testenv.Admin+":"+testenv.Admin, user+":secret", 1), &Options{NoMigrate: true}, 300*time.Millisecond, func() {})
}
