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
	Label      string                     `json:"label,omitempty"`
	UserAgent  string                     `json:"user_agent,omitempty"`
	IP         string                     `json:"ip,omitempty"`
	Data       map[string]json.RawMessage `json:"data,omitempty"`
}

func asSession(s sojourn.Status) session {
	one := session{
		ID: s.ID, Owner: s.Owner, State: s.State, Reason: s.Reason, EndedAt: s.EndedAt.UTC(),
		Created: s.Created.UTC(), AuthTime: s.AuthTime.UTC(), LastSeen: s.LastSeen.UTC(),
		Persistent: s.Persistent, Label: s.Label, UserAgent: s.UserAgent, IP: s.IP,
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
			printable(or(s.Label, deviceName(s.UserAgent))), printable(or(s.IP, "-")), ago(s.Now, s.LastSeen), in(s.IdleRemaining))
	}
	return w.Flush()
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

// deviceName is a browser and a system as the user agent claims them. Only the
// common ones are told apart; nothing is guessed.
func deviceName(userAgent string) string {
	first := func(names ...string) string {
		for i := 0; i < len(names); i += 2 {
			if strings.Contains(userAgent, names[i]) {
				return names[i+1]
			}
		}
		return ""
	}
	// Order matters: Edge and Opera also say Chrome, Chrome also says Safari.
	browser := first("Edg/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari", "curl/", "curl")
	system := first("Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS X", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	switch {
	case browser != "" && system != "":
		return browser + ", " + system
	case browser+system != "":
		return browser + system
	}
	return "unknown"
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
