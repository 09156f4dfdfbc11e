package mysql

import (
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/testenv"
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
	s := openURL(t, newDatabase(t), &Options{Conns: 2})
	create(t, s, "one", "user")
	all := diagnose(t, s)
	for _, check := range strings.Fields("engine role schema durability packets connections table") {
		if problem, ok := all[check]; !ok || problem != "" {
			t.Errorf("%s: reported: %v, %s", check, ok, problem)
		}
	}
}

func TestDiagnoseFinds(t *testing.T) {
	m := testenv.StartMariaDB(t, "innodb_flush_log_at_trx_commit=2", "max_allowed_packet=1M")
	admin(t, m.AdminURL(), "CREATE DATABASE sick")
	s := openURL(t, m.URL(testenv.Admin, testenv.Admin, "sick"), &Options{Conns: 500})
	admin(t, m.AdminURL(), "SET GLOBAL read_only = 1")
	all := diagnose(t, s)
	for check, want := range map[string]string{
		"durability": "innodb_flush_log_at_trx_commit=1", "packets": "! larger sessions",
		"connections": "! a process that starts now", "role": "name the primary",
	} {
		if !strings.Contains(all[check], want) {
			t.Errorf("%s: %q: expected %q", check, all[check], want)
		}
	}
}
