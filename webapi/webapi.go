package webapi

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/live"
)

// Options say what a page may do. The zero value shows the life of the session
// and nothing in it.
type Options struct {
	// Prefix is the path of the API, beginning and ending with a slash. Default
	// "/_session/v1/". The cookie's Path must cover it.
	Prefix string
	// Readable are the members a page may read: names, or beginnings of names
	// followed by "*" ("ui.*"). Default none.
	Readable []string
	// Writable are the members a page may set and delete, in the same form. They
	// are returned to the page only if they are Readable too. Default none.
	Writable []string
	// MaxBody bounds the body of a request, in bytes. Default 64 KiB, at most 1 MiB.
	MaxBody int
	// WarnBefore is how long before its end a page should warn of it; at least
	// 20 s, the time WCAG 2.2.1 gives the user to react. Sessions with an idle
	// timeout shorter than twice that warn at half of it. Default 2 min.
	WarnBefore time.Duration
	// AllowDevices lets a user see all sessions of their own, with addresses and
	// user agents, and end each of them. Default false.
	AllowDevices bool
	// DeviceName names a device after its user agent, for those lists: see
	// package bind/device. Default none: names are empty.
	DeviceName func(userAgent string) string
	// ClearCache makes a logout empty the browser's cache for this origin too,
	// which stalls large browser profiles for seconds. Default false.
	ClearCache bool
	// KeepStorage keeps a logout from emptying the origin's storage in the
	// browser (localStorage, IndexedDB, service workers), for origins that share
	// it with something other than the session. Default false.
	KeepStorage bool
	// Live serves the live connection of pages: WebSocket, server-sent events and
	// long polling. It must be among the Manager's Observers, and New attaches
	// it. Default none: pages ask for the status now and then.
	Live *live.Hub
}

const (
	defaultPrefix = "/_session/v1/"
	minWarn       = 20 * time.Second // WCAG 2.2 §2.2.1
	maxMaxBody    = 1 << 20
)

// An API is the http.Handler of the browser-facing API. It is safe for parallel
// use and holds no state of any session; Options.Live does.
type API struct {
	manager  *sojourn.Manager
	rules    sojourn.Options
	opt      Options
	readable names
	writable names
	scripts  map[string]script
}

// New checks opt (nil: the defaults) and returns the API of m's sessions. It
// does no I/O. A policy under which users could not extend a session ten times,
// as WCAG 2.2.1 asks, is allowed but reported to m's Logger.
func New(m *sojourn.Manager, opt *Options) (*API, error) {
	if m == nil {
		return nil, fmt.Errorf("webapi: %w: no Manager given", sojourn.ErrInvalid)
	}
	a := &API{manager: m, rules: m.Options(), scripts: newScripts()}
	if opt != nil {
		a.opt = *opt
	}
	if err := a.settle(); err != nil {
		return nil, fmt.Errorf("webapi: %w", err)
	}
	if a.opt.Live != nil {
		if err := a.opt.Live.Attach(m, live.Face{Status: a.liveStatus, Readable: a.readable.has, WarnBefore: a.opt.WarnBefore}); err != nil {
			return nil, fmt.Errorf("webapi: %w", err)
		}
	}
	if p := a.rules.Policy; p.Absolute <= 20*time.Hour && p.Absolute < a.opt.WarnBefore+10*p.Idle {
		a.rules.Logger.Warn("webapi: sessions end before they can be extended ten times; WCAG 2.2.1 asks for that, or for more than 20 hours",
			"absolute", p.Absolute, "idle", p.Idle)
	}
	return a, nil
}

func (a *API) settle() (err error) {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: Options."+format, append([]any{sojourn.ErrInvalid}, args...)...)
	}
	o := &a.opt
	if o.Prefix == "" {
		o.Prefix = defaultPrefix
	}
	if !isPrefix(o.Prefix) {
		return bad("Prefix %q, expected a path as in %q: slashes at both ends, and letters, digits, '-', '_' and '.' between", o.Prefix, defaultPrefix)
	}
	if path := a.rules.Cookie.Path; !covers(path, o.Prefix) {
		return bad("Prefix %q lies outside of the cookie's Path %q, so no browser would send the cookie", o.Prefix, path)
	}
	if o.MaxBody == 0 {
		o.MaxBody = 64 << 10
	}
	if o.MaxBody < 1 || o.MaxBody > maxMaxBody {
		return bad("MaxBody is %d, expected 1 to %d", o.MaxBody, maxMaxBody)
	}
	if o.WarnBefore == 0 {
		o.WarnBefore = 2 * time.Minute
	}
	if o.WarnBefore < minWarn {
		return bad("WarnBefore is %v, expected at least %v", o.WarnBefore, minWarn)
	}
	if o.DeviceName == nil {
		o.DeviceName = func(string) string { return "" }
	}
	if a.readable, err = newNames("Readable", o.Readable, a.rules.MaxKey); err != nil {
		return err
	}
	a.writable, err = newNames("Writable", o.Writable, a.rules.MaxKey)
	return err
}

// isPrefix admits only characters that have one spelling in a URL.
func isPrefix(p string) bool {
	if len(p) < 3 || p[0] != '/' || p[len(p)-1] != '/' {
		return false
	}
	for _, segment := range strings.Split(p[1:len(p)-1], "/") {
		if segment == "" || segment == "." || segment == ".." || strings.Trim(segment, unreserved) != "" {
			return false
		}
	}
	return true
}

const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

// covers is the path-match of RFC 6265 §5.1.4; prefix ends with a slash.
func covers(cookiePath, prefix string) bool {
	return cookiePath == "" || strings.HasPrefix(prefix, strings.TrimSuffix(cookiePath, "/")+"/")
}

// ServeHTTP answers below Options.Prefix; any other path is a 404.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if err := a.dispatch(w, r); err != nil {
		a.fail(w, r, err)
	}
}
