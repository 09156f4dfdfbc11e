package sojourn

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// refuse decides before the handler runs: unsafe methods from other sites
// (http.CrossOriginProtection: Sec-Fetch-Site, else Origin against Host),
// upgrades from other origins, and cookie headers beyond the limit.
func (m *Manager) refuse(r *http.Request) error {
	if lines := r.Header["Cookie"]; lines != nil {
		if err := m.oversize(lines); err != nil {
			return err
		}
	}
	if m.opt.InsecureSkipOriginCheck {
		return nil
	}
	if up := r.Header["Upgrade"]; up != nil && !(len(up) == 1 && strings.EqualFold(up[0], "h2c")) || r.Method == http.MethodConnect { // RFC 8441 upgrades by CONNECT; no browser sends h2c
		return m.sameOrigin(r)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions {
		if err := m.cross.Check(r); err != nil {
			return fmt.Errorf("%w: %w", ErrCrossSite, err)
		}
		return m.sameScheme(r)
	}
	return nil
}

// sameScheme makes good what Check leaves to HSTS: without Sec-Fetch-Site it
// takes a plain http page of our host, which anybody on the network can write,
// for one of ours.
func (m *Manager) sameScheme(r *http.Request) error {
	o := r.Header["Origin"]
	if len(o) == 1 && strings.HasPrefix(o[0], "http://") && r.Header.Get("Sec-Fetch-Site") == "" && m.isSecure(r) && !slices.Contains(m.origins, o[0]) {
		return fmt.Errorf("%w: from a page without TLS", ErrCrossSite)
	}
	return nil
}

// origin gives a trusted origin the form in which browsers send it.
func origin(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return "", fmt.Errorf("%w: Options.TrustedOrigins: %q, expected scheme://host[:port]", ErrInvalid, s)
	}
	return u.Scheme + "://" + strings.ToLower(bareHost(u.Host, u.Scheme)), nil
}

// sameOrigin guards upgrades. A WebSocket is a GET that no same-origin policy
// holds back, so its Origin must match ours or a trusted one in scheme, host
// and port. Without an Origin no browser sent it: it may pass unless it carries
// our cookie.
func (m *Manager) sameOrigin(r *http.Request) error {
	origins := r.Header["Origin"]
	if len(origins) == 0 {
		if _, n, _ := m.opt.Cookie.find(r.Header["Cookie"]); n == 0 {
			return nil
		}
		return fmt.Errorf("%w: upgrade with a session cookie and without Origin", ErrCrossSite)
	}
	if len(origins) == 1 {
		if slices.Contains(m.origins, origins[0]) {
			return nil
		}
		scheme := "http"
		if m.isSecure(r) {
			scheme = "https"
		}
		u, err := url.Parse(origins[0])
		if err == nil && u.Scheme == scheme && u.Host != "" && sameHost(u.Host, r.Host, scheme) {
			return nil
		}
	}
	return fmt.Errorf("%w: upgrade from another origin", ErrCrossSite)
}

func sameHost(a, b, scheme string) bool {
	return strings.EqualFold(bareHost(a, scheme), bareHost(b, scheme))
}

// bareHost leaves out the scheme's own port, as browsers do.
func bareHost(host, scheme string) string {
	if scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}
