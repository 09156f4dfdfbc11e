package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// completeStores lets a shell complete the beginnings of URLs, and the files
// behind sqlite:.
func completeStores(cmd *cobra.Command, flags ...string) {
	complete := func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var found []cobra.Completion
		if path, ok := strings.CutPrefix(typed, "sqlite:"); ok {
			files, _ := filepath.Glob(path + "*.db") // a malformed pattern finds nothing
			for _, f := range files {
				found = append(found, "sqlite:"+f)
			}
			return found, cobra.ShellCompDirectiveNoFileComp
		}
		for _, s := range schemes {
			if s.form != "" && strings.HasPrefix(s.beginning(), typed) {
				found = append(found, s.beginning())
			}
		}
		return found, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
	for _, flag := range flags {
		if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
			panic(err) // a flag that the command does not have
		}
	}
}

// newStoresTopic is the help about URLs of stores.
func newStoresTopic() *cobra.Command {
	var forms strings.Builder
	for _, s := range schemes {
		if s.form != "" {
			forms.WriteString("\n  " + s.form)
		}
	}
	return &cobra.Command{
		Use:   "stores",
		Short: "How stores are named",
		Long: `Wherever a command takes a store, it takes one of these:
` + forms.String() + `

Other users of a machine can read the command lines of its processes. Give a URL
that holds a password by the environment: SOJOURN_STORE, and so on. No command
prints a password.`,
	}
}
