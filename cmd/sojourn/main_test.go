package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the command, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		for _, v := range os.Environ() { // settings of the person who runs the tests
			if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "SOJOURN_") &&
				name != "SOJOURN_REQUIRE_SERVICES" && name != "SOJOURN_CRASH_ROUNDS" {
				os.Unsetenv(name)
			}
		}
		dir, err := os.MkdirTemp("", "sojourn-cmd-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "sojourn")
		if runtime.GOOS == "windows" {
			binary += ".exe"
		}
		build := []string{"build", "-ldflags", "-X main.version=1.2.3-test", "-o", binary, "."}
		if raceDetector {
			build = slices.Insert(build, 1, "-race") // the server runs in another process than the tests
			os.Setenv("GORACE", "atexit_sleep_ms=0") // a second for each command otherwise
		}
		out, err := exec.Command("go", build...).CombinedOutput()
		if err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// A result is what a finished command left.
type result struct {
	out, err string
	code     int
}

// runCommand runs the command to its end in a folder of its own.
func runCommand(t *testing.T, c call, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = c.dir
	if cmd.Dir == "" {
		cmd.Dir = t.TempDir()
	}
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stdin = strings.NewReader(c.stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !asExit(err, &exit) {
		t.Fatalf("sojourn %s: %v", strings.Join(args, " "), err)
	}
	return result{out.String(), errs.String(), cmd.ProcessState.ExitCode()}
}

func asExit(err error, exit **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*exit = e
	return ok
}

type call struct {
	dir   string
	env   []string
	stdin string
}

// want fails unless the command ended with code and said all of texts.
func (r result) want(t *testing.T, code int, texts ...string) {
	t.Helper()
	good := r.code == code
	if !good {
		t.Errorf("exit code %d, want %d", r.code, code)
	}
	for _, text := range texts {
		if !strings.Contains(r.out+r.err, text) {
			t.Errorf("output lacks %q", text)
			good = false
		}
	}
	if !good {
		t.Logf("standard output:\n%s\nstandard error:\n%s", r.out, r.err)
	}
}

// A running is a server under test.
type running struct {
	cmd  *exec.Cmd
	url  string // without the final slash
	done chan error

	mu  sync.Mutex
	log bytes.Buffer // standard output and error
}

func (r *running) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(b)
}

func (r *running) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

var openLine = regexp.MustCompile(`(?m)^  Open +(https?://\S+)/$`)

// start runs "sojourn serve" on a free port and returns when it listens. The
// server ends with the test.
func start(t *testing.T, c call, args ...string) *running {
	t.Helper()
	r := &running{done: make(chan error, 1)}
	r.cmd = exec.Command(binary, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)
	r.cmd.Dir = c.dir
	if r.cmd.Dir == "" {
		r.cmd.Dir = t.TempDir()
	}
	r.cmd.Env = append(os.Environ(), c.env...)
	r.cmd.Stdout, r.cmd.Stderr = r, r
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.done <- r.cmd.Wait(); close(r.done) }()
	t.Cleanup(func() {
		r.cmd.Process.Kill()
		<-r.done
		if strings.Contains(r.text(), "DATA RACE") {
			t.Errorf("the server has a data race:\n%s", r.text())
		}
	})

	deadline := time.After(20 * time.Second)
	for {
		if m := openLine.FindStringSubmatch(r.text()); m != nil {
			r.url = m[1]
			return r
		}
		select {
		case err := <-r.done:
			t.Fatalf("serve ended (%v):\n%s", err, r.text())
		case <-deadline:
			t.Fatalf("serve did not say where it listens:\n%s", r.text())
		case <-time.After(2 * time.Millisecond): // another process's output cannot signal us
		}
	}
}

// stop asks the server to end, as a service manager does, and returns its exit
// code.
func (r *running) stop(t *testing.T) int {
	t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-r.done:
	case <-time.After(30 * time.Second):
		t.Fatalf("serve did not end:\n%s", r.text())
	}
	return r.cmd.ProcessState.ExitCode()
}

// launch starts the command with its standard error going to w; it ends with
// the test.
func launch(t *testing.T, c call, w io.Writer, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Dir = c.dir
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd
}

// freePort gives an address that was free a moment ago, where the command
// cannot be asked which one it took.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
