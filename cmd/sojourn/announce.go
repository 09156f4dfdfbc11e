package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/sojournhq/sojourn"
)

type announcement struct {
	url      string
	store    *openedStore
	options  sojourn.Options
	insecure bool
	tls      bool
	keys     *sealing // nil: the store is not sealed
	audit    []string // where it goes
	plane    string   // what carries live events
}

// announce says what runs, in lines for people or as one log record.
func announce(w io.Writer, logger *slog.Logger, f *serveFlags, a announcement) {
	p := a.options.Policy
	warnings := a.warnings()
	if f.logFormat.value == "json" {
		logger.Info("listening", "url", a.url, "version", readVersion().Version, "store", a.store.name,
			"live", a.plane, "sealed", a.keys.line(), "devices", f.binding.line(), "audit", strings.Join(a.audit, "; "), "cookie", a.options.Cookie.Name, "secure", !a.insecure, "idle", short(p.Idle), "absolute", short(p.Absolute))
		for _, w := range warnings {
			logger.Warn(w)
		}
		return
	}
	storeLine := a.store.name
	if a.store.note != "" {
		storeLine += " (" + a.store.note + ")"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "sojourn %s\n\n", readVersion().Version)
	fmt.Fprintf(&b, "  Open      %s\n", a.url)
	fmt.Fprintf(&b, "  Store     %s\n", storeLine)
	fmt.Fprintf(&b, "  Live      %s\n", a.plane)
	fmt.Fprintf(&b, "  Sealed    %s\n", a.keys.line())
	fmt.Fprintf(&b, "  Devices   %s\n", f.binding.line())
	for _, line := range a.audit {
		fmt.Fprintf(&b, "  Audit     %s\n", line)
	}
	fmt.Fprintf(&b, "  Cookie    %s\n", a.cookieLine())
	r := a.options.Remember
	fmt.Fprintf(&b, "  Timeouts  %s idle, %s absolute; remembered: %s idle, %s absolute\n",
		short(p.Idle), short(p.Absolute), short(r.Idle), short(r.Absolute))
	fmt.Fprintf(&b, "  Stop      Ctrl+C\n\n")
	for _, w := range warnings {
		fmt.Fprintf(&b, "  Warning: %s\n\n", w)
	}
	io.WriteString(w, b.String()) // at once, so that no log line comes between
}

func (a *announcement) cookieLine() string {
	c := a.options.Cookie
	line := c.Name + ", HttpOnly, SameSite="
	switch c.SameSite {
	case http.SameSiteStrictMode:
		line += "Strict"
	case http.SameSiteNoneMode:
		line += "None"
	default:
		line += "Lax"
	}
	if a.insecure {
		return line + ", not Secure: this is plain HTTP, reachable from this machine only"
	}
	return line + ", Secure"
}

// warnings are about a Secure cookie without TLS of our own, and about keys that
// others can read.
func (a *announcement) warnings() (list []string) {
	if !a.insecure && !a.tls {
		list = append(list, "this address is reachable from other machines and has no TLS. The cookie is Secure, so browsers keep it only over https: put TLS in front (and name the proxy with --trusted-proxy), or use --tls-cert and --tls-key.")
	}
	if w := a.keys.warning(); w != "" {
		list = append(list, w)
	}
	return list
}
