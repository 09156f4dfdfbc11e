package testenv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	installPostgres  = "apt-get install postgresql (15 or later)"
	databasePatience = 30 * time.Second
)

// Admin is the name and the password of the user who may do everything in a
// database server.
const Admin = "sojourn-admin"

// A Postgres is one PostgreSQL server, with Admin as its superuser.
// It syncs to the disk as a real one does, and asks for passwords.
type Postgres struct {
	*Process
	Addr string
	Data string // the folder of its files
}

// StartPostgres initializes a database in a temporary folder, starts a server on
// it and waits until it answers. settings are as in postgresql.conf:
// "max_connections=20".
func StartPostgres(t TB, settings ...string) *Postgres {
	t.Helper()
	initdb := Binary(t, installPostgres, "initdb")
	program := Binary(t, installPostgres, "postgres")
	dir := t.TempDir()
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(Admin), 0o644); err != nil {
		t.Fatalf("%v", err)
	}
	data := filepath.Join(dir, "data")
	initialize(t, dir, initdb, "--pgdata", data, "--username", Admin, "--pwfile", password,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	port := Port(t)
	args := []string{"-D", data}
	for _, s := range append([]string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(port), "unix_socket_directories=",
		"shared_buffers=64MB", "max_connections=100", "jit=off",
	}, settings...) {
		args = append(args, "-c", s)
	}
	path, args := asUser(t, dir, program, args)
	p := &Postgres{Process: Command(t, dir, "postgres", path, args, "LC_ALL=C"), Addr: Loopback(port), Data: data}
	p.Start()
	return p
}

// Start starts the server, again after Kill or Stop: with all it kept.
func (p *Postgres) Start() {
	p.t.Helper()
	p.Process.Start()
	p.Process.Ready(databasePatience, func() error { return postgresAnswers(p.Addr) })
}

// Kill ends the whole server as a crash of the machine's software does: kill -9
// of the main process and of those that serve its clients.
func (p *Postgres) Kill() {
	children := p.children()
	p.Process.Kill()
	for _, c := range children {
		c.Kill()
	}
	// One that lives on would keep the shared memory from the next server.
	poll(5*time.Second, nil, func() error {
		for _, c := range children {
			if runs(c.Pid) {
				return fmt.Errorf("process %d has not ended", c.Pid)
			}
		}
		return nil
	})
}

// Stop ends the server in good order, whoever is connected.
func (p *Postgres) Stop() { p.Process.end(syscall.SIGINT, databasePatience) }

// children are the processes that serve clients. Linux only: elsewhere they end
// by themselves a moment after the main one.
func (p *Process) children() (all []*os.Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return nil
	}
	pid := strconv.Itoa(p.cmd.Process.Pid)
	list, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if err != nil {
		return nil
	}
	for _, f := range strings.Fields(string(list)) {
		n, err := strconv.Atoi(f)
		if err != nil {
			continue
		}
		if child, err := os.FindProcess(n); err == nil {
			all = append(all, child)
		}
	}
	return all
}

// runs reports whether a process has not ended. One that its parent has not asked
// about yet has: its state, behind its name in parentheses, is Z.
func runs(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	_, state, _ := strings.Cut(string(stat), ") ")
	return err == nil && !strings.HasPrefix(state, "Z")
}

// URL is where the user reaches the database, directly, or with its host
// replaced through a Proxy.
func (p *Postgres) URL(user, password, database string) string {
	return databaseURL("postgres", p.Addr, user, password, database)
}

// AdminURL is the URL of Admin and of the database that every server has.
func (p *Postgres) AdminURL() string { return p.URL(Admin, Admin, "postgres") }

func databaseURL(scheme, addr, user, password, database string) string {
	u := url.URL{Scheme: scheme, User: url.UserPassword(user, password), Host: addr, Path: "/" + database}
	return u.String()
}

// initialize runs a program that creates a server's files in dir.
func initialize(t TB, dir, path string, args ...string) {
	t.Helper()
	program, args := asUser(t, dir, path, args)
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(path), err, out)
	}
}

// postgresAnswers tells whether a server lets clients in: it asks for a password
// then, and answers with an error while it starts.
func postgresAnswers(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	hello := binary.BigEndian.AppendUint32(nil, 3<<16) // protocol 3.0
	hello = append(hello, "user\x00"+Admin+"\x00database\x00postgres\x00\x00"...)
	message := binary.BigEndian.AppendUint32(nil, uint32(len(hello)+4))
	if _, err := conn.Write(append(message, hello...)); err != nil {
		return err
	}
	answer := make([]byte, 256)
	n, err := conn.Read(answer)
	if err != nil {
		return err
	}
	if answer[0] != 'R' {
		return errors.New(strings.ReplaceAll(string(answer[:n]), "\x00", " "))
	}
	return nil
}
