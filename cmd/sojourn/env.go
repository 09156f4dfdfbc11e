package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const envNote = `
Every flag marked "env" may also be given as that environment variable; the
flag wins.`

// fromEnv makes the named flags of cmd readable from the environment, too:
// --shutdown-timeout from SOJOURN_SHUTDOWN_TIMEOUT. Only settings are: what a
// single call is about (an owner, an ID) should stand in that call.
func fromEnv(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		f := cmd.Flags().Lookup(name)
		f.Usage += " (env " + envName(name) + ")"
	}
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, name := range names {
			if err := setFromEnv(cmd.Flags().Lookup(name)); err != nil {
				return err
			}
		}
		return nil
	}
}

func setFromEnv(f *pflag.Flag) error {
	value, ok := os.LookupEnv(envName(f.Name))
	if !ok || value == "" || f.Changed {
		return nil
	}
	if err := f.Value.Set(value); err != nil {
		return badValue(envName(f.Name), value, err)
	}
	f.Changed = true
	return nil
}

func envName(flag string) string {
	return "SOJOURN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
