package main

import (
	"fmt"
	"log"
	"os"
)

// env lets this program start the servers of the tests: it is a testenv.TB.
type env struct {
	cleanups []func()
	failed   bool
}

// stopped ends the measurement of one store.
type stopped string

func (s stopped) Error() string { return string(s) }

func (e *env) Helper()                         {}
func (e *env) Logf(format string, args ...any) { log.Printf(format, args...) }
func (e *env) Fatalf(format string, args ...any) {
	e.failed = true
	panic(stopped(fmt.Sprintf(format, args...)))
}
func (e *env) Skipf(format string, args ...any) { panic(stopped(fmt.Sprintf(format, args...))) }
func (e *env) Failed() bool                     { return e.failed }
func (e *env) Cleanup(f func())                 { e.cleanups = append(e.cleanups, f) }

func (e *env) TempDir() string {
	dir, err := os.MkdirTemp("", "sojourn-sizes-")
	if err != nil {
		e.Fatalf("%v", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // servers may run as another user
		e.Fatalf("%v", err)
	}
	e.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (e *env) end() {
	for i := len(e.cleanups) - 1; i >= 0; i-- {
		e.cleanups[i]()
	}
}
