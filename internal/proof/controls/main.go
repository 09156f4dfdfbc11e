// Command controls writes what docs/security.md tells of standards, incidents
// and guards, from tables that its tests hold against the code:
//
//	go generate ./internal/proof/controls
package main

//go:generate go run . ../../../docs/security.md

import (
	"fmt"
	"os"
	"strings"

	"github.com/sojournhq/sojourn/internal/proof/guards"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: controls docs/security.md")
		os.Exit(2)
	}
	text, err := os.ReadFile(os.Args[1])
	if err == nil {
		var page string
		if page, err = fill(string(text)); err == nil {
			err = os.WriteFile(os.Args[1], []byte(page), 0o644)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "controls:", err)
		os.Exit(1)
	}
}

// fill puts the tables between their marks.
func fill(page string) (string, error) {
	for name, table := range map[string]string{"standards": standardsTable(), "incidents": incidentsTable(), "guards": guardsTable()} {
		begin, end := "<!-- "+name+", by go generate -->\n", "<!-- end of "+name+" -->"
		head, rest, ok := strings.Cut(page, begin)
		_, tail, closed := strings.Cut(rest, end)
		if !ok || !closed {
			return "", fmt.Errorf("expected the marks %q and %q", begin, end)
		}
		page = head + begin + "\n" + table + "\n" + end + tail
	}
	return page, nil
}

func standardsTable() string {
	var b strings.Builder
	for _, s := range standards {
		fmt.Fprintf(&b, "### [%s](%s)\n\n| | asks for | shown by | left to the application |\n|---|---|---|---|\n", s.Title, s.Source)
		for _, c := range s.Controls {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.ID, c.What, list(c.Tests), c.App)
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func incidentsTable() string {
	var b strings.Builder
	b.WriteString("| who | what happened | shown not to by | guards |\n|---|---|---|---|\n")
	for _, i := range guards.Incidents {
		kept := strings.Join(i.Guards, "; ")
		if kept == "" {
			kept = "none: " + i.NoGuard
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", i.Ref, i.What, list(i.Tests), kept)
	}
	return b.String()
}

func guardsTable() string {
	var b strings.Builder
	b.WriteString("| guard | in | without it fails |\n|---|---|---|\n")
	for _, g := range guards.All {
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", g.Name, g.File, list([]string{g.Test}))
	}
	return b.String()
}

// list names tests as a reader looks for them: those of the root by name alone.
func list(tests []string) string {
	names := make([]string, len(tests))
	for i, t := range tests {
		where, name, _ := strings.Cut(t, " ")
		switch {
		case where == ".":
			names[i] = "`" + name + "`"
		case strings.HasPrefix(where, "browser/"):
			names[i] = fmt.Sprintf("`%s` “%s”", strings.TrimPrefix(where, "browser/test/"), name)
		default:
			names[i] = "`" + where + " " + name + "`"
		}
	}
	return strings.Join(names, ", ")
}
