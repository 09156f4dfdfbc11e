package sojourn_test

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"testing"

	"github.com/sojournhq/sojourn"
)

const ownOrigin = "https://app.example.com"

// The matrix of method × Sec-Fetch-Site × Origin, with and without our cookie:
// "+" passes, "-" is refused with 403, "c" is refused only with our cookie.
//
//	Origin →                 absent own sibling foreign null http
var originMatrix = map[string]map[string]string{
	"safe": { // a cross-site GET must change nothing anyway
		"":            "+ + + + + +",
		"same-origin": "+ + + + + +",
		"same-site":   "+ + + + + +",
		"cross-site":  "+ + + + + +",
		"none":        "+ + + + + +",
	},
	"unsafe": { // an absent Origin comes from no browser
		"":            "+ + - - - -",
		"same-origin": "+ + + + + +",
		"same-site":   "- - - - - -",
		"cross-site":  "- - - - - -",
		"none":        "+ + + + + +",
		"invented":    "- - - - - -",
	},
	"upgrade": { // browsers always send Origin, and older ones no Sec-Fetch-Site
		"":            "c + - - - -",
		"same-origin": "c + - - - -",
		"same-site":   "c + - - - -",
		"cross-site":  "c + - - - -",
	},
}

var originColumns = []string{"", ownOrigin, "https://evil.example.com", "https://example.org", "null", "http://app.example.com"}

func TestOriginMatrix(t *testing.T) {
	s := newSite(t, nil)
	ran := false
	s.mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) { ran = true; io.WriteString(w, "page") })
	_, token := s.begun()
	methods := map[string][]string{
		"safe":    {"GET", "HEAD", "OPTIONS"},
		"unsafe":  {"POST", "PUT", "PATCH", "DELETE", "PROPFIND", "post"},
		"upgrade": {"GET", "POST"},
	}
	for class, rows := range originMatrix {
		for site, row := range rows {
			for i, origin := range originColumns {
				for _, method := range methods[class] {
					for _, cookie := range []bool{false, true} {
						var shapes []shape
						if site != "" {
							shapes = append(shapes, header("Sec-Fetch-Site", site))
						}
						if origin != "" {
							shapes = append(shapes, header("Origin", origin))
						}
						if cookie {
							shapes = append(shapes, cookies("__Host-sojourn="+token))
						}
						if class == "upgrade" {
							shapes = append(shapes, header("Connection", "Upgrade"), header("Upgrade", "websocket"))
						}
						want := 200
						if cell := row[2*i]; cell == '-' || cell == 'c' && cookie {
							want = 403
						}
						ran = false
						a := s.exchange(method, ownOrigin+"/page", shapes...)
						if a.code != want || ran != (want == 200) {
							t.Errorf("%s %s, Sec-Fetch-Site %q, Origin %q, cookie %v: %d, handler ran %v; expected %d", class, method, site, origin, cookie, a.code, ran, want)
						}
					}
				}
			}
		}
	}
}

func TestOriginRefusal(t *testing.T) {
	var got error
	s := newSite(t, &sojourn.Options{ErrorHandler: func(w http.ResponseWriter, r *http.Request, status int, err error) {
		got = err
		w.WriteHeader(status)
	}})
	_, token := s.begun()
	calls := s.store.calls.Load()
	a := s.exchange("POST", ownOrigin+"/set/k/w", header("Sec-Fetch-Site", "cross-site"), cookies("__Host-sojourn="+token))
	if a.code != 403 || !errors.Is(got, sojourn.ErrCrossSite) {
		t.Errorf("%d, %v", a.code, got)
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Set-Cookie") != "" {
		t.Errorf("header: %v", a.header)
	}
	if n := s.store.calls.Load() - calls; n != 0 {
		t.Errorf("%d store calls for a refused request", n)
	}
	if a := newSite(t, nil).exchange("POST", "/plain", header("Sec-Fetch-Site", "cross-site")); a.body != "Forbidden" {
		t.Errorf("default answer: %q", a.body)
	}
}

