// Package testenv starts real servers for tests: on free ports of the loopback
// interface, in temporary folders, ended with the test.
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
//
//	var server = testenv.Shared(func(t testenv.TB) *testenv.Redis { return testenv.StartRedis(t, nil) })
//
//	func TestSomething(t *testing.T) {
//		addr := server(t).Addr // started by the first test that asks
//	}
//
// A server whose program is not installed skips the test with a sentence that
// says what to install. With SOJOURN_REQUIRE_SERVICES=1, as in CI, it fails
// instead.
//
// Each engine has a file of its own here. It finds its program with [Binary],
// runs it as a [Process] and waits for it with [Process.Ready]. Between a client
// and its server, a [Proxy] delays, freezes and cuts.
//
// Caveats. The servers are set up for speed and for faults, never for safety:
// no passwords unless a test asks for them. Servers that a killed test binary
// leaves behind are ended by the kernel on Linux only.
package testenv

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// TB is what a server needs of the test that starts it: *testing.T has it.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Failed() bool
	Cleanup(func())
	TempDir() string
}

// Required reports whether absent servers fail tests, as in CI.
func Required() bool { return os.Getenv("SOJOURN_REQUIRE_SERVICES") == "1" }

// Binary finds the program by its names, in PATH and in the folders where
// distributions hide servers. Without it, the test is skipped (or fails, see
// [Required]); install says what to do, as in "apt-get install redis-server".
func Binary(t TB, install string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
		for _, pattern := range []string{"/usr/sbin/", "/usr/local/sbin/", "/usr/lib/postgresql/*/bin/"} {
			found, err := filepath.Glob(pattern + name)
			if err == nil && len(found) > 0 {
				return found[len(found)-1] // the newest version
			}
		}
	}
	if Required() {
		t.Fatalf("%s is not installed, and SOJOURN_REQUIRE_SERVICES=1: %s", names[0], install)
	}
	t.Skipf("%s is not installed: %s", names[0], install)
	return ""
}

var (
	givenMu sync.Mutex
	given   = map[int]bool{}
)

// Port is a free port of the loopback interface. It lies below the range from
// which the kernel serves clients, so that a server that is killed and started
// again finds it free.
func Port(t TB) int {
	t.Helper()
	givenMu.Lock()
	defer givenMu.Unlock()
	for range 1000 {
		port := 12000 + rand.N(20000)
		if given[port] {
			continue
		}
		l, err := net.Listen("tcp", Loopback(port))
		if err != nil {
			continue
		}
		l.Close()
		given[port] = true
		return port
	}
	t.Fatalf("no free port on the loopback interface")
	return 0
}

// Loopback is the address of a port on this machine.
func Loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// Eventually waits until check succeeds, at most that long, and otherwise fails
// the test with check's last error.
func Eventually(t TB, what string, atMost time.Duration, check func() error) {
	t.Helper()
	if err := poll(atMost, nil, check); err != nil {
		t.Fatalf("%s: not within %v: %v", what, atMost, err)
	}
}

var errEnded = errors.New("the process has ended")

func poll(atMost time.Duration, ended <-chan struct{}, check func() error) error {
	deadline := time.Now().Add(atMost)
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		err := check()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ended:
			return errEnded
		case <-time.After(wait):
		}
	}
}
