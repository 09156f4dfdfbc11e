package sojourn_test

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails the package if tests leave goroutines behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		if left := leftovers(2 * time.Second); len(left) > 0 {
			fmt.Fprintf(os.Stderr, "%d goroutines outlived the tests:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
			code = 1
		}
	}
	os.Exit(code)
}

// leftovers waits for goroutines to end and returns the stacks of those that do
// not. The asking one and package testing's own are no leak.
func leftovers(patience time.Duration) (left []string) {
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left = left[:0]
		for i, stack := range strings.Split(strings.TrimSpace(string(stacks)), "\n\n") {
			if i > 0 && !expected(stack) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(end) {
			return left
		}
	}
}

func expected(stack string) bool {
	for _, part := range []string{"testing.(*M).", "testing.runTests", "testing.(*T).Run(", "os/signal.loop", "runtime.ensureSigM", "runtime/trace.", "internal/fuzz."} {
		if strings.Contains(stack, part) {
			return true
		}
	}
	return false
}

// The check must see a leak, and its end.
func TestLeftoversDetects(t *testing.T) {
	stop := make(chan struct{})
	go leakyGoroutine(stop)
	seen := func(patience time.Duration) bool {
		return strings.Contains(strings.Join(leftovers(patience), "\n"), "leakyGoroutine(")
	}
	if !seen(50 * time.Millisecond) {
		t.Error("a leak was not seen")
	}
	close(stop)
	for end := time.Now().Add(2 * time.Second); seen(0); {
		if time.Now().After(end) {
			t.Fatal("a goroutine that has ended is still seen")
		}
		runtime.Gosched()
	}
}

func leakyGoroutine(stop chan struct{}) { <-stop }
