package testenv

import "testing"

func TestDatabasesStartAgainAfterAKill(t *testing.T) {
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		p := StartPostgres(t)
		p.Kill()
		if postgresAnswers(p.Addr) == nil {
			t.Error("a killed server answers")
		}
		p.Start()
		p.Stop()
		p.Start()
	})
	t.Run("MariaDB", func(t *testing.T) {
		t.Parallel()
		m := StartMariaDB(t)
		m.Kill()
		if mariadbAnswers(m.Addr) == nil {
			t.Error("a killed server answers")
		}
		m.Start()
		m.Stop()
		m.Start()
	})
}
