// Command sojourn serves web sessions and looks after those of a running
// server.
//
//	sojourn serve                       a server with a demo page on http://127.0.0.1:8080
//	sojourn sessions list|show|revoke   the sessions in a store
//	sojourn keys new|rotate|list        the keys that seal a store
//	sojourn migrate                     moves sessions to another store
//	sojourn doctor                      looks a store over
//	sojourn doctor cookie               looks a cookie of another system over
//	sojourn format decode|encode        the sessions of other systems
//	sojourn schema sqlite               the tables of an SQL store
//	sojourn token inspect               what a cookie's value is
//	sojourn version
//
// Exit codes: 0 done, 1 refused or failed (one sentence on standard error says
// what was expected and what to do), 2 the command line is wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// The first signal asks for a graceful end. stop then restores the default,
	// so that a second one ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "sojourn: %v\n", err)
	var wrong *usageError
	if errors.As(err, &wrong) {
		return 2
	}
	return 1
}

// A usageError says that the command line itself is wrong: exit code 2. All
// other errors are refusals and failures: exit code 1.
type usageError struct{ err error }

func (u *usageError) Error() string { return u.err.Error() }
func (u *usageError) Unwrap() error { return u.err }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }
