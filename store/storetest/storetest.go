// Package storetest checks that a [sojourn.Store] keeps its contract. A store's
// own tests call it once:
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) sojourn.Store {
//			s, err := mystore.Open(t.TempDir())
//			if err != nil {
//				t.Fatal(err)
//			}
//			t.Cleanup(func() { s.Close() })
//			return s
//		})
//	}
//
// Every rule of the contract is a named subtest that quotes it when it fails;
// `go test -run 'TestConformance/UpdateConflict'` runs one alone. The last
// ones, Torture…, drive real managers against the store through a wrapper that
// loses answers.
//
// Caveats. The suite is for tests only: it imports package testing. It takes
// some seconds, two of them to wait for deadlines that really pass; -short
// leaves those out and shortens the torture, SOJOURN_TORTURE=30s lengthens it.
package storetest

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// Options tell the suite what a store offers beyond the contract, and what it
// knowingly lacks. The zero value asks for the whole contract.
type Options struct {
	// Reopen, of a durable store, ends s as roughly as the test can (best of
	// all: kill -9 of its engine) and opens the same data again. Default nil:
	// not durable, so P14 is not checked.
	Reopen func(t *testing.T, s sojourn.Store) sojourn.Store
	// Precision is how exactly an engine keeps deadlines, where it cannot keep
	// milliseconds and its documentation says so. Default 1 ms.
	Precision time.Duration
	// Waived names cases that the store cannot pass and says why, in one
	// sentence that its documentation should hold too. They are skipped with
	// that sentence. Default none.
	Waived map[string]string
	// Torture is how long each torture lasts. Default 2 s, 300 ms with -short;
	// the environment variable SOJOURN_TORTURE overrides it.
	Torture time.Duration
}

// Run checks the store that open gives.
//
// open is called once per case, with that case's *testing.T. It gives an empty
// store each time, or stores that share one server, even one that other tests
// use at the same time: cases use fresh random IDs and owners and look at
// nothing else. A [sojourn.Sweeper] may share its data too, but not while
// somebody else sweeps it.
func Run(t *testing.T, open func(t *testing.T) sojourn.Store) {
	t.Helper()
	RunWith(t, open, nil)
}

// RunWith is Run with options; nil is the same as Run.
func RunWith(t *testing.T, open func(t *testing.T) sojourn.Store, opt *Options) {
	t.Helper()
	o := settle(t, opt)
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			if why, ok := o.Waived[c.name]; ok {
				t.Skip("this store does not promise it: " + why)
			}
			e := &env{tb: t, opt: o, short: testing.Short(), open: func() sojourn.Store { return open(t) }}
			if o.Reopen != nil {
				e.reopen = func(s sojourn.Store) sojourn.Store { return o.Reopen(t, s) }
			}
			c.check(e)
		})
	}
}

func settle(t *testing.T, opt *Options) Options {
	t.Helper()
	var o Options
	if opt != nil {
		o = *opt
	}
	if o.Precision <= 0 {
		o.Precision = time.Millisecond
	}
	if o.Torture <= 0 {
		o.Torture = 2 * time.Second
		if testing.Short() {
			o.Torture = 300 * time.Millisecond
		}
	}
	if s := os.Getenv("SOJOURN_TORTURE"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil || d <= 0 {
			t.Fatalf("SOJOURN_TORTURE is %q, expected a duration such as 30s", s)
		}
		o.Torture = d
	}
	known := map[string]bool{}
	for _, c := range cases() {
		known[c.name] = true
	}
	for name := range o.Waived {
		if !known[name] {
			t.Fatalf("Options.Waived names %q, which is no case", name)
		}
	}
	return o
}

// A testCase checks one rule.
type testCase struct {
	name string // of the subtest
	// of is where the rule is written: a method or type of the contract ("Create",
	// "Record"), or a promise ("P2").
	of string
	// rule is quoted from there, word for word.
	rule string
	run  func(e *env)
}

// check runs the case, and quotes its rule if it fails.
func (c testCase) check(e *env) {
	e.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), caseTimeout+2*e.opt.Torture)
	defer cancel()
	defer func() {
		if e.Failed() {
			e.Logf("the rule (%s): %q", c.of, c.rule)
		}
	}()
	e.ctx = ctx
	if e.store = e.open(); e.store == nil {
		e.Fatalf("open gave no store")
	}
	c.run(e)
}

// caseTimeout bounds a case: a store that hangs fails instead of stopping the run.
const caseTimeout = time.Minute

// cases is the suite, in the order it runs.
func cases() []testCase {
	var all []testCase
	for _, group := range [][]testCase{
		createCases, updateCases, touchCases, revokeCases, ownerCases, listCases, deviceCases,
		shapeCases, contextCases, sweepCases, lifetimeCases, durableCases, tortureCases,
	} {
		all = append(all, group...)
	}
	return all
}
