package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
	"github.com/spf13/cobra"
)

func newKeysSeal() *cobra.Command {
	return newKeysWalk(&cobra.Command{
		Use:   "seal",
		Short: "Seal the sessions that a store holds unsealed",
		Long: `Seals the live sessions that were stored before --keys was used, so that nobody
is logged out. Stop the servers first, and start them with --keys afterwards.
It trusts what it finds: it is for one time. A server with --keys never takes
an unsealed record for a session.`,
	}, "Sealed %d sessions.\n", (*seal.Store).SealAll)
}

func newKeysReseal() *cobra.Command {
	return newKeysWalk(&cobra.Command{
		Use:   "reseal",
		Short: "Seal with the active key what still bears an old one",
		Long: `Seals every live session that bears an old key with the active one, beside
running servers. Without it, that happens to each at its next write.`,
	}, "Sealed %d sessions anew.\n", (*seal.Store).Reseal)
}

// newKeysWalk is a command that walks through a store.
func newKeysWalk(cmd *cobra.Command, said string, walk func(*seal.Store, context.Context) (int, error)) *cobra.Command {
	var store string
	cmd.Args = args(cobra.NoArgs)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return withKeys(cmd.Context(), store, func(_ *sealing, s *seal.Store) error {
			n, err := walk(s, cmd.Context())
			if errors.Is(err, sojourn.ErrUnsupported) {
				return errors.New("this store cannot be walked through")
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), said, n)
			return err
		})
	}
	cmd.Flags().StringVar(&store, "store", defaultStore, "the server's store, as a `URL`; see \"sojourn help stores\"")
	completeStores(cmd, "store")
	fromEnv(cmd, "store")
	keysFlag(cmd)
	return cmd
}
