package sojourn_test

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The face of the package: what a reader meets first stays small.

func TestFaceDocFitsOneScreen(t *testing.T) {
	out, err := exec.Command("go", "doc", "-short", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if n := bytes.Count(out, []byte("\n")); n > 30 || n < 10 {
		t.Errorf("go doc -short has %d lines, expected at most 30:\n%s", n, out)
	}
}

// rootFiles are the names of the package's files without tests.
func rootFiles(t *testing.T) (names []string) {
	t.Helper()
	all, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		if !strings.HasSuffix(name, "_test.go") {
			names = append(names, name)
		}
	}
	if len(names) < 20 {
		t.Fatalf("only %d files: %q", len(names), names)
	}
	return names
}

func TestFaceFilesAreShort(t *testing.T) {
	for _, name := range rootFiles(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(text, []byte("\n")); n > 400 {
			t.Errorf("%s has %d lines, expected at most 400: look for its second idea", name, n)
		}
	}
}

func TestFaceEveryPackageHasADoc(t *testing.T) {
	pkgs, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pkgs {
		if len(p.GoFiles) > 0 && p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// Secrets come from crypto/rand. Only manager.go may draw weak numbers, for the
// jitter of its sweeps.
func TestFaceNoWeakRandomness(t *testing.T) {
	strong := false
	for _, name := range rootFiles(t) {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			strong = strong || path == "crypto/rand"
			if path == "math/rand" || path == "math/rand/v2" && name != "manager.go" {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
	if !strong {
		t.Error("nothing imports crypto/rand: where do the secrets come from?")
	}
}
