package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
	"github.com/spf13/cobra"
)

func newKeysList() *cobra.Command {
	var store string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List keys by ID, and how many records bear each",
		Long: `Lists the keys of --keys by their IDs; the keys themselves are never shown.
With --store it also counts, for each, the records that bear it, tombstones
too. It reads the whole store for that.`,
		Example: `  sojourn keys list --keys keys.txt
  sojourn keys list --keys keys.txt --store sqlite:sojourn.db`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withKeys(cmd.Context(), store, func(k *sealing, s *seal.Store) error {
				var counted *seal.Census
				if s != nil {
					c, err := s.Census(cmd.Context())
					if errors.Is(err, sojourn.ErrUnsupported) {
						return errors.New("this store cannot be walked through, so nobody can tell which keys are in use")
					}
					if err != nil {
						return err
					}
					counted = &c
				}
				w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				head := "KEY\tUSE"
				if counted != nil {
					head += "\tRECORDS"
				}
				fmt.Fprintln(w, head)
				row := func(id, use string, n int) {
					if counted != nil {
						use += fmt.Sprintf("\t%d", n)
					}
					fmt.Fprintf(w, "%s\t%s\n", id, use)
				}
				for _, key := range k.ring.Keys() {
					use, n := "opens", 0
					if key.Active {
						use = "seals"
					}
					if counted != nil {
						n = counted.ByKey[key.ID]
						delete(counted.ByKey, key.ID)
					}
					row(key.ID, use, n)
				}
				if counted != nil {
					for _, id := range slices.Sorted(maps.Keys(counted.ByKey)) {
						row(id, "missing", counted.ByKey[id])
					}
					if counted.Unsealed > 0 {
						row("-", "unsealed", counted.Unsealed)
					}
				}
				return w.Flush()
			})
		},
	}
	cmd.Flags().StringVar(&store, "store", "", "also count the records of this store, a `URL`")
	completeStores(cmd, "store")
	fromEnv(cmd, "store")
	keysFlag(cmd)
	return cmd
}

// withKeys runs f with the keys, and with the store if one is named.
func withKeys(ctx context.Context, name string, f func(*sealing, *seal.Store) error) (err error) {
	from, _ := ctx.Value(keysContext{}).(string)
	if from == "" {
		return errors.New("no keys; expected --keys FILE, as \"sojourn keys new FILE\" makes it")
	}
	if name == "" {
		k, err := readKeys(from)
		if err != nil {
			return err
		}
		return f(k, nil)
	}
	store, err := storeRef{flag: "--store", url: name}.open(ctx, exists)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	k, err := store.seal(ctx)
	if err != nil {
		return err
	}
	return f(k, store.Store.(*seal.Store))
}
