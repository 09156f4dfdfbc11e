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
}

// announce says what runs, in lines for people or as one log record.
func announce(w io.Writer, logger *slog.Logger, f *serveFlags, a announcement) {
	p := a.options.Policy
	warning := a.warning()
	if f.logFormat.value == "json" {
		logger.Info("listening", "url", a.url, "version", readVersion().Version, "store", a.store.name,
			"cookie", a.options.Cookie.Name, "secure", !a.insecure, "idle", short(p.Idle), "absolute", short(p.Absolute))
		if warning != "" {
			logger.Warn(warning)
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
	fmt.Fprintf(&b, "  Cookie    %s\n", a.cookieLine())
	r := a.options.Remember
	fmt.Fprintf(&b, "  Timeouts  %s idle, %s absolute; remembered: %s idle, %s absolute\n",
		short(p.Idle), short(p.Absolute), short(r.Idle), short(r.Absolute))
	fmt.Fprintf(&b, "  Stop      Ctrl+C\n\n")
	if warning != "" {
		fmt.Fprintf(&b, "  Warning: %s\n\n", warning)
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

// warning is about a Secure cookie without TLS of our own.
func (a *announcement) warning() string {
	if a.insecure || a.tls {
		return ""
	}
	return "this address is reachable from other machines and has no TLS. The cookie is Secure, so browsers keep it only over https: put TLS in front (and name the proxy with --trusted-proxy), or use --tls-cert and --tls-key."
}
