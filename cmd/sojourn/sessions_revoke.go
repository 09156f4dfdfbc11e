package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn"
	"github.com/spf13/cobra"
)

func newSessionsRevoke() *cobra.Command {
	var store serverStore
	var owner, reason string
	cmd := &cobra.Command{
		Use:   "revoke ID | --owner NAME",
		Short: "End one session, or all of a user",
		Long: `Ends one session, or all sessions of a user including those that are just
beginning. It is final: nothing brings an ended session back.`,
		Example: `  sojourn sessions revoke 4WVQqSqyVdTQfcXyLrzNbAgbBhTbDw
  sojourn sessions revoke --owner ada --reason "device stolen"`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if (len(given) == 1) == (owner != "") {
				return usage("expected either a session ID or --owner NAME; usage: %s", cmd.UseLine())
			}
			if err := checkReason(reason); err != nil {
				return err
			}
			ctx, out := cmd.Context(), cmd.OutOrStdout()
			if owner != "" {
				return withStore(ctx, store, func(m *sojourn.Manager, _ *openedStore) error {
					n, err := revokeOwner(ctx, m, owner, sojourn.Reason(reason))
					if err != nil {
						return err
					}
					_, err = fmt.Fprintf(out, "Ended all sessions of %s: %d were live.\n", printable(owner), n)
					return err
				})
			}
			id, err := parseID(given[0])
			if err != nil {
				return err
			}
			return withStore(ctx, store, func(m *sojourn.Manager, _ *openedStore) error {
				text, err := revokeOne(ctx, m, id, sojourn.Reason(reason))
				if err == nil {
					_, err = fmt.Fprintln(out, text)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&owner, "owner", "", "end all sessions of this user")
	cmd.Flags().StringVar(&reason, "reason", string(sojourn.ReasonRevoked), "why; late clients are told")
	store.flags(cmd)
	return cmd
}

// checkReason keeps the library's rule for reasons.
func checkReason(r string) error {
	ok := r != "" && len(r) <= 64
	for i := range len(r) {
		ok = ok && r[i] >= ' ' && r[i] <= '~'
	}
	if !ok {
		return fmt.Errorf("--reason %q: expected 1 to 64 characters of printable ASCII", r)
	}
	return nil
}

func revokeOne(ctx context.Context, m *sojourn.Manager, id sojourn.ID, reason sojourn.Reason) (string, error) {
	status, err := m.Inspect(ctx, id)
	if err != nil {
		return "", err
	}
	switch status.State {
	case sojourn.StateNone:
		return "", fmt.Errorf("there is no session %s in this store; it never was, or it ended long ago", id)
	case sojourn.StateEnded:
		return fmt.Sprintf("%s had ended already: %s.", id, or(string(status.Reason), "reason unknown")), nil
	}
	if err := m.Revoke(ctx, id, reason); err != nil {
		return "", err
	}
	return fmt.Sprintf("Ended %s of %s.", id, printable(or(status.Owner, "nobody"))), nil
}

// revokeOwner ends the sessions one by one first, so that each leaves the
// reason behind, and then the whole generation, which also ends those that the
// list did not show yet.
func revokeOwner(ctx context.Context, m *sojourn.Manager, owner string, reason sojourn.Reason) (n int, err error) {
	live, err := m.List(ctx, owner)
	if err != nil && !errors.Is(err, sojourn.ErrUnsupported) {
		return 0, err
	}
	for _, s := range live {
		if err := m.Revoke(ctx, s.ID, reason); err != nil {
			return n, err
		}
		n++
	}
	return n, m.RevokeOwner(ctx, owner)
}
