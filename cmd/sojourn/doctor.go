package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/spf13/cobra"
)

func newDoctor() *cobra.Command {
	var store string
	var asJSON bool
	var probes int
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look a store over: is it reachable, permitted, fast, durable?",
		Long: `Looks a store over and says what is in order (✓), what deserves attention (!)
and what is wrong (✗), each with what to do. It begins a session of its own,
changes, revokes and removes it; it touches no other. A server may run meanwhile.

The exit code is 0 if nothing is wrong, 1 otherwise.
` + envNote,
		Example: `  sojourn doctor
  sojourn doctor --store sqlite:/var/lib/sojourn/sojourn.db --probes 1000
  sojourn doctor cookie --cookie 'connect.sid=s%3A…' --secret "keyboard cat"
  sojourn doctor --json | jq '.checks[] | select(.state != "ok")'`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if probes < 1 || probes > 100_000 {
				return fmt.Errorf("--probes %d: expected 1 to 100000", probes)
			}
			d := &doctor{ctx: cmd.Context(), ref: storeRef{flag: "--store", url: store}, probes: probes}
			if !asJSON {
				d.out = cmd.OutOrStdout()
			}
			d.examine()
			return d.conclude(cmd.OutOrStdout(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as a JSON object")
	cmd.Flags().IntVar(&probes, "probes", 100, "measure this many round trips of each kind")
	cmd.Flags().StringVar(&store, "store", defaultStore, "the server's store, as a `URL`; see \"sojourn help stores\"")
	completeStores(cmd, "store")
	fromEnv(cmd, "store")
	cmd.AddCommand(newDoctorCookie())
	return cmd
}

// Optional interfaces of a store, of standard types only so that no package has
// to know another.
type (
	// A diagnoser reports what only it can know: what was looked at, what was
	// seen, and, if that is not as it should be, what to do. A problem with a
	// method Warning() bool that returns true only deserves attention.
	diagnoser interface {
		Diagnose(ctx context.Context, report func(check, detail string, problem error))
	}
	// A clocked store has an engine with a clock of its own.
	clocked interface {
		ServerTime(ctx context.Context) (time.Time, error)
	}
)

// A finding is one line of it, as --json prints it. Fields are added, never renamed.
type finding struct {
	Name   string `json:"check"`
	State  string `json:"state"` // ok, warning, problem
	Detail string `json:"detail,omitempty"`
	Advice string `json:"advice,omitempty"` // what to do
}

const (
	stateOK      = "ok"
	stateWarning = "warning"
	stateProblem = "problem"
)

// A doctor examines one store.
type doctor struct {
	ctx    context.Context
	ref    storeRef
	probes int
	out    io.Writer // for findings as they are made; nil for none
	checks []finding
	times  []timing
}

// examine makes all findings it can.
func (d *doctor) examine() {
	store, err := d.ref.open(d.ctx, exists)
	if err != nil {
		said := strings.TrimPrefix(err.Error(), d.ref.flag+" "+d.ref.name()+": ")
		d.report("reachable", d.ref.name(), errors.New(said))
		return
	}
	defer func() {
		if err := store.Close(); err != nil {
			d.report("closed", "", err)
		}
	}()
	d.examineOpened(store)
}

func (d *doctor) examineOpened(store *openedStore) {
	if err := d.ping(store); err != nil {
		d.report("reachable", store.name, err)
		return
	}
	d.report("reachable", store.name, nil)
	if d.permissions(store) {
		d.measure(store)
	}
	d.clock(store)
	d.scannable(store)
	if own, ok := sojourn.As[diagnoser](store.Store); ok {
		own.Diagnose(d.ctx, d.report)
	}
}

func (d *doctor) ping(store *openedStore) error {
	if p, ok := sojourn.As[sojourn.Pinger](store.Store); ok {
		return p.Ping(d.ctx)
	}
	return nil
}

// report takes a finding down, and prints it if somebody watches.
func (d *doctor) report(name, detail string, problem error) {
	c := finding{Name: name, State: stateOK, Detail: scrub(detail, d.ref.url)}
	if problem != nil {
		c.State, c.Advice = stateProblem, scrub(oneLine(problem), d.ref.url)
		var w interface{ Warning() bool }
		if errors.As(problem, &w) && w.Warning() {
			c.State = stateWarning
		}
	}
	d.checks = append(d.checks, c)
	if d.out != nil {
		c.print(d.out)
	}
}

// scannable says what a store cannot do that commands would like to.
func (d *doctor) scannable(store *openedStore) {
	if _, ok := sojourn.As[scanner](store.Store); !ok {
		d.report("listing", "no", warn(`this kind of store cannot list everybody's sessions: "sojourn sessions list" needs --owner, and "sojourn migrate" cannot move them from here`))
	}
}

const (
	skewNoted = time.Second
	skewWrong = 30 * time.Second
)

// clock compares the engine's clock with ours.
func (d *doctor) clock(store *openedStore) {
	c, ok := sojourn.As[clocked](store.Store)
	if !ok {
		return
	}
	before := time.Now()
	theirs, err := c.ServerTime(d.ctx)
	if err != nil {
		d.report("clock", "", err)
		return
	}
	trip := time.Since(before)
	skew := theirs.Sub(before.Add(trip / 2)).Round(time.Millisecond)
	var problem error
	switch {
	case skew.Abs() > skewWrong:
		problem = errors.New("the clocks of this machine and of the store disagree: have both set by NTP; sessions may be removed too early or too late")
	case skew.Abs() > skewNoted+trip:
		problem = warn("the clocks of this machine and of the store disagree a little: have both set by NTP")
	}
	d.report("clock", fmt.Sprintf("the store is %s ahead", skew), problem)
}

// A warning is a problem that does not keep anything from working.
type warning struct{ error }

func (warning) Warning() bool { return true }

func warn(format string, args ...any) error { return warning{fmt.Errorf(format, args...)} }
