package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

func TestServeStartUpLines(t *testing.T) {
	dir := t.TempDir()
	server := start(t, call{dir: dir})
	for _, text := range []string{"sqlite:sojourn.db (created)", "Cookie    sojourn, HttpOnly, SameSite=Lax, not Secure",
		"30m idle, 12h absolute", "Ctrl+C"} {
		if !strings.Contains(server.text(), text) {
			t.Errorf("start-up lines lack %q:\n%s", text, server.text())
		}
	}
	if strings.Contains(server.text(), "Warning") {
		t.Errorf("a warning on a loopback address:\n%s", server.text())
	}
	for _, path := range []string{"/", "/healthz", "/readyz", "/_session/v1/status", "/_session/v1/sojourn.js"} {
		newVisitor(server.url).must(t, "GET", path, "")
	}
	if code := server.stop(t); code != 0 {
		t.Errorf("exit code %d after SIGTERM, want 0:\n%s", code, server.text())
	}
	if again := start(t, call{dir: dir}); strings.Contains(again.text(), "(created)") {
		t.Errorf("an existing store is said to be new:\n%s", again.text())
	}
}

func TestServeSessionSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	server := start(t, call{dir: dir})
	v := newVisitor(server.url).login(t, "ada")
	v.must(t, "POST", "/demo/cart", `{"item":"tea","quantity":2}`)
	server.stop(t)

	v.url = start(t, call{dir: dir}).url
	data := v.must(t, "GET", "/_session/v1/data", "")["data"]
	if got := fmt.Sprint(data); got != "map[cart:map[tea:2]]" {
		t.Errorf("after the restart the session holds %s", got)
	}
}

// The environment is over the default, the flag over both.
func TestServeEnvironment(t *testing.T) {
	env := []string{"SOJOURN_IDLE=7m", "SOJOURN_STORE=memory:"}
	if server := start(t, call{env: env}); !strings.Contains(server.text(), "7m idle") || !strings.Contains(server.text(), "memory:") {
		t.Errorf("the environment was not read:\n%s", server.text())
	}
	if server := start(t, call{env: env}, "--idle", "9m"); !strings.Contains(server.text(), "9m idle") {
		t.Errorf("the flag did not win over the environment:\n%s", server.text())
	}
	// A longer idle timeout lifts the absolute one, unless that was given.
	if server := start(t, call{env: []string{"SOJOURN_IDLE=20h"}}, "--store", "memory:"); !strings.Contains(server.text(), "20h idle, 20h absolute") {
		t.Errorf("the absolute timeout was not lifted:\n%s", server.text())
	}
	runCommand(t, call{env: []string{"SOJOURN_ABSOLUTE=1h"}}, "serve", "--idle", "2h").
		want(t, 1, "--absolute 1h is shorter than --idle 2h")
	runCommand(t, call{env: []string{"SOJOURN_LISTEN=nowhere"}}, "serve").want(t, 1, `SOJOURN_LISTEN "nowhere": expected host:port`)
}

