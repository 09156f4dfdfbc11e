package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "sojourn",
		Short: "Web sessions that stay right",
		Long: `Sojourn keeps web sessions: parallel requests lose no update, a logout is
final, and an outage of the store is not a logout.

Start with "sojourn serve" and open the page it names.`,
		Example: `  sojourn serve
  sojourn sessions list --owner ada
  sojourn doctor
  sojourn token inspect < cookie.txt`,
		Version:           readVersion().Version,
		Args:              noSuchCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:     true, // run prints them
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
	}
	root.SetVersionTemplate("sojourn {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newServe(), newSessions(), newMigrate(), newDoctor(), newSchema(), newKeys(), newFormat(), newToken(), newVersion(), newStoresTopic())
	return root
}

// noSuchCommand is the Args of commands that only group others.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	msg := fmt.Sprintf("there is no command %q", cmd.CommandPath()+" "+args[0])
	cmd.SuggestionsMinimumDistance = 2
	if like := cmd.SuggestionsFor(args[0]); len(like) > 0 {
		return usage("%s; did you mean %q?", msg, cmd.CommandPath()+" "+like[0])
	}
	return usage("%s; see %q", msg, cmd.CommandPath()+" --help")
}

// args wraps a check of positional arguments so that its error says how the
// command is used.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if err := check(cmd, given); err != nil {
			return usage("%w; usage: %s", err, cmd.UseLine())
		}
		return nil
	}
}

// flagError tells a flag that does not exist (a wrong command line) from a
// value that was refused.
func flagError(cmd *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	if errors.As(err, &value) {
		return badValue("--"+value.GetFlag().Name, value.GetValue(), value.Unwrap())
	}
	var none *pflag.NotExistError
	if errors.As(err, &none) {
		name := none.GetSpecifiedName()
		if like := likeFlag(cmd, name); like != "" {
			return usage("there is no flag --%s; did you mean --%s?", name, like)
		}
		return usage("there is no flag %s; see %q", dashes(name), cmd.CommandPath()+" --help")
	}
	return usage("%w; see %q", err, cmd.CommandPath()+" --help")
}

// badValue says what was wrong with the value of a flag or variable.
func badValue(from, value string, err error) error {
	return fmt.Errorf("%s %q: %w", from, value, err)
}

func dashes(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// likeFlag finds the flag that name was probably meant to be.
func likeFlag(cmd *cobra.Command, name string) (like string) {
	best := 3
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		d := distance(f.Name, name)
		if len(name) >= 3 && strings.HasPrefix(f.Name, name) {
			d = min(d, 1)
		}
		if d < best && !f.Hidden {
			best, like = d, f.Name
		}
	})
	return like
}

// distance counts the single-character edits between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			edit := diagonal
			if a[i] != b[j] {
				edit++
			}
			diagonal = row[j+1]
			row[j+1] = min(edit, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
