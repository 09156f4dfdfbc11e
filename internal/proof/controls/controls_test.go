package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/proof/tests"
)

// TestControlsAreWhole wants every item of every standard answered, by tests that
// there are or by saying what is the application's.
func TestControlsAreWhole(t *testing.T) {
	all, err := tests.Find("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range standards {
		for _, problem := range gaps(s, all) {
			t.Errorf("%s: %s", s.Title, problem)
		}
	}
	for title, n := range map[string]int{"V7 Session": 19, "V3.3 Cookie": 5, "WSTG": 11} {
		i := slices.IndexFunc(standards, func(s Standard) bool { return strings.Contains(s.Title, title) })
		if i < 0 || len(standards[i].Items) != n {
			t.Errorf("%s has %d items", title, n)
		}
	}
}

func gaps(s Standard, all tests.Set) (problems []string) {
	var ids []string
	for _, c := range s.Controls {
		ids = append(ids, c.ID)
		if c.What == "" || len(c.Tests) == 0 && c.App == "" {
			problems = append(problems, c.ID+" is answered by nothing")
		}
		for _, name := range c.Tests {
			if err := all.Missing(name); err != nil {
				problems = append(problems, c.ID+": "+err.Error())
			}
		}
	}
	if !slices.Equal(ids, s.Items) {
		problems = append(problems, "its items are not answered one by one, in order")
	}
	return problems
}

// The check must be able to fail.
func TestGapsAreFound(t *testing.T) {
	all := tests.Set{". TestThere": true}
	for _, c := range []struct {
		s    Standard
		want int
	}{
		{Standard{Items: []string{"1"}, Controls: []Control{{"1", "x", []string{". TestThere"}, ""}}}, 0},
		{Standard{Items: []string{"1"}, Controls: []Control{{"1", "x", nil, "its own"}}}, 0},
		{Standard{Items: []string{"1", "2"}, Controls: []Control{{"1", "x", nil, "its own"}}}, 1},
		{Standard{Items: []string{"1"}, Controls: []Control{{"1", "x", nil, ""}}}, 1},
		{Standard{Items: []string{"1"}, Controls: []Control{{"1", "x", []string{". TestGone"}, ""}}}, 1},
	} {
		if got := gaps(c.s, all); len(got) != c.want {
			t.Errorf("%v: %q", c.s, got)
		}
	}
}

// TestPageIsFresh wants docs/security.md to be what the tables say.
func TestPageIsFresh(t *testing.T) {
	page, err := os.ReadFile("../../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := fill(string(page))
	if err != nil {
		t.Fatal(err)
	}
	if want != string(page) {
		t.Error("docs/security.md is stale: go generate ./internal/proof/controls")
	}
	if again, err := fill(strings.Replace(want, "7.4.1", "7.4.x", 1)); err != nil || again != want {
		t.Errorf("what somebody changed by hand stays: %v", err)
	}
}
