package testenv

import (
	"net"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const installPHP = "apt-get install php8.2-cli php8.2-fpm php-redis php-memcached php-igbinary"

// A PHP is one PHP with the application of the folder php.
type PHP struct {
	*Process
	URL string
}

// StartPHP starts PHP's own web server with several workers, and waits until it
// listens. settings are lines of php.ini, as in "session.save_handler=redis".
func StartPHP(t TB, settings ...string) *PHP {
	t.Helper()
	php := Binary(t, installPHP, "php8.2", "php")
	needExtensions(t, php, settings)
	addr := Loopback(Port(t))
	p := &PHP{URL: "http://" + addr}
	p.Process = Command(t, t.TempDir(), "php", php, append(phpSettings(settings), "-S", addr, phpApp()), "PHP_CLI_SERVER_WORKERS=6")
	p.workers = true
	p.Start()
	p.Ready(20*time.Second, reachable(addr))
	return p
}

// phpApp is the application's file.
func phpApp() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "php", "app.php")
}

func phpSettings(settings []string) (args []string) {
	for _, s := range append([]string{"session.use_strict_mode=1", "session.gc_probability=0", "display_errors=0", "log_errors=1", "error_log=/dev/stderr", "opcache.enable=0"}, settings...) {
		args = append(args, "-d", s)
	}
	return args
}

// needExtensions skips where a setting needs an extension that is not installed.
func needExtensions(t TB, php string, settings []string) {
	t.Helper()
	out, err := exec.Command(php, "-m").Output()
	if err != nil {
		t.Fatalf("php -m: %v", err)
	}
	for _, extension := range []string{"redis", "memcached", "igbinary"} {
		if strings.Contains(strings.Join(settings, "\n"), "="+extension) && !strings.Contains("\n"+string(out), "\n"+extension+"\n") {
			if Required() {
				t.Fatalf("PHP has no extension %s, and SOJOURN_REQUIRE_SERVICES=1: %s", extension, installPHP)
			}
			t.Skipf("PHP has no extension %s: %s", extension, installPHP)
		}
	}
}

func reachable(addr string) func() error {
	return func() error {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			c.Close()
		}
		return err
	}
}

// StartFPM starts PHP-FPM with several workers behind a small web server. cgi-fcgi,
// which speaks FastCGI, stands for nginx.
func StartFPM(t TB, settings ...string) *PHP {
	t.Helper()
	fpm := Binary(t, installPHP, "php-fpm8.2", "php-fpm")
	bridge := Binary(t, "apt-get install libfcgi-bin", "cgi-fcgi")
	needExtensions(t, Binary(t, installPHP, "php8.2", "php"), settings)
	addr := Loopback(Port(t))
	dir := t.TempDir()
	conf := "[global]\nerror_log=/dev/stderr\n[www]\nlisten=" + addr + "\npm=static\npm.max_children=6\n"
	if os.Geteuid() == 0 {
		conf += "user=root\n"
	}
	file := filepath.Join(dir, "fpm.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatalf("%v", err)
	}
	p := &PHP{Process: Command(t, dir, "php-fpm", fpm, append([]string{"-R", "-F", "-y", file}, phpSettings(settings)...))}
	p.workers = true
	p.Start()
	p.Ready(20*time.Second, reachable(addr))
	front := httptest.NewServer(&cgi.Handler{Path: bridge, Args: []string{"-bind", "-connect", addr}, Root: "/",
		Env: []string{"SCRIPT_FILENAME=" + phpApp(), "REDIRECT_STATUS=200"}})
	t.Cleanup(front.Close)
	p.URL = front.URL
	return p
}

// StartFlask starts an application in Python, "flask_app.py" of the folder python,
// and waits until it listens. env are its settings, as in "SECRETS=one".
func StartFlask(t TB, env ...string) *Node {
	t.Helper()
	const install = "apt-get install python3-flask python3-flask-session python3-redis"
	python := Binary(t, install, "/usr/bin/python3")
	if out, err := exec.Command(python, "-W", "ignore", "-c", "import flask, flask_session, redis").CombinedOutput(); err != nil {
		if Required() {
			t.Fatalf("Python lacks a module, and SOJOURN_REQUIRE_SERVICES=1: %s\n%s", install, out)
		}
		t.Skipf("Python has no Flask: %s", install)
	}
	port := Port(t)
	_, here, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(here), "python", "flask_app.py")
	addr := Loopback(port)
	n := &Node{URL: "http://" + addr}
	n.Process = Command(t, t.TempDir(), "flask", python, []string{"-B", "-W", "ignore", script}, append(env, "PORT="+strconv.Itoa(port))...)
	n.Start()
	n.Ready(30*time.Second, reachable(addr))
	return n
}
