package testenv

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const installMariaDB = "apt-get install mariadb-server (10.6 or later)"

// A MariaDB is one MariaDB server, with Admin as the user who may do everything.
// It syncs to the disk as a real one does, and asks for passwords.
type MariaDB struct {
	*Process
	Addr   string
	Socket string // the file of its local socket
	Data   string // the folder that has one for each database
}

// StartMariaDB initializes a data folder in a temporary one, starts a server on
// it and waits until it answers. settings are as in my.cnf: "max-connections=20".
func StartMariaDB(t TB, settings ...string) *MariaDB {
	t.Helper()
	program := Binary(t, installMariaDB, "mariadbd")
	install := Binary(t, installMariaDB, "mariadb-install-db")
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatalf("%v", err)
	}
	asUser(t, data, program, nil) // gives the folder away
	initialize(t, dir, install, "--no-defaults", "--datadir="+data, "--skip-test-db",
		"--auth-root-authentication-method=normal", "--innodb-log-file-size=32M")
	admin := filepath.Join(dir, "admin.sql")
	grant := fmt.Sprintf("CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO '%s'@'%%' WITH GRANT OPTION;\n", Admin, Admin, Admin)
	if err := os.WriteFile(admin, []byte(grant), 0o644); err != nil {
		t.Fatalf("%v", err)
	}
	port := Port(t)
	m := &MariaDB{Addr: Loopback(port), Socket: filepath.Join(dir, "socket"), Data: data}
	args := []string{"--no-defaults", "--datadir=" + data, "--socket=" + m.Socket, "--pid-file=" + filepath.Join(dir, "pid"),
		"--bind-address=127.0.0.1", "--port=" + strconv.Itoa(port), "--skip-name-resolve", "--init-file=" + admin,
		"--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--max-connections=100", "--performance-schema=OFF"}
	for _, s := range settings {
		args = append(args, "--"+s)
	}
	path, args := asUser(t, dir, program, args)
	m.Process = Command(t, dir, "mariadbd", path, args, "LC_ALL=C")
	m.Start()
	return m
}

// Start starts the server, again after Kill or Stop: with all it kept.
func (m *MariaDB) Start() {
	m.t.Helper()
	m.Process.Start()
	m.Process.Ready(databasePatience, func() error { return mariadbAnswers(m.Addr) })
}

// Stop ends the server in good order, whoever is connected.
func (m *MariaDB) Stop() { m.Process.end(syscall.SIGTERM, databasePatience) }

// URL is where the user reaches the database.
func (m *MariaDB) URL(user, password, database string) string {
	return databaseURL("mysql", m.Addr, user, password, database)
}

// AdminURL is the URL of Admin and of the database that every server has.
func (m *MariaDB) AdminURL() string { return m.URL(Admin, Admin, "mysql") }

// mariadbAnswers tells whether a server greets its clients.
func mariadbAnswers(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	greeting := make([]byte, 5)
	if _, err := io.ReadFull(conn, greeting); err != nil {
		return err
	}
	if greeting[4] != 10 { // the protocol's version; 255 is an error
		return errors.New("it answers with an error")
	}
	return nil
}