func TestServeRefusals(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	foreign := filepath.Join(dir, "foreign.db")
	makeForeign(t, foreign)
	before, _ := os.ReadFile(foreign)
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}

	cert, key, _ := certificate(t)
	short := filepath.Join(dir, "short.txt")
	if err := os.WriteFile(short, []byte("abcde\n"), 0o600); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		name  string
		args  []string
		texts []string
	}{
		{"port in use", []string{"--listen", taken.Addr().String(), "--store", "memory:"}, []string{"the port is in use", "choose another, as in --listen 127.0.0.1:"}},
		{"malformed listen", []string{"--listen", "8080"}, []string{"expected host:port"}},
		{"port out of range", []string{"--listen", "127.0.0.1:99999"}, []string{"65535"}},
		{"foreign address", []string{"--listen", "192.0.2.1:0", "--store", "memory:"}, []string{"does not have the address 192.0.2.1"}},
		{"unknown store", []string{"--store", "etcd:2379"}, []string{`"etcd:2379"`, "sqlite:PATH", "memory:", "redis://", "sojourn help stores"}},
		{"store without scheme", []string{"--store", "sojourn.db"}, []string{"sqlite:PATH", "memory:"}},
		{"no file named", []string{"--store", "sqlite:"}, []string{"names no file"}},
		{"no such folder", []string{"--store", "sqlite:" + filepath.Join(dir, "none", "s.db")}, []string{"there is no folder", "create it"}},
		{"a folder", []string{"--store", "sqlite:" + dir}, []string{"folder", "expected"}},
		{"not a database", []string{"--store", "sqlite:" + text}, []string{"not an SQLite database"}},
		{"another schema", []string{"--store", "sqlite:" + foreign}, []string{"another schema", "expected", "nothing was changed"}},
		{"bad duration", []string{"--idle", "soon"}, []string{`--idle "soon": expected a duration`, "30m"}},
		{"negative duration", []string{"--absolute", "-1h"}, []string{"above zero"}},
		{"short idle", []string{"--idle", "10ms"}, []string{"expected at least 1s"}},
		{"bad level", []string{"--log-level", "loud"}, []string{"debug, info, warn, error"}},
		{"bad proxy", []string{"--trusted-proxy", "proxy"}, []string{"10.0.0.0/8"}},
		{"certificate alone", []string{"--tls-cert", "cert.pem"}, []string{"expected --tls-key too"}},
		{"no certificate", []string{"--tls-cert", "cert.pem", "--tls-key", "key.pem"}, []string{"--tls-cert cert.pem", "expected a PEM file"}},
		{"near cache of a file", []string{"--near-cache", "500ms", "--store", "sqlite:" + filepath.Join(dir, "near.db")}, []string{"behind a network", "on this machine"}},
		{"long near cache", []string{"--near-cache", "1m", "--store", "memory:"}, []string{"--near-cache 1m: expected at most 1s"}},
		{"long stale", []string{"--serve-stale", "1h", "--store", "memory:"}, []string{"--serve-stale 1h: expected at most 10m"}},
		{"no such level", []string{"--store", "memory:", "--aal", "4"}, []string{"--aal 4: expected 1, 2 or 3"}},
		{"too idle for the level", []string{"--store", "memory:", "--aal", "3", "--idle", "1h"}, []string{"--idle 1h: expected at most 15m with --aal 3"}},
		{"too long for the level", []string{"--store", "memory:", "--aal", "2", "--absolute", "2d"}, []string{"--absolute 2d: expected at most 24h with --aal 2"}},
		{"no such reaction", []string{"--store", "memory:", "--on-replay", "panic"}, []string{`--on-replay "panic": expected one of report, revoke, revoke-all`}},
		{"no such answer", []string{"--store", "memory:", "--on-signal", "logout"}, []string{"expected one of none, report, step-up, revoke, revoke-all"}},
		{"fewer than no sessions", []string{"--store", "memory:", "--max-sessions-per-user", "-1"}, []string{"--max-sessions-per-user -1: expected 0 to 10000"}},
		{"fewer than no misses", []string{"--store", "memory:", "--max-misses", "-1"}, []string{"--max-misses -1: expected 0 to 1048576"}},
		{"binding without TLS", []string{"--store", "memory:", "--dbsc"}, []string{"over HTTPS only", "expected --tls-cert and --tls-key too"}},
		{"key of no binding", []string{"--store", "memory:", "--dbsc-key", text}, []string{"expected --dbsc too"}},
		{"short proof", []string{"--store", "memory:", "--dbsc", "--dbsc-lifetime", "1s", "--tls-cert", cert, "--tls-key", key}, []string{"--dbsc-lifetime 1s: expected 10s to 24h"}},
		{"short unbound", []string{"--store", "memory:", "--dbsc", "--dbsc-unbound-for", "1s", "--tls-cert", cert, "--tls-key", key}, []string{"--dbsc-unbound-for 1s: expected at least 1m"}},
		{"no binding key", []string{"--store", "memory:", "--dbsc", "--dbsc-key", "nowhere", "--tls-cert", cert, "--tls-key", key}, []string{"--dbsc-key nowhere", "openssl rand -hex 32"}},
		{"short binding key", []string{"--store", "memory:", "--dbsc", "--dbsc-key", short, "--tls-cert", cert, "--tls-key", key}, []string{"has 5 characters, expected at least 32"}},
		{"no pem", []string{"--tls-cert", text, "--tls-key", text}, []string{"both PEM"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"serve", "--listen", "127.0.0.1:0"}, c.args...)
			r := runCommand(t, call{}, args...)
			r.want(t, 1, c.texts...)
			if n := strings.Count(r.err, "\n"); n != 1 || r.out != "" {
				t.Errorf("%d lines on standard error and %q on standard output, want one line and nothing", n, r.out)
			}
		})
	}
	if after, _ := os.ReadFile(foreign); string(before) != string(after) {
		t.Error("the other application's database was changed")
	}
}

func TestServeUnwritableFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "locked")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 || runtime.GOOS == "windows" {
		// Permissions do not bind this user; /proc is a folder nobody creates files in.
		if dir = "/proc"; runtime.GOOS != "linux" {
			t.Skip("run as another user than root: permissions do not bind root")
		}
	}
	runCommand(t, call{}, "serve", "--listen", "127.0.0.1:0", "--store", "sqlite:"+filepath.Join(dir, "s.db")).
		want(t, 1, "--store sqlite:"+dir, "expected a folder that exists and is writable")
}

