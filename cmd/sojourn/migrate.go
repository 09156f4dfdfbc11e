package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/store/movestore"
	"github.com/spf13/cobra"
)

type migrateFlags struct {
	from, to storeRef
	dryRun   bool
	json     bool
	rate     int
	parallel int
	sample   int
}

func newMigrate() *cobra.Command {
	f := &migrateFlags{from: storeRef{flag: "--from"}, to: storeRef{flag: "--to"}}
	cmd := &cobra.Command{
		Use:   "migrate --from URL --to URL",
		Short: "Move all sessions to another store, while they are in use",
		Long: `Carries all sessions that still rest in the old store over to the new one, and
checks that they arrived. Nobody is logged out, and who logs out meanwhile stays
logged out. In this order:

  1. Start all servers with --store NEW --store-from OLD. They move each session
     as they meet it. Replace them all before going on, and quickly: servers that
     know only the old store answer an error for sessions that have moved.
  2. Run this command. It may be stopped and run again whenever you like: how far
     each session has come is written in the stores, and what has arrived is
     passed over.
  3. When it says that nothing is left, start the servers with --store NEW alone.
     Keep the old store until you are sure, then remove it: it holds sessions no
     more, but the users' names.

With no server running, step 2 alone does. To go back, change the stores' places.
` + envNote,
		Example: `  sojourn migrate --from sqlite:sojourn.db --to sqlite:/srv/sessions.db --dry-run
  sojourn migrate --from sqlite:sojourn.db --to sqlite:/srv/sessions.db --rate 500`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.from.url == "" || f.to.url == "":
				return usage("expected both --from and --to; usage: %s", cmd.UseLine())
			case f.rate < 0:
				return fmt.Errorf("--rate %d: expected sessions per second, or 0 for no bound", f.rate)
			case f.parallel < 1 || f.parallel > 256:
				return fmt.Errorf("--parallel %d: expected 1 to 256", f.parallel)
			case f.sample < 0:
				return fmt.Errorf("--sample %d: expected a number of sessions, or 0 for none", f.sample)
			}
			return f.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.from.url, "from", "", "the old store, as a `URL`; see \"sojourn help stores\"")
	fl.StringVar(&f.to.url, "to", "", "the new store, as a `URL`; it is created if need be")
	fl.BoolVar(&f.dryRun, "dry-run", false, "only count; change nothing")
	fl.BoolVar(&f.json, "json", false, "print the result as a JSON object")
	fl.IntVar(&f.rate, "rate", 0, "carry at most this many sessions per second; 0: as fast as the stores can")
	fl.IntVar(&f.parallel, "parallel", 32, "carry this many at the same time")
	fl.IntVar(&f.sample, "sample", 1000, "look at this many again at the end")
	completeStores(cmd, "from", "to")
	fromEnv(cmd, "from", "to")
	return cmd
}

// passes bounds how often the old store is gone through: again for those that
// servers which know no other have begun there meanwhile.
const passes = 3

// run does what the flags say and prints what came of it.
func (f *migrateFlags) run(ctx context.Context, stdout, stderr io.Writer) (err error) {
	if f.dryRun {
		return f.dry(ctx, stdout, stderr)
	}
	from, err := f.openFrom(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := f.to.open(ctx, shared)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	m := &migration{flags: f, from: from.Store, to: to.Store, move: movestore.New(from.Store, to.Store, nil),
		show: newProgress(stderr, f.json), begun: time.Now()}
	m.report.From, m.report.To = from.name, to.name

	err = m.migrate(ctx)
	m.show.clear()
	m.report.Seconds = time.Since(m.begun).Seconds()
	if stopped := ctx.Err() != nil; err != nil && !stopped {
		m.report.problem("%s", scrub(scrub(err.Error(), f.from.url), f.to.url))
	} else if stopped {
		m.report.Stopped = true
		m.report.problem("stopped; run the same command again to go on")
	}
	return m.report.print(stdout, f.json)
}

// openFrom opens the old store, if it can be gone through.
func (f *migrateFlags) openFrom(ctx context.Context) (*openedStore, error) {
	if err := differ(f.from, f.to); err != nil {
		return nil, err
	}
	from, err := f.from.open(ctx, exists)
	if err != nil {
		return nil, err
	}
	if _, ok := sojourn.As[scanner](from.Store); !ok {
		return nil, errors.Join(fmt.Errorf("%s %s: %w", f.from.flag, from.name, errNoScan), from.Close())
	}
	return from, nil
}

// A migration is one run of the command.
type migration struct {
	flags    *migrateFlags
	move     *movestore.Store
	from, to sojourn.Store
	show     *progress
	begun    time.Time
	report   migrateReport
	samples  sampler
}

// migrate counts, carries, counts again and looks at a sample.
func (m *migration) migrate(ctx context.Context) error {
	before, err := count(ctx, m.from, m.show)
	if err != nil {
		return err
	}
	m.report.Found, m.report.Expired, m.report.Ended, m.report.Before = before.waiting, before.expired, before.ended, before.carried
	m.samples.size = m.flags.sample
	m.show.begin("Carrying", before.waiting)
	left := before
	for range passes {
		if left.waiting == 0 {
			break
		}
		if err := m.carryAll(ctx); err != nil {
			return err
		}
		if left, err = count(ctx, m.from, m.show); err != nil {
			return err
		}
		if left.waiting <= m.report.Failed {
			break
		}
	}
	m.report.Left = left.waiting
	switch {
	case m.report.Failed > 0:
		m.report.problem("%d sessions could not be carried; they stay in the old store, and servers with --store-from still reach them", m.report.Failed)
	case left.waiting > 0:
		m.report.problem("%d sessions are in the old store again: a server still begins sessions there; start all of them with --store-from, then run this again", left.waiting)
	}
	return m.verify(ctx)
}

// dry counts what there is to carry.
func (f *migrateFlags) dry(ctx context.Context, stdout, stderr io.Writer) (err error) {
	from, err := f.openFrom(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	r := migrateReport{From: from.name, To: f.to.name(), DryRun: true}
	to, err := f.to.open(ctx, exists)
	switch {
	case err == nil:
		defer func() { err = errors.Join(err, to.Close()) }()
	case errors.Is(err, errMissing):
		r.Create = true
	default:
		return err
	}
	show := newProgress(stderr, f.json)
	found, err := count(ctx, from.Store, show)
	show.clear()
	if err != nil {
		return err
	}
	r.Found, r.Left, r.Expired, r.Ended, r.Before, r.Bytes = found.waiting, found.waiting, found.expired, found.ended, found.carried, found.bytes
	return r.print(stdout, f.json)
}
