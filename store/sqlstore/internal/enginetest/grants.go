package enginetest

import (
	"os"
	"strings"
	"testing"
)

// Grants are the statements that docs/stores-sql.md lists under a heading, for a
// package that lies beside sqlstore's others.
func Grants(t *testing.T, heading string) (statements []string) {
	t.Helper()
	page, err := os.ReadFile("../../../docs/stores-sql.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n### "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n#")
	for line := range strings.Lines(section) {
		if statement, ok := strings.CutSuffix(strings.TrimSpace(line), ";"); ok && strings.HasPrefix(statement, "GRANT ") {
			statements = append(statements, statement)
		}
	}
	if len(statements) < 3 {
		t.Fatalf("docs/stores-sql.md lists %d privileges under %q", len(statements), heading)
	}
	return statements
}