// An upgrade's Origin must equal ours in scheme, host and port.
func TestOriginOfUpgrades(t *testing.T) {
	s := newSite(t, &sojourn.Options{
		TrustedOrigins: []string{"https://friend.example.org"},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	})
	_, token := s.begun()
	forwarded := func(proto ...string) shape { return header("X-Forwarded-Proto", proto...) }
	for _, c := range []struct {
		target, origin string
		pass           bool
		more           []shape
	}{
		{"https://app.example.com/plain", "https://app.example.com", true, nil},
		{"https://app.example.com/plain", "https://APP.example.com", true, nil},
		{"https://app.example.com/plain", "https://app.example.com:443", true, nil},
		{"https://app.example.com:443/plain", "https://app.example.com", true, nil},
		{"https://app.example.com:8443/plain", "https://app.example.com:8443", true, nil},
		{"http://localhost:8080/plain", "http://localhost:8080", true, nil},
		{"http://app.example.com/plain", "http://app.example.com:80", true, nil},
		{"https://[2001:db8::1]/plain", "https://[2001:db8::1]", true, nil},
		{"https://app.example.com/plain", "https://friend.example.org", true, nil},

		{"https://app.example.com:8443/plain", "https://app.example.com", false, nil},
		{"https://app.example.com/plain", "https://app.example.com:80", false, nil},
		{"https://app.example.com/plain", "http://app.example.com", false, nil},
		{"http://app.example.com/plain", "https://app.example.com", false, nil},
		{"https://app.example.com/plain", "https://app.example.com.evil.org", false, nil},
		{"https://app.example.com/plain", "https://evilapp.example.com", false, nil},
		{"https://app.example.com/plain", "https://example.com", false, nil},
		{"https://app.example.com/plain", "https://a.app.example.com", false, nil},
		{"https://app.example.com/plain", "app.example.com", false, nil},
		{"https://app.example.com/plain", "//app.example.com", false, nil},
		{"https://app.example.com/plain", "https://", false, nil},
		{"https://app.example.com/plain", "", false, nil},
		{"https://app.example.com/plain", "null", false, nil},
		{"https://app.example.com/plain", "https://%zz", false, nil},
		{"https://app.example.com/plain", "file://app.example.com", false, nil},
		{"https://app.example.com/plain", "https://friend.example.org:444", false, nil},
		{"https://app.example.com/plain", "http://friend.example.org", false, nil},

		{"http://app.example.com/plain", "https://app.example.com", true, []shape{from("10.1.2.3:5"), forwarded("https")}},
		{"http://app.example.com/plain", "https://app.example.com", true, []shape{from("10.1.2.3:5"), forwarded(" HTTPS ")}},
		{"http://app.example.com/plain", "http://app.example.com", false, []shape{from("10.1.2.3:5"), forwarded("https")}},
		{"http://app.example.com/plain", "https://app.example.com", false, []shape{from("203.0.113.9:5"), forwarded("https")}},
		{"http://app.example.com/plain", "https://app.example.com", false, []shape{from("10.1.2.3:5"), forwarded("https", "https")}},
		{"http://app.example.com/plain", "https://app.example.com", false, []shape{from("10.1.2.3:5"), forwarded("https, http")}},
		{"http://app.example.com/plain", "http://app.example.com", true, []shape{from("10.1.2.3:5"), forwarded("http")}},
	} {
		shapes := append(c.more, header("Upgrade", "websocket"), header("Origin", c.origin), cookies("__Host-sojourn="+token))
		if a := s.exchange("GET", c.target, shapes...); (a.code == 200) != c.pass || !c.pass && a.code != 403 {
			t.Errorf("%s from %q: %d, expected to pass: %v", c.target, c.origin, a.code, c.pass)
		}
	}
	if a := s.exchange("GET", "https://app.example.com/plain", header("Upgrade", "websocket"), header("Origin", ownOrigin, ownOrigin)); a.code != 403 {
		t.Errorf("two Origin lines: %d", a.code)
	}
}

