package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/sojournhq/sojourn"
	"github.com/spf13/cobra"
)

func newSessionsShow() *cobra.Command {
	var store serverStore
	var asJSON, data bool
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one session, also one that has ended",
		Long: `Shows one session. What it holds is listed by name and size; --data shows the
values too, which may be personal.`,
		Example: `  sojourn sessions show 4WVQqSqyVdTQfcXyLrzNbAgbBhTbDw
  sojourn sessions show 4WVQqSqyVdTQfcXyLrzNbAgbBhTbDw --data --json`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			id, err := parseID(given[0])
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			return withStore(ctx, store, func(m *sojourn.Manager, _ *openedStore) error {
				status, err := m.Inspect(ctx, id)
				if err != nil {
					return err
				}
				if status.State == sojourn.StateNone {
					return fmt.Errorf("there is no session %s in this store; it never was, or it ended long ago", id)
				}
				var members map[string]json.RawMessage
				if status.State == sojourn.StateActive {
					s, err := m.Open(ctx, id)
					if err != nil {
						return err
					}
					if members, _, err = s.Members(ctx); err != nil {
						return err
					}
				}
				if asJSON {
					one := asSession(status)
					if data {
						one.Data = members
					}
					return printJSON(cmd.OutOrStdout(), one)
				}
				return printSession(cmd.OutOrStdout(), status, members, data)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as a JSON object")
	cmd.Flags().BoolVar(&data, "data", false, "show the values, too")
	store.flags(cmd)
	return cmd
}

func printSession(out io.Writer, s sojourn.Status, members map[string]json.RawMessage, data bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	line("ID", "%s", s.ID)
	line("Owner", "%s", printable(or(s.Owner, "nobody")))
	if s.State == sojourn.StateEnded {
		reason := or(string(s.Reason), "unknown")
		if s.EndedAt.IsZero() {
			line("State", "ended: %s", reason)
		} else {
			line("State", "ended %s: %s", ago(s.Now, s.EndedAt), reason)
		}
		return w.Flush()
	}
	line("State", "%s", s.State)
	line("Began", "%s", ago(s.Now, s.Created))
	if !s.AuthTime.IsZero() {
		line("Logged in", "%s", ago(s.Now, s.AuthTime))
	}
	line("Last seen", "%s", ago(s.Now, s.LastSeen))
	line("Expires", "%s if unused, %s whatever happens", in(s.IdleRemaining), in(s.AbsoluteRemaining))
	line("Remembered", "%s", yes(s.Persistent))
	line("Device", "%s", printable(deviceOf(s)))
	line("User agent", "%s", printable(or(s.UserAgent, "unknown")))
	line("IP", "%s", printable(or(s.IP, "unknown")))
	if err := w.Flush(); err != nil {
		return err
	}
	if len(members) == 0 {
		_, err := fmt.Fprintln(out, "\nIt holds no data.")
		return err
	}
	fmt.Fprintln(out)
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if data {
			fmt.Fprintf(w, "%s\t%s\n", printable(key), printable(string(members[key])))
		} else {
			fmt.Fprintf(w, "%s\t%d bytes\n", printable(key), len(members[key]))
		}
	}
	return w.Flush()
}
