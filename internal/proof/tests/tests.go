// Package tests finds the tests of the module by their names.
package tests

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A Set holds all tests: "store/memstore TestConformance" of Go, with "." for
// the root, and "browser/test/data.test.ts saves what was changed" of TypeScript.
type Set map[string]bool

// inTypeScript finds test("…", …) and it("…", …).
var inTypeScript = regexp.MustCompile(`(?m)^\s*(?:await\s+)?(?:\w+\.)?(?:test|it)\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|` + "`([^`]*)`)")

// Find reads all test files below the root of the module.
func Find(root string) (Set, error) {
	found := Set{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if name == "node_modules" || name == "bin" || name == "testdata" || strings.HasPrefix(name, ".") && path != root {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case strings.HasSuffix(name, "_test.go"):
			return found.goTests(path, rel)
		case strings.HasSuffix(name, ".test.ts"), strings.HasSuffix(name, ".test.mjs"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range inTypeScript.FindAllStringSubmatch(string(text), -1) {
				found[rel+" "+m[1]+m[2]+m[3]] = true
			}
		}
		return nil
	})
	return found, err
}

func (s Set) goTests(path, rel string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return err
	}
	folder := filepath.ToSlash(filepath.Dir(rel))
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if ok && f.Recv == nil && (strings.HasPrefix(f.Name.Name, "Test") || strings.HasPrefix(f.Name.Name, "Fuzz")) && f.Name.Name != "TestMain" {
			s[folder+" "+f.Name.Name] = true
		}
	}
	return nil
}

// Missing is an error for a name that no test has. Of a subtest, "… TestX/name",
// only the test is looked for.
func (s Set) Missing(name string) error {
	key := name
	if folder, test, ok := strings.Cut(name, " "); ok && strings.HasPrefix(test, "Test") {
		test, _, _ = strings.Cut(test, "/")
		key = folder + " " + test
	}
	if !s[key] {
		return fmt.Errorf("there is no test %q", name)
	}
	return nil
}