// RFC 8441 opens a WebSocket over HTTP/2 by CONNECT: the same rule holds.
func TestOriginOfExtendedConnect(t *testing.T) {
	s := newSite(t, nil)
	s.h = s.m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	_, token := s.begun()
	mine := cookies("__Host-sojourn=" + token)
	for _, c := range []struct {
		name   string
		want   int
		shapes []shape
	}{
		{"own origin", 200, []shape{mine, header("Origin", ownOrigin)}},
		{"no browser", 200, nil},
		{"a cookie without Origin", 403, []shape{mine}},
		{"a sibling", 403, []shape{mine, header("Origin", "https://evil.example.com")}},
		{"our host without TLS", 403, []shape{mine, header("Origin", "http://app.example.com")}},
	} {
		connect := func(r *http.Request) { r.Method = "CONNECT" }
		if a := s.exchange("GET", ownOrigin+"/live", append(c.shapes, connect)...); a.code != c.want {
			t.Errorf("%s: %d, expected %d", c.name, a.code, c.want)
		}
	}
}

func TestOriginTrusted(t *testing.T) {
	s := newSite(t, &sojourn.Options{TrustedOrigins: []string{"https://friend.example.org", "http://localhost:3000"}})
	for origin, want := range map[string]int{
		"https://friend.example.org": 200, "http://localhost:3000": 200,
		"http://friend.example.org": 403, "https://friend.example.org:8443": 403, "https://a.friend.example.org": 403,
		"http://localhost": 403, "null": 403,
	} {
		for _, site := range []string{"cross-site", "same-site", ""} {
			shapes := []shape{header("Origin", origin)}
			if site != "" {
				shapes = append(shapes, header("Sec-Fetch-Site", site))
			}
			if a := s.exchange("POST", ownOrigin+"/plain", shapes...); a.code != want {
				t.Errorf("%s, %q: %d, expected %d", origin, site, a.code, want)
			}
		}
	}
	for _, bad := range []string{"", "example.com", "https://", "https://example.com/", "https://example.com/app", "https://example.com?x", "://x", "*"} {
		want := "sojourn: invalid: Options.TrustedOrigins: \"" + bad + "\", expected scheme://host[:port]"
		if got := settingsError(t, sojourn.Options{TrustedOrigins: []string{bad}}); got != want {
			t.Errorf("%q\n got %s\nwant %s", bad, got, want)
		}
	}
}

// Browsers write an origin in lower case and without the default port. One
// written differently must be understood or refused, not ignored.
func TestOriginTrustedIsComparable(t *testing.T) {
	for written, sent := range map[string]string{
		"https://Friend.Example.org":     "https://friend.example.org",
		"HTTPS://friend.example.org":     "https://friend.example.org",
		"https://friend.example.org:443": "https://friend.example.org",
	} {
		if settingsError(t, sojourn.Options{TrustedOrigins: []string{written}}) != "" {
			continue
		}
		s := newSite(t, &sojourn.Options{TrustedOrigins: []string{written}})
		if a := s.exchange("POST", ownOrigin+"/plain", header("Origin", sent)); a.code != 200 {
			t.Errorf("%s was taken as trusted, but %s gets %d", written, sent, a.code)
		}
	}
}

func TestInsecureSkipOriginCheck(t *testing.T) {
	s := newSite(t, &sojourn.Options{InsecureSkipOriginCheck: true})
	_, token := s.begun()
	foreign := []shape{header("Origin", "https://evil.example.org"), header("Sec-Fetch-Site", "cross-site"), cookies("__Host-sojourn=" + token)}
	if a := s.exchange("POST", ownOrigin+"/plain", foreign...); a.code != 200 {
		t.Errorf("POST: %d", a.code)
	}
	if a := s.exchange("GET", ownOrigin+"/plain", append(foreign, header("Upgrade", "websocket"))...); a.code != 200 {
		t.Errorf("upgrade: %d", a.code)
	}
}
