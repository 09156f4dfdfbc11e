package main

import (
	"strings"
	"testing"
)

func TestHelp(t *testing.T) {
	runCommand(t, call{}).want(t, 0, "Start with \"sojourn serve\"", "sessions", "token", "completion")
	for _, args := range [][]string{{"serve"}, {"sessions"}, {"sessions", "list"}, {"sessions", "show"},
		{"sessions", "revoke"}, {"migrate"}, {"doctor"}, {"schema"}, {"token"}, {"token", "inspect"}, {"version"}} {
		r := runCommand(t, call{}, append(args, "--help")...)
		r.want(t, 0, "Usage:", "sojourn "+strings.Join(args, " "))
		if r.err != "" {
			t.Errorf("help of %v goes to standard error: %q", args, r.err)
		}
	}
	runCommand(t, call{}, "serve", "--help").want(t, 0, "env SOJOURN_SHUTDOWN_TIMEOUT", "flag wins", "Examples:")
}

// A wrong command line is exit code 2 and one line that says what was meant.
func TestUsageErrors(t *testing.T) {
	for _, c := range []struct {
		args string
		text string
	}{
		{"srve", `did you mean "sojourn serve"?`},
		{"sessions lst", `did you mean "sojourn sessions list"?`},
		{"nonsense", `see "sojourn --help"`},
		{"serve --lisen :1", "did you mean --listen?"},
		{"serve --frobnicate", "there is no flag --frobnicate"},
		{"serve -x", "there is no flag -x"},
		{"serve --listen", "needs an argument"},
		{"serve extra", "usage: sojourn serve"},
		{"version extra", "usage: sojourn version"},
		{"sessions show", "usage: sojourn sessions show ID"},
		{"sessions revoke", "either a session ID or --owner NAME"},
		{"sessions revoke x --owner ada", "either a session ID or --owner NAME"},
		{"migrate --from sqlite:a.db", "expected both --from and --to"},
		{"schema", "usage: sojourn schema DIALECT"},
		{"schema oracle", "there is no dialect \"oracle\"; expected"},
		{"token inspect a b", "usage: sojourn token inspect"},
	} {
		r := runCommand(t, call{}, strings.Fields(c.args)...)
		r.want(t, 2, c.text)
		if n := strings.Count(r.err, "\n"); n != 1 || r.out != "" {
			t.Errorf("sojourn %s: %d lines on standard error and %q on standard output, want one line and nothing", c.args, n, r.out)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		runCommand(t, call{}, "completion", shell).want(t, 0, "sojourn")
	}
	runCommand(t, call{}, "__complete", "sess").want(t, 0, "sessions")
	runCommand(t, call{}, "__complete", "schema", "").want(t, 0, "sqlite")
	for _, flag := range []string{"--store", "--store-from"} {
		runCommand(t, call{}, "__complete", "serve", flag, "sq").want(t, 0, "sqlite:")
	}
	runCommand(t, call{}, "__complete", "migrate", "--to", "").want(t, 0, "sqlite:")
}
