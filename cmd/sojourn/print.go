package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/bind/device"
)

// session is how sessions look in JSON. Fields are added, never renamed.
type session struct {
	ID         sojourn.ID                 `json:"id"`
	Owner      string                     `json:"owner"`
	State      sojourn.State              `json:"state"`
	Reason     sojourn.Reason             `json:"reason,omitempty"`
	EndedAt    time.Time                  `json:"ended_at,omitzero"`
	Created    time.Time                  `json:"created,omitzero"`
	AuthTime   time.Time                  `json:"auth_time,omitzero"`
	LastSeen   time.Time                  `json:"last_seen,omitzero"`
	IdleUntil  time.Time                  `json:"idle_until,omitzero"`
	Until      time.Time                  `json:"absolute_until,omitzero"`
	Persistent bool                       `json:"persistent"`
	Level      int                        `json:"level,omitempty"`
	Label      string                     `json:"label,omitempty"`
	Device     string                     `json:"device,omitempty"`
	UserAgent  string                     `json:"user_agent,omitempty"`
	IP         string                     `json:"ip,omitempty"`
	Data       map[string]json.RawMessage `json:"data,omitempty"`
}

func asSession(s sojourn.Status) session {
	one := session{
		ID: s.ID, Owner: s.Owner, State: s.State, Reason: s.Reason, EndedAt: s.EndedAt.UTC(),
		Created: s.Created.UTC(), AuthTime: s.AuthTime.UTC(), LastSeen: s.LastSeen.UTC(),
		Persistent: s.Persistent, Level: s.Level, Label: s.Label, Device: device.Name(s.UserAgent), UserAgent: s.UserAgent, IP: s.IP,
	}
	if s.State == sojourn.StateActive {
		one.IdleUntil = s.Now.Add(s.IdleRemaining).UTC()
		one.Until = s.Now.Add(s.AbsoluteRemaining).UTC()
	}
	return one
}

func asSessions(all []sojourn.Status) []session {
	list := make([]session, 0, len(all)) // [] rather than null
	for _, s := range all {
		list = append(list, asSession(s))
	}
	return list
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func printTable(out io.Writer, all []sojourn.Status) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tOWNER\tDEVICE\tIP\tSEEN\tEXPIRES")
	for _, s := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", s.ID, printable(or(s.Owner, "-")),
			printable(deviceOf(s)), printable(or(s.IP, "-")), ago(s.Now, s.LastSeen), in(s.IdleRemaining))
	}
	return w.Flush()
}

// deviceOf is what the user called a device, or what its user agent claims.
func deviceOf(s sojourn.Status) string {
	return or(s.Label, or(device.Name(s.UserAgent), "unknown"))
}

// ago says how long before now t was.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	if d := now.Sub(t); d >= 2*time.Second {
		return about(d) + " ago"
	}
	return "just now"
}

// in says how far away something is.
func in(d time.Duration) string { return "in " + about(max(d, 0)) }

// about rounds a duration down to its largest unit.
func about(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// printable keeps what clients and users wrote from steering the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
