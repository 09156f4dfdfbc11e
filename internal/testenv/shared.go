package testenv

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// Main runs a package's tests, ends what [Shared] started and fails if
// goroutines remain. It returns the exit code, for os.Exit in TestMain.
func Main(m *testing.M) int {
	code := m.Run()
	shared.end(code != 0)
	return max(code, leaked())
}

// Shared starts a server once, when the first test asks for it, for all tests
// of a package whose TestMain is [Main]. If start skips or fails, so does every
// test that asks.
func Shared[T any](start func(t TB) T) func(t TB) T {
	var once sync.Once
	var server T
	var failed, skipped string
	return func(t TB) T {
		t.Helper()
		once.Do(func() {
			own := &sharedTB{}
			done := make(chan struct{})
			go func() { // so that Fatalf and Skipf can end it
				defer close(done)
				server = start(own)
			}()
			<-done
			failed, skipped = own.failed, own.skipped
		})
		switch {
		case failed != "":
			t.Fatalf("the shared server: %s", failed)
		case skipped != "":
			t.Skipf("%s", skipped)
		}
		return server
	}
}

// sharedTB stands for the whole run of a test binary.
type sharedTB struct{ failed, skipped string }

func (*sharedTB) Helper() {}

func (*sharedTB) Logf(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func (s *sharedTB) Fatalf(format string, args ...any) {
	s.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (s *sharedTB) Skipf(format string, args ...any) {
	s.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (s *sharedTB) Failed() bool { return s.failed != "" || shared.isFailed() }

func (*sharedTB) Cleanup(f func()) { shared.add(f) }

func (s *sharedTB) TempDir() string {
	dir, err := os.MkdirTemp("", "sojourn-testenv-")
	if err != nil {
		s.Fatalf("%v", err)
	}
	shared.add(func() { os.RemoveAll(dir) })
	return dir
}

var shared cleanups

type cleanups struct {
	mu     sync.Mutex
	all    []func()
	failed bool
}

func (c *cleanups) add(f func()) {
	c.mu.Lock()
	c.all = append(c.all, f)
	c.mu.Unlock()
}

func (c *cleanups) isFailed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// end runs the cleanups, last one first.
func (c *cleanups) end(failed bool) {
	c.mu.Lock()
	all := c.all
	c.all, c.failed = nil, failed
	c.mu.Unlock()
	for i := len(all) - 1; i >= 0; i-- {
		all[i]()
	}
}

// leaked waits for goroutines to end and is 1 if some do not.
func leaked() (code int) {
	var left []string
	for began := time.Now(); time.Since(began) < 5*time.Second; time.Sleep(10 * time.Millisecond) {
		if left = strangers(); len(left) == 0 {
			return 0
		}
	}
	fmt.Printf("%d goroutines remain after the tests:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
	return 1
}

// strangers are the stacks of goroutines that neither package testing nor this
// package, nor the runtime keeps.
func strangers() []string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var left []string
	for i, stack := range strings.Split(string(stacks), "\n\n") {
		if i == 0 || strings.Contains(stack, "testenv.spawn") || strings.Contains(stack, "os/signal.") ||
			strings.Contains(stack, "testing.(*M)") || strings.Contains(stack, "testing.runFuzz") {
			continue
		}
		left = append(left, strings.TrimSpace(stack))
	}
	return left
}
