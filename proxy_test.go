package sojourn_test

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
)

func prefixes(t *testing.T, list ...string) (ps []netip.Prefix) {
	t.Helper()
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
	return ps
}

// seenIP is the client's address as a new session notes it.
func seenIP(t *testing.T, s *site, shapes ...shape) string {
	t.Helper()
	s.h = s.m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := sojourn.Key[string]("k").Set(r.Context(), "v"); err != nil {
			t.Error(err)
		}
		st, err := session(r.Context()).Status(r.Context())
		if err != nil {
			t.Error(err)
		}
		w.Write([]byte(st.IP))
	}))
	return s.exchange("GET", "/", shapes...).body
}

func TestProxyClientIP(t *testing.T) {
	trusted := prefixes(t, "10.0.0.0/8", "192.0.2.1/32", "2001:db8:1::/48", "fe80::/10")
	hops := func(lines ...string) shape { return header("X-Forwarded-For", lines...) }
	for _, c := range []struct {
		name, want string
		shapes     []shape
	}{
		{"direct", "203.0.113.7", []shape{from("203.0.113.7:5555")}},
		{"direct, IPv6", "2001:db8::7", []shape{from("[2001:db8::7]:5555")}},
		{"direct, spoofed", "203.0.113.7", []shape{from("203.0.113.7:5555"), hops("198.51.100.1")}},
		{"direct, claims to be a proxy", "203.0.113.7", []shape{from("203.0.113.7:5555"), hops("198.51.100.1, 10.0.0.1")}},
		{"one proxy", "198.51.100.1", []shape{from("10.0.0.1:80"), hops("198.51.100.1")}},
		{"one proxy, spoofed before", "198.51.100.1", []shape{from("10.0.0.1:80"), hops("1.2.3.4, 198.51.100.1")}},
		{"one proxy, a trusted address spoofed before", "198.51.100.1", []shape{from("10.0.0.1:80"), hops("10.9.9.9, 198.51.100.1")}},
		{"three proxies", "198.51.100.1", []shape{from("10.0.0.1:80"), hops("1.2.3.4, 198.51.100.1, 192.0.2.1, 10.2.3.4")}},
		{"on two lines", "198.51.100.1", []shape{from("10.0.0.1:80"), hops("1.2.3.4", "198.51.100.1,10.2.3.4")}},
		{"without spaces", "198.51.100.1", []shape{from("10.0.0.1:80"), hops("1.2.3.4,198.51.100.1,192.0.2.1")}},
		{"proxies only", "10.7.7.7", []shape{from("10.0.0.1:80"), hops("10.7.7.7, 192.0.2.1")}},
		{"no header", "10.0.0.1", []shape{from("10.0.0.1:80")}},
		{"an empty header", "10.0.0.1", []shape{from("10.0.0.1:80"), hops("")}},
		{"malformed", "10.0.0.1", []shape{from("10.0.0.1:80"), hops("1.2.3.4, unknown")}},
		{"malformed behind a proxy", "192.0.2.1", []shape{from("10.0.0.1:80"), hops("1.2.3.4, <script>, 192.0.2.1")}},
		{"a trailing comma", "10.0.0.1", []shape{from("10.0.0.1:80"), hops("1.2.3.4,")}},
		{"octal looks", "10.0.0.1", []shape{from("10.0.0.1:80"), hops("010.0.0.1")}},
		{"IPv6 client", "2001:db8::99", []shape{from("10.0.0.1:80"), hops("2001:DB8:0:0::99")}},
		{"IPv6 proxy", "198.51.100.1", []shape{from("[2001:db8:1::5]:80"), hops("198.51.100.1, 2001:db8:1:2::3")}},
		{"IPv6 beside the prefix", "2001:db8:2::5", []shape{from("[2001:db8:2::5]:80"), hops("198.51.100.1")}},
		{"a zone", "198.51.100.1", []shape{from("[fe80::1%eth0]:80"), hops("198.51.100.1")}},
		{"mapped proxy", "198.51.100.1", []shape{from("[::ffff:10.0.0.1]:80"), hops("198.51.100.1")}},
		{"mapped client", "198.51.100.1", []shape{from("10.0.0.1:80"), hops("::ffff:198.51.100.1")}},
		{"other headers count for nothing", "10.0.0.1", []shape{from("10.0.0.1:80"), header("X-Real-Ip", "1.2.3.4"),
			header("Forwarded", "for=1.2.3.4"), header("True-Client-Ip", "1.2.3.4"), header("X-Client-Ip", "1.2.3.4")}},
		{"a socket", "@", []shape{from("@"), hops("1.2.3.4")}},
		{"nothing", "", []shape{from(""), hops("1.2.3.4")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, &sojourn.Options{TrustedProxies: trusted})
			if got := seenIP(t, s, c.shapes...); got != c.want {
				t.Errorf("%q, expected %q", got, c.want)
			}
		})
	}
	if got := seenIP(t, newSite(t, nil), from("10.0.0.1:80"), hops("198.51.100.1")); got != "10.0.0.1" {
		t.Errorf("without the option: %q", got)
	}
}

