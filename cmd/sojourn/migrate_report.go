package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// migrateReport is the result, as --json prints it. Fields are added, never
// renamed.
type migrateReport struct {
	From           string   `json:"from"`
	To             string   `json:"to"`
	DryRun         bool     `json:"dry_run,omitempty"`
	Create         bool     `json:"would_create,omitempty"` // the new store, in a dry run
	Found          int      `json:"found"`                  // to be carried, at the beginning
	Bytes          int64    `json:"bytes,omitempty"`        // of those, in a dry run
	Before         int      `json:"carried_before"`         // by earlier runs, and by servers
	Carried        int      `json:"carried"`
	ByServers      int      `json:"carried_by_servers"` // while this ran
	EndedMeanwhile int      `json:"ended_meanwhile"`
	Expired        int      `json:"expired"`
	Ended          int      `json:"ended"`
	Failed         int      `json:"failed"`
	Left           int      `json:"left"` // to be carried, at the end
	Checked        int      `json:"checked"`
	Wrong          int      `json:"wrong"`
	Seconds        float64  `json:"seconds"`
	Stopped        bool     `json:"stopped,omitempty"`
	Complete       bool     `json:"complete"`
	Problems       []string `json:"problems"`
}

func (r *migrateReport) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// print says what came of it; the error is what did not.
func (r *migrateReport) print(w io.Writer, asJSON bool) error {
	r.Complete = len(r.Problems) == 0 && r.Left == 0 && !r.DryRun
	var err error
	switch {
	case asJSON:
		if r.Problems == nil {
			r.Problems = []string{}
		}
		err = printJSON(w, r)
	case r.DryRun:
		_, err = io.WriteString(w, r.plan())
	default:
		_, err = io.WriteString(w, r.text())
	}
	if err == nil && len(r.Problems) > 0 {
		err = errors.New(r.Problems[len(r.Problems)-1])
		if r.Stopped {
			err = errors.New("stopped by a signal; run the same command again to go on")
		}
	}
	return err
}

func (r *migrateReport) plan() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s to carry (%d KiB) from %s to %s", sessions(r.Found), (r.Bytes+1023)/1024, r.From, r.To)
	if r.Create {
		b.WriteString(", which would be created")
	}
	fmt.Fprintf(&b, ".\nNot to be carried: %d carried before, %d expired, %d ended.\nNothing was changed.\n", r.Before, r.Expired, r.Ended)
	return b.String()
}

func (r *migrateReport) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Carried %s from %s to %s in %s.\n", sessions(r.Carried), r.From, r.To, (time.Duration(r.Seconds*1000) * time.Millisecond).Round(10*time.Millisecond))
	fmt.Fprintf(&b, "Not carried: %d carried before, %d by servers meanwhile, %d ended meanwhile, %d expired, %d ended.\n",
		r.Before, r.ByServers, r.EndedMeanwhile, r.Expired, r.Ended)
	if r.Stopped {
		return b.String()
	}
	for _, p := range r.Problems[:max(0, len(r.Problems)-1)] { // the last is the command's error
		fmt.Fprintf(&b, "Problem: %s.\n", p)
	}
	if r.Checked > 0 {
		fmt.Fprintf(&b, "Looked at %d of them again: %d as they should be.\n", r.Checked, r.Checked-r.Wrong)
	}
	if r.Complete {
		fmt.Fprintf(&b, "Nothing is left in the old store. Start the servers with --store %s alone now.\n", r.To)
	}
	return b.String()
}

func sessions(n int) string {
	if n == 1 {
		return "1 session"
	}
	return fmt.Sprintf("%d sessions", n)
}
