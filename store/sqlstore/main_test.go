package sqlstore

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"
)

// childRole names, in the environment, what a test binary does instead of its
// tests when a test starts it as another process.
const childRole = "SOJOURN_SQLSTORE_CHILD"

var children = map[string]func(args []string) error{
	"writes until it is killed": writeUntilKilled,
	"counts":                    countUp,
}

func TestMain(m *testing.M) {
	if role, ok := os.LookupEnv(childRole); ok {
		if err := children[role](os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	before := runtime.NumGoroutine()
	code := m.Run()
	for wait := time.Now(); code == 0 && runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Since(wait) > 5*time.Second {
			stacks := make([]byte, 1<<20)
			fmt.Printf("goroutines remain after the tests:\n%s\n", stacks[:runtime.Stack(stacks, true)])
			code = 1
		}
	}
	os.Exit(code)
}

// A child is this test binary in another role.
type child struct {
	*exec.Cmd
	lines *bufio.Scanner
}

func startChild(t *testing.T, role string, args ...string) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: exec.Command(exe, args...)}
	c.Env = append(os.Environ(), childRole+"="+role)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	c.lines = bufio.NewScanner(out)
	return c
}
