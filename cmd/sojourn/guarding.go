package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/bind/signals"
	"github.com/spf13/pflag"
)

// guardFlags say how sessions are guarded: see docs/guard.md.
type guardFlags struct {
	aal           int
	maxSessions   int
	onMaxSessions choice
	onReplay      choice
	onSignal      choice
	maxCreations  int
	maxMisses     int
}

var guardFlagNames = []string{"aal", "max-sessions-per-user", "on-max-sessions", "on-replay", "on-signal", "max-creations", "max-misses"}

func (f *guardFlags) register(fl *pflag.FlagSet) {
	f.onMaxSessions = choice{"reject", []string{"reject", "evict", "ask"}}
	f.onReplay = choice{"revoke", []string{"report", "revoke", "revoke-all"}}
	f.onSignal = choice{"report", []string{signals.None, "report", "step-up", "revoke", "revoke-all"}}
	fl.IntVar(&f.aal, "aal", 0, "take the timeouts of this assurance `level` of NIST SP 800-63B-4, 1 to 3, and refuse longer ones")
	fl.IntVar(&f.maxSessions, "max-sessions-per-user", 0, "how many sessions a user may have at once; 0: any `number`")
	fl.Var(&f.onMaxSessions, "on-max-sessions", "what happens to one more: the login fails, the oldest ends, or the page is told which to choose from")
	fl.Var(&f.onReplay, "on-replay", "what follows when a replaced cookie comes back: an event only, the session's end, or the end of all its user's")
	fl.Var(&f.onSignal, "on-signal", "what follows when a session turns up in another browser or system, or in two networks at once; another network alone is only reported")
	fl.IntVar(&f.maxCreations, "max-creations", 0, "how many sessions one source may begin in a minute; 0: any `number`. Behind a proxy, name it with --trusted-proxy first")
	fl.IntVar(&f.maxMisses, "max-misses", 0, "how many cookies that open nothing one source may send in a minute; 0: any `number`")
}

// timeouts are the policy's, where no others were asked for.
func (f *guardFlags) timeouts(idle, absolute *duration, idleGiven, absoluteGiven bool) error {
	if f.aal == 0 {
		return nil
	}
	if f.aal < 1 || f.aal > 3 {
		return fmt.Errorf("--aal %d: expected 1, 2 or 3", f.aal)
	}
	p := sojourn.AAL(f.aal)
	if !idleGiven {
		*idle = duration(p.Idle)
	}
	if !absoluteGiven {
		*absolute = duration(p.Absolute)
	}
	if *idle > duration(p.Idle) {
		return fmt.Errorf("--idle %s: expected at most %s with --aal %d", idle, short(p.Idle), f.aal)
	}
	if *absolute > duration(p.Absolute) {
		return fmt.Errorf("--absolute %s: expected at most %s with --aal %d", absolute, short(p.Absolute), f.aal)
	}
	return nil
}

// guard puts the flags into the rules.
func (f *guardFlags) guard(rules *sojourn.Options) error {
	for _, n := range []struct {
		name  string
		value int
		most  int
	}{{"max-sessions-per-user", f.maxSessions, 10_000}, {"max-creations", f.maxCreations, 1 << 20}, {"max-misses", f.maxMisses, 1 << 20}} {
		if n.value < 0 || n.value > n.most {
			return fmt.Errorf("--%s %d: expected 0 to %d", n.name, n.value, n.most)
		}
	}
	rules.Policy.AAL = f.aal
	rules.MaxSessions, rules.OnMaxSessions = f.maxSessions, f.onMaxSessions.value
	rules.OnReplay = f.onReplay.value
	rules.MaxCreations, rules.MaxMisses = f.maxCreations, f.maxMisses
	if on := f.onSignal.value; on != signals.None {
		watch, err := signals.New(&signals.Options{OnNetwork: "report", OnClient: on, OnSystem: on, OnInterleaved: on})
		if err != nil {
			return err
		}
		rules.Signals = watch.Judge
	}
	return nil
}

// check asks the store for what the flags need of it.
func (f *guardFlags) check(ctx context.Context, m *sojourn.Manager) error {
	if f.maxSessions == 0 {
		return nil
	}
	if _, err := m.List(ctx, "nobody yet"); errors.Is(err, sojourn.ErrUnsupported) {
		return errors.New("--max-sessions-per-user: this store keeps no lists of a user's sessions; expected another --store")
	}
	return nil // an outage passes
}
