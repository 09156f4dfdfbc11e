package postgres

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/testenv"
	"github.com/sojournhq/sojourn/store/sqlstore/internal/enginetest"
)

// diagnose returns what is reported of each check: "", or the problem, which begins
// with "! " if it only deserves attention.
func diagnose(t *testing.T, s *Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	s.Diagnose(t.Context(), func(check, detail string, problem error) {
		t.Logf("%s: %s: %v", check, detail, problem)
		if _, again := all[check]; again || check == "" || detail == "" {
			t.Errorf("an empty or second report: %q, %q", check, detail)
		}
		all[check] = ""
		if problem != nil {
			all[check] = problem.Error()
			if w, ok := problem.(interface{ Warning() bool }); ok && w.Warning() {
				all[check] = "! " + all[check]
			}
		}
	})
	return all
}

func TestServerTime(t *testing.T) {
	s := own(t)
	got, err := s.ServerTime(t.Context())
	if err != nil || time.Since(got).Abs() > 5*time.Second {
		t.Errorf("the server's time is %v, %v", got, err)
	}
	s.Close()
	if _, err := s.ServerTime(t.Context()); err == nil {
		t.Error("a closed store knows the time")
	}
	for check, problem := range diagnose(t, s) {
		if problem == "" {
			t.Errorf("%s of a closed store is in order", check)
		}
	}
}

func TestDiagnoseOfASoundServer(t *testing.T) {
	url := newDatabase(t)
	openURL(t, url, nil)
	user := "doctor" + url[len(url)-8:]
	admin(t, url, "CREATE ROLE "+user+" LOGIN PASSWORD 'secret'", "REVOKE ALL ON SCHEMA public FROM PUBLIC")
	for _, grant := range enginetest.Grants(t, "PostgreSQL") {
		admin(t, url, strings.Replace(grant, "TO app", "TO "+user, 1))
	}
	s := openURL(t, strings.Replace(url, testenv.Admin+":"+testenv.Admin, user+":secret", 1), &Options{NoMigrate: true, Notify: true, Conns: 2})
	create(t, s, "one", "user")
	all := diagnose(t, s)
	for _, check := range strings.Fields("engine role schema durability standbys connections table transactions notifications") {
		if problem, ok := all[check]; !ok || problem != "" {
			t.Errorf("%s: reported: %v, %s", check, ok, problem)
		}
	}
}

func TestDiagnoseFinds(t *testing.T) {
	p := testenv.StartPostgres(t, "fsync=off", "autovacuum=off")
	s := openURL(t, p.AdminURL(), &Options{Conns: 500})
	all := diagnose(t, s)
	for check, want := range map[string]string{"durability": "set fsync=on", "table": "autovacuum", "connections": "! a process that starts now"} {
		if !strings.Contains(all[check], want) {
			t.Errorf("%s: %q: expected %q", check, all[check], want)
		}
	}
	url := newDatabase(t)
	openURL(t, url, nil)
	lax := openURL(t, url+"?synchronous_commit=off", nil)
	if got := diagnose(t, lax)["durability"]; !strings.Contains(got, "out of the URL") {
		t.Errorf("synchronous_commit=off: %q", got)
	}
	sound := openURL(t, url, nil)
	admin(t, url, fmt.Sprintf("ALTER DATABASE %s SET default_transaction_read_only = on", url[strings.LastIndex(url, "/")+1:]))
	sound.pool.Reset()
	if got := diagnose(t, sound)["role"]; !strings.Contains(got, "default_transaction_read_only") {
		t.Errorf("read-only: %q", got)
	}
}
