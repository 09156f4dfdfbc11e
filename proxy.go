package sojourn

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Who the client is, and whether it used TLS. Forwarded headers count only from
// trusted proxies, and of X-Forwarded-For the last hop that is not one of them.

func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil { // some servers give no port
		return strings.Trim(r.RemoteAddr, "[]")
	}
	return host
}

func (m *Manager) trusts(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return false
	}
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(m.opt.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func (sc *scope) clientIP() string {
	ip := remoteIP(&sc.req)
	if len(sc.m.opt.TrustedProxies) == 0 || !sc.m.trusts(ip) {
		return ip
	}
	hops := strings.Split(strings.Join(sc.req.Header["X-Forwarded-For"], ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		ip = addr.Unmap().String()
		if !sc.m.trusts(ip) {
			break
		}
	}
	return ip
}

func (sc *scope) secure() bool { return sc.m.isSecure(&sc.req) }

func (m *Manager) isSecure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	if len(m.opt.TrustedProxies) == 0 || !m.trusts(remoteIP(r)) {
		return false
	}
	protos := r.Header["X-Forwarded-Proto"]
	return len(protos) == 1 && strings.EqualFold(strings.TrimSpace(protos[0]), "https")
}

func (sc *scope) userAgent() string {
	if ua := sc.req.Header["User-Agent"]; len(ua) > 0 {
		return ua[0][:min(len(ua[0]), userAgentIn)]
	}
	return ""
}

// describe notes the device in the record.
func (sc *scope) describe(d *details) {
	if ip := sc.clientIP(); string(d.ip) != ip {
		d.ip = []byte(ip[:min(len(ip), ipIn)])
	}
	if ua := sc.userAgent(); string(d.userAgent) != ua {
		d.userAgent = []byte(strings.ToValidUTF8(ua, ""))
	}
}
