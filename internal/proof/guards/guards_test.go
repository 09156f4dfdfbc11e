package guards

import (
	"context"
	"errors"
	"flag"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/proof/overlay"
	"github.com/sojournhq/sojourn/internal/proof/tests"
)

var remove = flag.Bool("guards", false, "take out each guard and run its test: some minutes")

const root = "../../.."

func (g Guard) patch(t *testing.T) overlay.Patch {
	t.Helper()
	file, err := filepath.Abs(filepath.Join(root, g.File))
	if err != nil {
		t.Fatal(err)
	}
	return overlay.Patch{File: file, Old: g.Old, New: g.New}
}

func found(t *testing.T) tests.Set {
	t.Helper()
	all, err := tests.Find(root)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestGuardsFit keeps the table true: each guard is where it was, and its test is
// one that there is.
func TestGuardsFit(t *testing.T) {
	all := found(t)
	names := map[string]bool{}
	for _, g := range All {
		if names[g.Name] || g.Name == "" {
			t.Errorf("%q comes twice", g.Name)
		}
		names[g.Name] = true
		if g.Old == "" || g.Old == g.New {
			t.Errorf("%s: nothing is taken out", g.Name)
			continue
		}
		if _, err := overlay.Write(t.TempDir(), []overlay.Patch{g.patch(t)}); err != nil {
			t.Errorf("%s: %v: say in guards.go where the guard is now", g.Name, err)
		}
		if err := all.Missing(g.Test); err != nil {
			t.Errorf("%s: %v", g.Name, err)
		}
	}
}

// TestIncidentsAreCovered wants a test for each incident, and a guard that the
// test is shown to need, or the reason why there is none.
func TestIncidentsAreCovered(t *testing.T) {
	all := found(t)
	byName := map[string]Guard{}
	for _, g := range All {
		byName[g.Name] = g
	}
	for _, i := range Incidents {
		if len(i.Tests) == 0 || len(i.Guards) == 0 == (i.NoGuard == "") {
			t.Errorf("%s: expected tests, and either guards or why there is none", i.Ref)
		}
		for _, name := range i.Tests {
			if err := all.Missing(name); err != nil {
				t.Errorf("%s: %v", i.Ref, err)
			}
		}
		for _, name := range i.Guards {
			if _, ok := byName[name]; !ok {
				t.Errorf("%s: there is no guard %q", i.Ref, name)
			}
		}
	}
}

// TestGuardRemoval runs each guard's test without the guard, and wants it to fail.
func TestGuardRemoval(t *testing.T) {
	if !*remove {
		t.Skip("takes some minutes: scripts/guards")
	}
	for _, g := range All {
		t.Run(strings.NewReplacer(" ", "_", ",", "").Replace(g.Name), func(t *testing.T) {
			if err := g.survives(t); err != nil {
				t.Error(err)
			}
		})
	}
}

// survives is an error unless the test fails, by itself, without the guard.
func (g Guard) survives(t *testing.T) error {
	t.Helper()
	path, err := overlay.Write(t.TempDir(), []overlay.Patch{g.patch(t)})
	if err != nil {
		return err
	}
	pkg, test, _ := strings.Cut(g.Test, " ")
	test, sub, _ := strings.Cut(test, "/")
	pattern := "^" + test + "$"
	if sub != "" {
		pattern += "/^" + sub + "$"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-overlay="+path, "-count=1", "-timeout=2m", "-run", pattern, "./"+pkg)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	switch text := string(out); {
	case err == nil:
		return errors.New(g.Test + " passes without the guard")
	case strings.Contains(text, "[build failed]"), strings.Contains(text, "[setup failed]"):
		return errors.New("the code does not build without the guard:\n" + text)
	case !failed.MatchString(text):
		return errors.New(g.Test + " did not fail by itself:\n" + text)
	}
	return nil
}

// failed is in the output of a test that fails, panics, or does not end.
var failed = regexp.MustCompile(`(?m)^(--- FAIL: |panic: |fatal error: )`)