func makeForeign(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE orders (id INTEGER PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
}

// On an address that others can reach the cookie stays Secure, and the start
// says what that takes.
func TestServeElsewhere(t *testing.T) {
	server := start(t, call{}, "--listen", "0.0.0.0:0", "--store", "memory:")
	for _, text := range []string{"__Host-sojourn, HttpOnly, SameSite=Lax, Secure", "Warning:", "TLS in front", "http://localhost:"} {
		if !strings.Contains(server.text(), text) {
			t.Errorf("start-up lines lack %q:\n%s", text, server.text())
		}
	}
}

func TestServeTLS(t *testing.T) {
	cert, key, pool := certificate(t)
	server := start(t, call{}, "--store", "memory:", "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(server.url, "https://") || strings.Contains(server.text(), "Warning") {
		t.Errorf("start-up lines:\n%s", server.text())
	}
	v := newVisitor(server.url)
	v.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	v.login(t, "grace")
	if !strings.HasPrefix(v.cookie, "__Host-sojourn=") || v.state(t) != "active" {
		t.Errorf("the cookie over TLS is called %.14s", v.cookie)
	}
}

func certificate(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(parsed)
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", keyDER), pool
}

// No token ever stands in a log, whatever its level and form.
func TestServeLogs(t *testing.T) {
	server := start(t, call{}, "--store", "memory:", "--log-level", "debug")
	v := newVisitor(server.url).login(t, "ada")
	v.must(t, "POST", "/demo/visit", "{}")
	token := v.token()
	v.must(t, "DELETE", "/_session/v1/", "")
	server.stop(t)
	if log := server.text(); strings.Contains(log, token) || strings.Contains(log, token[30:]) {
		t.Errorf("the log holds a token:\n%s", log)
	} else if !strings.Contains(log, "session created") || !strings.Contains(log, "reason=logout") {
		t.Errorf("the log lacks the session's begin or end:\n%s", log)
	}
}

func TestServeLogJSON(t *testing.T) {
	cmd := call{dir: t.TempDir()}
	port := freePort(t)
	out, in := io.Pipe()
	done := make(chan int, 1)
	process := launch(t, cmd, in, "serve", "--listen", port, "--store", "memory:", "--log-format", "json")
	go func() { process.Wait(); in.Close(); done <- process.ProcessState.ExitCode() }()
	lines := bufio.NewScanner(out)
	for first := true; lines.Scan(); first = false {
		var record map[string]any
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			t.Errorf("not JSON: %s", lines.Text())
		}
		if first {
			if record["msg"] != "listening" || record["url"] != "http://"+port+"/" || record["cookie"] != "sojourn" {
				t.Errorf("first record: %v", record)
			}
			process.Process.Signal(syscall.SIGTERM)
		}
	}
	if code := <-done; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestServeFinishesRequestsUnderWay(t *testing.T) {
	server := start(t, call{}, "--store", "memory:", "--shutdown-timeout", "20s")
	conn, finish := halfRequest(t, server)
	server.cmd.Process.Signal(syscall.SIGTERM)
	waitRefused(t, server)
	io.WriteString(conn, finish)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("the request under way got %v, %v", resp, err)
	}
	<-server.done
	if code := server.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d:\n%s", code, server.text())
	}
}

func TestServeCutsOffAfterTimeout(t *testing.T) {
	server := start(t, call{}, "--store", "memory:", "--shutdown-timeout", "100ms")
	halfRequest(t, server)
	if code := server.stop(t); code != 1 || !strings.Contains(server.text(), "cut off; a longer --shutdown-timeout") {
		t.Errorf("exit code %d:\n%s", code, server.text())
	}
}

// halfRequest sends a login but for its last byte, once its handler reads it.
func halfRequest(t *testing.T, server *running) (conn net.Conn, rest string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	body := loginBody("ada")
	fmt.Fprintf(conn, "POST /demo/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	answer := make([]byte, len("HTTP/1.1 100"))
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 100" {
		t.Fatalf("expected to be told to go on: %q %v", answer, err)
	}
	rest13 := make([]byte, len(" Continue\r\n\r\n"))
	io.ReadFull(conn, rest13)
	io.WriteString(conn, body[:len(body)-1])
	return conn, body[len(body)-1:]
}

// waitRefused returns when the server takes no more connections.
func waitRefused(t *testing.T, server *running) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", strings.TrimPrefix(server.url, "http://"))
		if err != nil {
			return
		}
		c.Close()
	}
	t.Fatal("the server still takes connections")
}
