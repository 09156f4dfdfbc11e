package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sojournhq/sojourn/live/pgplane"
	"github.com/sojournhq/sojourn/store/sqlstore"
	"github.com/spf13/cobra"
)

const livePostgres = "postgres-live"

// dialects are those that sqlstore knows the tables of.
func dialects() []string {
	var known []string
	for _, d := range []string{"postgres", "mysql", "sqlite"} {
		if _, err := sqlstore.Schema(d); err == nil {
			known = append(known, d)
		}
	}
	return known
}

func newSchema() *cobra.Command {
	known := append(dialects(), livePostgres)
	return &cobra.Command{
		Use:   "schema DIALECT",
		Short: "Print the tables of an SQL store, or of live events",
		Long: `Prints the statements that create the tables of an SQL store in an empty
database. Nobody needs them whose server may create tables: opening the store
does the same. They are for those whose administrator does it. postgres-live are
those of a --plane on PostgreSQL.`,
		Example:   exampleOf(known),
		ValidArgs: known,
		Args:      args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			if !slices.Contains(known, given[0]) {
				return usage("there is no dialect %q; expected %s", given[0], strings.Join(known, ", "))
			}
			if given[0] == livePostgres {
				_, err := fmt.Fprint(cmd.OutOrStdout(), pgplane.Schema())
				return err
			}
			script, err := sqlstore.Schema(given[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), script)
			return err
		},
	}
}

func exampleOf(known []string) string {
	lines := map[string]string{
		"sqlite":     "  sojourn schema sqlite | sqlite3 sojourn.db",
		"postgres":   "  sojourn schema postgres | psql app",
		"mysql":      "  sojourn schema mysql | mysql app",
		livePostgres: "  sojourn schema postgres-live | psql app",
	}
	text := ""
	for _, d := range known {
		if text != "" {
			text += "\n"
		}
		text += lines[d]
	}
	return text
}
