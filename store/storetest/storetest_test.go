package storetest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// TestHealthyStore runs the whole suite the way a store's author does.
func TestHealthyStore(t *testing.T) {
	Run(t, func(t *testing.T) sojourn.Store { return newMapStore() })
}

// TestDurable uses a store that outlives its handles.
func TestDurable(t *testing.T) {
	RunWith(t, func(t *testing.T) sojourn.Store { return newMapStore() }, &Options{
		Reopen:  func(_ *testing.T, s sojourn.Store) sojourn.Store { return s },
		Waived:  map[string]string{"NothingVanishesEarly": slow},
		Torture: time.Millisecond,
	})
}

// TestWithoutOptionalParts has a store with the seven methods and nothing else.
func TestWithoutOptionalParts(t *testing.T) {
	type bare struct{ sojourn.Store }
	RunWith(t, func(t *testing.T) sojourn.Store { return bare{newMapStore()} }, &Options{
		Waived:  map[string]string{"NothingVanishesEarly": slow},
		Torture: time.Millisecond,
	})
}

// TestSharedServer gives every case, and two runs at once, the same store.
func TestSharedServer(t *testing.T) {
	shared := newMapStore()
	for range 2 {
		t.Run("run", func(t *testing.T) {
			t.Parallel()
			RunWith(t, func(t *testing.T) sojourn.Store { return shared }, &Options{
				Waived:  sharedWaivers,
				Torture: 100 * time.Millisecond,
			})
		})
	}
}

const slow = "TestHealthyStore waits already"

var sharedWaivers = map[string]string{
	"NothingVanishesEarly": slow,
	"SweeperWaitsToBeTold": "the other run sweeps", "SweepRemovesExpired": "the other run sweeps", "SweepRespectsLimit": "the other run sweeps",
	"SweepKeepsGenerations": "the other run sweeps", "SweepRacesTouch": "the other run sweeps",
}

// TestRulesAreQuoted compares every rule with the text of the contract, so that
// neither changes without the other.
func TestRulesAreQuoted(t *testing.T) {
	docs := map[string]string{}
	for _, name := range []string{"store.go", "id.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), "../../"+name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				for _, s := range n.Specs {
					if s, ok := s.(*ast.TypeSpec); ok {
						docs[s.Name.Name] = n.Doc.Text()
						if s, ok := s.Type.(*ast.StructType); ok { // a rule of a field counts as one of its struct
							for _, f := range s.Fields.List {
								docs["Record"] += " " + f.Doc.Text() + " " + f.Comment.Text()
							}
						}
					}
				}
			case *ast.Field:
				if len(n.Names) == 1 && n.Doc != nil {
					docs[n.Names[0].Name] += " " + n.Doc.Text()
				}
			}
			return true
		})
	}
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	seen := map[string]bool{}
	for _, c := range cases() {
		if seen[c.name] {
			t.Errorf("two cases are called %s", c.name)
		}
		seen[c.name] = true
		if strings.HasPrefix(c.of, "P") && c.of != "Pinger" {
			continue // a promise of docs/architecture.md
		}
		if !strings.Contains(flat(docs[c.of]), flat(c.rule)) {
			t.Errorf("%s: the contract of %s does not say %q", c.name, c.of, c.rule)
		}
	}
}

// TestDocShowsMapStore keeps the worked example of the documentation a store that
// passes the suite.
func TestDocShowsMapStore(t *testing.T) {
	code, err := os.ReadFile("mapstore_test.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/writing-a-store.md")
	if err != nil {
		t.Fatal(err)
	}
	_, body, found := strings.Cut(string(code), "word for word.\n\n")
	if !found || !strings.Contains(string(doc), body) {
		t.Error("docs/writing-a-store.md does not show the mapStore of mapstore_test.go")
	}
	for _, c := range []string{"Load", "Create", "Update", "Touch", "Revoke", "List", "RevokeOwner"} {
		if !strings.Contains(string(doc), "\n### "+c+"\n") {
			t.Errorf("docs/writing-a-store.md has no section about %s", c)
		}
	}
}

// TestTagsCollide proves that oneTag holds what ownersOfOneTag needs.
func TestTagsCollide(t *testing.T) {
	for _, pair := range oneTag {
		if a, b := newID(pair[0]), newID(pair[1]); a[:8] != b[:8] || pair[0] == pair[1] {
			t.Errorf("%q and %q have tags %q and %q", pair[0], pair[1], a[:8], b[:8])
		}
	}
}

// recorder is a tb that remembers instead of failing.
type recorder struct {
	mu      sync.Mutex
	failed  bool
	skipped bool
	log     strings.Builder
}

func (r *recorder) Helper() {}

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.log.Len() < 4000 {
		fmt.Fprintf(&r.log, format+"\n", args...)
	}
}

func (r *recorder) Errorf(format string, args ...any) {
	r.Logf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skipf(format string, args ...any) {
	r.Logf(format, args...)
	r.mu.Lock()
	r.skipped = true
	r.mu.Unlock()
	runtime.Goexit()
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

// record runs one case and returns what a *testing.T would have been told.
func record(t *testing.T, name string, open func() sojourn.Store) *recorder {
	t.Helper()
	return recordReopening(t, name, open, nil)
}

func recordReopening(t *testing.T, name string, open func() sojourn.Store, reopen func(sojourn.Store) sojourn.Store) *recorder {
	t.Helper()
	for _, c := range cases() {
		if c.name != name {
			continue
		}
		r := &recorder{}
		e := &env{tb: r, opt: settle(t, &Options{Torture: 300 * time.Millisecond}), open: open, reopen: reopen}
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.check(e)
		}()
		<-done
		return r
	}
	t.Fatalf("there is no case %q", name)
	return nil
}

// TestFailuresQuoteTheRule reads what an author of a broken store is told.
func TestFailuresQuoteTheRule(t *testing.T) {
	r := record(t, "CreateTwice", brokenStore(t, "Create overwrites"))
	for _, want := range []string{"expected ErrExists", `the rule (Create): "Create stores r if there is no record of its ID`} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, r.log.String())
		}
	}
}
