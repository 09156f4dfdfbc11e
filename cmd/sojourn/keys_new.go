package main

import (
	"fmt"

	"github.com/sojournhq/sojourn/seal"
	"github.com/spf13/cobra"
)

func newKeysNew() *cobra.Command {
	return &cobra.Command{
		Use:   "new [FILE]",
		Short: "Make a key",
		Long: `Makes a key and writes it to a new file that only you can read. Without a file,
it prints the key: whoever sees it can read and forge what it seals.`,
		Example: `  sojourn keys new keys.txt
  sojourn keys new | vault kv put secret/sojourn keys=-`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			key := seal.GenerateKey()
			if len(given) == 0 {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), keyLine(key))
				return err
			}
			if err := createKeyFile(given[0], keyLine(key)+"\n"); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "Key %s is in %s. Keep a copy apart from the store's backups: without it, what it seals is lost.\n", key.ID(), given[0])
			return err
		},
	}
}
