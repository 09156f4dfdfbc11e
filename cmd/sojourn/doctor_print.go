package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// print writes a finding as a line, with what to do below it.
func (c finding) print(w io.Writer) {
	sign := map[string]string{stateOK: "✓", stateWarning: "!", stateProblem: "✗"}[c.State]
	line := sign + " " + c.Name
	if c.Detail != "" {
		line += ": " + c.Detail
	}
	fmt.Fprintln(w, printable(line))
	if c.Advice != "" {
		fmt.Fprintln(w, "    "+printable(c.Advice))
	}
}

// conclude prints what is left to print; the error is that something is wrong.
func (d *doctor) conclude(w io.Writer, asJSON bool) error {
	problems, warnings := 0, 0
	for _, c := range d.checks {
		switch c.State {
		case stateProblem:
			problems++
		case stateWarning:
			warnings++
		}
	}
	if asJSON {
		times := d.times
		if times == nil {
			times = []timing{}
		}
		err := printJSON(w, struct {
			Store    string    `json:"store"`
			OK       bool      `json:"ok"`
			Problems int       `json:"problems"`
			Warnings int       `json:"warnings"`
			Checks   []finding `json:"checks"`
			Times    []timing  `json:"round_trips"`
		}{d.ref.name(), problems == 0, problems, warnings, d.checks, times})
		if err != nil {
			return err
		}
	} else if len(d.times) > 0 {
		fmt.Fprintln(w)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(t, "round trips\tprobes\tp50\tp99\tmax\t")
		for _, one := range d.times {
			fmt.Fprintf(t, "%s\t%d\t%.3f ms\t%.3f ms\t%.3f ms\t\n", one.Call, one.Probes, one.P50, one.P99, one.Max)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	if problems == 1 {
		return fmt.Errorf("1 problem with %s", d.ref.name())
	} else if problems > 1 {
		return fmt.Errorf("%d problems with %s", problems, d.ref.name())
	}
	return nil
}
