package main

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// remoteStores starts an engine of each kind and returns the URLs of empty stores.
func remoteStores(t *testing.T) map[string]string {
	t.Helper()
	redis := testenv.StartRedis(t, &testenv.RedisOptions{Config: []string{"appendonly yes", "appendfsync always"}})
	postgres := testenv.StartPostgres(t)
	mariadb := testenv.StartMariaDB(t)
	db, err := sql.Open("pgx", postgres.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE DATABASE app"); err != nil {
		t.Fatal(err)
	}
	my, err := sql.Open("mysql", testenv.Admin+":"+testenv.Admin+"@tcp("+mariadb.Addr+")/mysql")
	if err != nil {
		t.Fatal(err)
	}
	defer my.Close()
	if _, err := my.Exec("CREATE DATABASE app"); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"redis":    "redis://" + redis.Addr + "/0",
		"postgres": postgres.URL(testenv.Admin, testenv.Admin, "app"),
		"mysql":    mariadb.URL(testenv.Admin, testenv.Admin, "app"),
	}
}

// TestMigrateThroughEveryStore sends sessions round: each store is left as it was
// entered, and its doctor has nothing to complain of.
func TestMigrateThroughEveryStore(t *testing.T) {
	dir := t.TempDir()
	live, dead := fill(t, filepath.Join(dir, "first.db"), 100)
	remote := remoteStores(t)
	way := []string{"sqlite:first.db", remote["redis"], remote["postgres"], remote["mysql"], "sqlite:last.db"}
	for i, to := range way[1:] {
		from := way[i]
		r := runCommand(t, call{dir: dir}, "migrate", "--from", from, "--to", to)
		r.want(t, 0, "Carried 80 sessions", "Nothing is left")
		r = runCommand(t, call{dir: dir}, "doctor", "--store", to, "--probes", "10")
		r.want(t, 0, "✓ reachable", "✓ operations", "p99")
		if u := redact(to); u != to && strings.Contains(r.out+r.err, to) {
			t.Errorf("the doctor shows the password of %s", u)
		}
	}
	arrived(t, filepath.Join(dir, "last.db"), live, dead)

	// With a server on the way back, which moves what it meets.
	moving := start(t, call{dir: dir}, "--store", remote["redis"]+"?prefix=back:", "--store-from", "sqlite:last.db")
	v := newVisitor(moving.url)
	v.cookie = "sojourn=" + live[0].Reveal()
	if state := v.state(t); state != "active" {
		t.Errorf("at a server that moves from SQLite to Redis: %s", state)
	}
	runCommand(t, call{dir: dir}, "sessions", "revoke", string(live[1].ID()), "--store", remote["redis"]+"?prefix=back:", "--store-from", "sqlite:last.db").
		want(t, 0, "Ended "+string(live[1].ID()))
	v.cookie = "sojourn=" + live[1].Reveal()
	if state := v.state(t); state != "ended" {
		t.Errorf("revoked while moving from SQLite to Redis: %s", state)
	}
}

// Memcached cannot be gone through, but can be moved to.
func TestMigrateMemcached(t *testing.T) {
	dir := t.TempDir()
	live, _ := fill(t, filepath.Join(dir, "old.db"), 20)
	url := "memcached://" + testenv.StartMemcached(t).Addr
	runCommand(t, call{dir: dir}, "migrate", "--from", "sqlite:old.db", "--to", url).want(t, 0, "Carried 16 sessions")
	runCommand(t, call{dir: dir}, "doctor", "--store", url).want(t, 0, "! device lists", "! listing")
	runCommand(t, call{dir: dir}, "migrate", "--from", url, "--to", "sqlite:new.db").want(t, 1, "cannot list its sessions", "--store-from OLD")
	// The other way round, each moves when it is met.
	moving := start(t, call{dir: dir}, "--store", "sqlite:new.db", "--store-from", url)
	v := newVisitor(moving.url)
	for _, token := range []sojourn.Token{live[0], live[1]} {
		v.cookie = "sojourn=" + token.Reveal()
		if state := v.state(t); state != "active" {
			t.Errorf("a session from Memcached: %s", state)
		}
	}
}
