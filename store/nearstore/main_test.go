package nearstore_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestMain fails the package if tests leave goroutines behind.
func TestMain(m *testing.M) {
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
