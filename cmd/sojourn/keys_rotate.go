package main

import (
	"fmt"
	"strings"

	"github.com/sojournhq/sojourn/seal"
	"github.com/spf13/cobra"
)

func newKeysRotate() *cobra.Command {
	var behind bool
	var front, drop string
	cmd := &cobra.Command{
		Use:   "rotate FILE",
		Short: "Put a new key in front; the old ones only open from then on",
		Long: `Rewrites a key file in one step: a new key in front, which seals from then on,
and the old ones behind it, which only open. Servers read it anew at SIGHUP.
Nobody is logged out.`,
		Example: `  sojourn keys rotate keys.txt
  sojourn keys rotate keys.txt --behind
  sojourn keys rotate keys.txt --front k7q2mzxa
  sojourn keys rotate keys.txt --drop b3n5wtya`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if behind && front != "" || behind && drop != "" || front != "" && drop != "" {
				return usage("expected one of --behind, --front and --drop at most; usage: %s", cmd.UseLine())
			}
			file, key, said := given[0], seal.GenerateKey(), ""
			change := func(old string) (string, error) {
				if old != "" && !strings.HasSuffix(old, "\n") {
					old += "\n"
				}
				switch {
				case front != "":
					said = fmt.Sprintf("Key %s seals from now on.", front)
					return moveKey(old, front, false)
				case drop != "":
					said = fmt.Sprintf("Key %s is gone; what it sealed does not open any more.", drop)
					return moveKey(old, drop, true)
				case behind:
					said = fmt.Sprintf("Key %s opens. Once all servers have it: sojourn keys rotate %s --front %s", key.ID(), file, key.ID())
					return old + keyLine(key) + "\n", nil
				}
				said = fmt.Sprintf("Key %s seals from now on; the others open.", key.ID())
				return keyLine(key) + "\n" + old, nil
			}
			if err := rewriteKeyFile(file, change); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\nServers read the file anew at SIGHUP.\n", said)
			return err
		},
	}
	cmd.Flags().BoolVar(&behind, "behind", false, "put the new key behind the others: it only opens, until --front")
	cmd.Flags().StringVar(&front, "front", "", "put the key with this `ID` in front, instead of making one")
	cmd.Flags().StringVar(&drop, "drop", "", "remove the key with this `ID`, instead of making one")
	return cmd
}
