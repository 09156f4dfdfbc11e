// Package env lets programs start the servers of the tests.
package env

import (
	"fmt"
	"log"
	"os"
)

// An Env is a testenv.TB for programs.
type Env struct {
	cleanups []func()
	failed   bool
}

// Stopped is what Fatalf and Skipf panic with.
type Stopped string

// Error is the text.
func (s Stopped) Error() string { return string(s) }

// The methods of a testenv.TB.
func (e *Env) Helper()                         {}
func (e *Env) Logf(format string, args ...any) { log.Printf(format, args...) }
func (e *Env) Fatalf(format string, args ...any) {
	e.failed = true
	panic(Stopped(fmt.Sprintf(format, args...)))
}
func (e *Env) Skipf(format string, args ...any) { panic(Stopped(fmt.Sprintf(format, args...))) }
func (e *Env) Failed() bool                     { return e.failed }
func (e *Env) Cleanup(f func())                 { e.cleanups = append(e.cleanups, f) }

func (e *Env) TempDir() string {
	dir, err := os.MkdirTemp("", "sojourn-bench-")
	if err != nil {
		e.Fatalf("%v", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // servers may run as another user
		e.Fatalf("%v", err)
	}
	e.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// End ends all that was started.
func (e *Env) End() {
	for i := len(e.cleanups) - 1; i >= 0; i-- {
		e.cleanups[i]()
	}
}