// Middleware before ours may leave an address without a port in RemoteAddr.
func TestProxyRemoteAddrWithoutPort(t *testing.T) {
	for _, c := range []struct{ addr, want string }{
		{"203.0.113.7", "203.0.113.7"}, {"2001:db8::7", "2001:db8::7"}, {"::1", "::1"}, {"[::1]", "::1"},
	} {
		if got := seenIP(t, newSite(t, nil), from(c.addr)); got != c.want {
			t.Errorf("RemoteAddr %q: %q, expected %q", c.addr, got, c.want)
		}
	}
}

// warnings counts the operator's warnings of a Secure cookie over plain HTTP.
type warnings struct {
	slog.Handler
	n *int
}

func (w warnings) Enabled(context.Context, slog.Level) bool { return true }
func (w warnings) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelWarn && strings.Contains(r.Message, "plain HTTP") {
		*w.n++
	}
	return nil
}

// The scheme decides whether the operator is warned, once.
func TestProxyScheme(t *testing.T) {
	proto := func(v ...string) shape { return header("X-Forwarded-Proto", v...) }
	for _, c := range []struct {
		name   string
		secure bool
		shapes []shape
	}{
		{"plain", false, nil},
		{"TLS", true, []shape{func(r *http.Request) { r.TLS = new(tls.ConnectionState) }}},
		{"spoofed", false, []shape{from("203.0.113.7:1"), proto("https")}},
		{"behind a proxy", true, []shape{from("10.0.0.1:1"), proto("https")}},
		{"behind a proxy, plain", false, []shape{from("10.0.0.1:1"), proto("http")}},
		{"behind a proxy that says nothing", false, []shape{from("10.0.0.1:1")}},
		{"behind a proxy that contradicts itself", false, []shape{from("10.0.0.1:1"), proto("https", "http")}},
		{"another header", false, []shape{from("10.0.0.1:1"), header("X-Forwarded-Ssl", "on"), header("Forwarded", "proto=https")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 0
			s := newSite(t, &sojourn.Options{TrustedProxies: prefixes(t, "10.0.0.0/8"), Logger: slog.New(warnings{slog.DiscardHandler, &n})})
			for range 3 {
				s.exchange("GET", "http://app.example.com/set/k/v", c.shapes...)
			}
			if secure := n == 0; secure != c.secure || n > 1 {
				t.Errorf("%d warnings, expected TLS: %v", n, c.secure)
			}
		})
	}
}

func TestProxyUserAgent(t *testing.T) {
	s := newSite(t, nil)
	var st sojourn.Status
	s.h = s.m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sojourn.Key[string]("k").Set(r.Context(), "v")
		st, _ = session(r.Context()).Status(r.Context())
	}))
	for _, c := range []struct{ sent, want string }{
		{"", ""},
		{"curl/8", "curl/8"},
		{strings.Repeat("a", 300), strings.Repeat("a", 256)},
		{strings.Repeat("a", 255) + "é", strings.Repeat("a", 255)},
		{"bad \xff bytes", "bad  bytes"},
	} {
		s.exchange("GET", "/", header("User-Agent", c.sent))
		if st.UserAgent != c.want {
			t.Errorf("%q: %q, expected %q", c.sent, st.UserAgent, c.want)
		}
	}
}
