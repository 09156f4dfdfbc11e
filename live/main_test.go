package live_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain fails the package if tests leave goroutines behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			left := leftovers()
			if len(left) == 0 {
				break
			}
			if time.Now().After(end) {
				fmt.Fprintf(os.Stderr, "%d goroutines outlived the tests:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
				code = 1
				break
			}
		}
	}
	os.Exit(code)
}

func leftovers() (left []string) {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for i, stack := range strings.Split(strings.TrimSpace(string(stacks)), "\n\n") {
		if i > 0 && !expected(stack) {
			left = append(left, stack)
		}
	}
	return left
}

// expected are the goroutines of package testing itself.
func expected(stack string) bool {
	return slices.ContainsFunc([]string{"testing.(*", "internal/fuzz.", "os/signal.", "runtime.ensureSigM"}, func(part string) bool { return strings.Contains(stack, part) })
}
