// Package schema has the tables of the SQL engines that are reached by a
// network, for those who create them and for those who print them.
package schema

import (
	"fmt"
	"slices"
	"strings"
)

// A Dialect is how an engine writes its tables down.
type Dialect struct {
	// Migrations lead from each version to the next, the first from an empty
	// database to version 1. A released one never changes. Where creating a table
	// is no part of a transaction, each statement may be run again.
	Migrations [][]string

	begin, end string // around a script
	mark       string // adds the row that says the version
}

// Latest is the version that this release works with.
func (d Dialect) Latest() int { return len(d.Migrations) }

// Step is what leads from a version to the next: the statements, and one that
// notes the new version.
func (d Dialect) Step(version int) []string {
	return slices.Concat(d.Migrations[version], []string{fmt.Sprintf(d.mark, version+1)})
}

// Script creates the tables in an empty database.
func (d Dialect) Script() string {
	var b strings.Builder
	b.WriteString(d.begin)
	for version := range d.Migrations {
		for _, s := range d.Step(version) {
			b.WriteString(strings.TrimSpace(s) + ";\n\n")
		}
	}
	b.WriteString(d.end)
	return strings.TrimSpace(b.String()) + "\n"
}
