package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn"
	"github.com/spf13/cobra"
)

func newSessions() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sessions",
		Short: "List, show and end the sessions in a store",
		Long: `Works on the store of a server, also while that server runs: a session ended
here is dead to the server's next request. Tokens are never shown, because a
store does not know them.`,
		Args: noSuchCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSessionsList(), newSessionsShow(), newSessionsRevoke())
	return cmd
}

// serverStore names the store of a server, or the two it moves between.
type serverStore struct{ store, from string }

// flags adds --store and --store-from to a command that works on sessions.
func (s *serverStore) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.store, "store", defaultStore, "the server's store, as a `URL`; see \"sojourn help stores\"")
	cmd.Flags().StringVar(&s.from, "store-from", "", "the `URL` of the store that the server moves from, if it does")
	completeStores(cmd, "store", "store-from")
	fromEnv(cmd, "store", "store-from")
	keysFlag(cmd)
}

func (s *serverStore) open(ctx context.Context) (*openedStore, error) {
	to := storeRef{flag: "--store", url: s.store}
	if s.from == "" {
		return to.open(ctx, exists)
	}
	return openMove(ctx, storeRef{flag: "--store-from", url: s.from}, to, exists)
}

// withStore runs f on an existing store.
func withStore(ctx context.Context, of serverStore, f func(*sojourn.Manager, *openedStore) error) (err error) {
	store, err := of.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if _, err := store.seal(ctx); err != nil {
		return err
	}
	sessions, err := sojourn.New(store.Store, nil)
	if err != nil {
		return err
	}
	defer sessions.Close()
	return f(sessions, store)
}

// parseID explains what to give instead, above all if it was a token.
func parseID(s string) (sojourn.ID, error) {
	if _, err := sojourn.ParseToken(s); err == nil {
		return "", errors.New("this is a token, not a session ID; its first 30 characters are not its ID either: see \"sojourn token inspect\". Whoever reads it here has the session: revoke it")
	}
	id := sojourn.ID(s)
	if id.Validate() != nil {
		return "", fmt.Errorf("%q is no session ID; expected the 30 characters that \"sojourn sessions list\" shows", s)
	}
	return id, nil
}
