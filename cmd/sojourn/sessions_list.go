package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/spf13/cobra"
)

func newSessionsList() *cobra.Command {
	var store serverStore
	var owner string
	var asJSON bool
	var limit int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List live sessions, the most recently seen first",
		Example: `  sojourn sessions list
  sojourn sessions list --owner ada
  sojourn sessions list --json --limit 1000 | jq -r '.[].id'`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return fmt.Errorf("--limit %d: expected at least 1", limit)
			}
			return withStore(cmd.Context(), store, func(m *sojourn.Manager, s *openedStore) error {
				live, more, err := liveSessions(cmd.Context(), m, s, owner, limit)
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), asSessions(live))
				}
				if len(live) == 0 {
					fmt.Fprintln(cmd.ErrOrStderr(), "No live sessions.")
					return nil
				}
				if err := printTable(cmd.OutOrStdout(), live); err != nil {
					return err
				}
				if more {
					fmt.Fprintf(cmd.ErrOrStderr(), "There are more than %d; --limit shows more, --owner fewer.\n", limit)
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&owner, "owner", "", "only this user's sessions")
	cmd.Flags().IntVar(&limit, "limit", 100, "show at most this many")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as a JSON array")
	store.flags(cmd)
	return cmd
}

// A scanner is a store that can walk through all its records in the order of
// their IDs, live or not, beginning behind after. Fewer than limit are the last.
type scanner interface {
	Scan(ctx context.Context, after sojourn.ID, limit int) ([]sojourn.Record, error)
}

const scanBatch = 256

// liveSessions finds an owner's sessions, or everybody's. more reports that
// limit cut some off.
func liveSessions(ctx context.Context, m *sojourn.Manager, store *openedStore, owner string, limit int) (live []sojourn.Status, more bool, err error) {
	if owner != "" {
		live, err = m.List(ctx, owner)
		if errors.Is(err, sojourn.ErrUnsupported) {
			return nil, false, errors.New("this store keeps no lists of a user's sessions; \"sojourn sessions show ID\" looks at one")
		}
	} else {
		live, err = everybody(ctx, m, store, limit+1)
	}
	if err != nil {
		return nil, false, err
	}
	slices.SortStableFunc(live, func(a, b sojourn.Status) int {
		return cmp.Or(b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.ID, b.ID))
	})
	if len(live) > limit {
		live, more = live[:limit], true
	}
	return live, more, nil
}

// everybody walks through the store until it has found limit live sessions.
func everybody(ctx context.Context, m *sojourn.Manager, store *openedStore, limit int) (live []sojourn.Status, err error) {
	live, err = scanLive(ctx, m, store.Store, nil, limit)
	if err != nil || store.older == nil || len(live) == limit {
		return live, err
	}
	known := map[sojourn.ID]bool{}
	for _, s := range live {
		known[s.ID] = true
	}
	older, err := scanLive(ctx, m, store.older, known, limit-len(live))
	return append(live, older...), err
}

// scanLive walks through a store until it has found limit live sessions that are
// not known yet.
func scanLive(ctx context.Context, m *sojourn.Manager, store sojourn.Store, known map[sojourn.ID]bool, limit int) ([]sojourn.Status, error) {
	all, ok := sojourn.As[scanner](store)
	if !ok {
		return nil, errors.New("this store cannot list everybody's sessions; name a user, as in --owner ada")
	}
	var live []sojourn.Status
	var after sojourn.ID
	for {
		batch, err := all.Scan(ctx, after, scanBatch)
		if err != nil {
			return nil, err
		}
		for _, r := range batch {
			after = r.ID
			if r.Dead || r.Expires.Before(time.Now()) || known[r.ID] {
				continue
			}
			status, err := m.Inspect(ctx, r.ID)
			if err != nil {
				return nil, err
			}
			if status.State == sojourn.StateActive {
				live = append(live, status)
			}
			if len(live) == limit {
				return live, nil
			}
		}
		if len(batch) < scanBatch {
			return live, nil
		}
	}
}
