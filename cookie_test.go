package sojourn_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

// setCookie is the Set-Cookie line of a site's answer, the token in it masked.
func setCookie(t *testing.T, a answer) string {
	t.Helper()
	lines := a.header.Values("Set-Cookie")
	if len(lines) != 1 {
		t.Fatalf("%d Set-Cookie lines, expected 1: %q", len(lines), lines)
	}
	name, rest, _ := strings.Cut(lines[0], "=")
	value, attributes, _ := strings.Cut(rest, ";")
	if value != "" {
		if _, err := sojourn.ParseToken(value); err != nil {
			t.Fatalf("%s: %v", lines[0], err)
		}
		value = "T"
	}
	return name + "=" + value + ";" + attributes
}

func TestCookieGolden(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		name   string
		cookie sojourn.Cookie
		life   time.Duration
		want   string
	}{
		{"default", sojourn.Cookie{}, 0,
			"__Host-sojourn=T; Path=/; Secure; HttpOnly; SameSite=Lax"},
		{"persistent", sojourn.Cookie{}, 14 * day,
			"__Host-sojourn=T; Path=/; Max-Age=1209600; Secure; HttpOnly; SameSite=Lax"},
		{"400 days, the longest", sojourn.Cookie{}, 400 * day,
			"__Host-sojourn=T; Path=/; Max-Age=34560000; Secure; HttpOnly; SameSite=Lax"},
		{"strict", sojourn.Cookie{SameSite: http.SameSiteStrictMode}, 0,
			"__Host-sojourn=T; Path=/; Secure; HttpOnly; SameSite=Strict"},
		{"the default mode is spelled out", sojourn.Cookie{SameSite: http.SameSiteDefaultMode}, 0,
			"__Host-sojourn=T; Path=/; Secure; HttpOnly; SameSite=Lax"},
		{"in frames", sojourn.Cookie{SameSite: http.SameSiteNoneMode, Partitioned: true}, 0,
			"__Host-sojourn=T; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"},
		{"none without partition", sojourn.Cookie{SameSite: http.SameSiteNoneMode}, 0,
			"__Host-sojourn=T; Path=/; Secure; HttpOnly; SameSite=None"},
		{"domain", sojourn.Cookie{Domain: "example.com"}, 0,
			"__Secure-sojourn=T; Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Lax"},
		{"domain with a dot", sojourn.Cookie{Domain: ".Example.com"}, 0,
			"__Secure-sojourn=T; Path=/; Domain=Example.com; Secure; HttpOnly; SameSite=Lax"},
		{"path", sojourn.Cookie{Path: "/app/"}, 0,
			"__Secure-sojourn=T; Path=/app/; Secure; HttpOnly; SameSite=Lax"},
		{"all of it", sojourn.Cookie{Name: "__Http-id", Domain: "example.com", Path: "/app", SameSite: http.SameSiteNoneMode, Partitioned: true}, day,
			"__Http-id=T; Path=/app; Domain=example.com; Max-Age=86400; Secure; HttpOnly; SameSite=None; Partitioned"},
		{"the strongest prefix", sojourn.Cookie{Name: "__Host-Http-id"}, 0,
			"__Host-Http-id=T; Path=/; Secure; HttpOnly; SameSite=Lax"},
		{"localhost", sojourn.Cookie{Insecure: true}, 0,
			"sojourn=T; Path=/; HttpOnly; SameSite=Lax"},
		{"localhost, all of it", sojourn.Cookie{Insecure: true, Name: "id", Domain: "app.localhost", Path: "/x", SameSite: http.SameSiteStrictMode}, time.Minute,
			"id=T; Path=/x; Domain=app.localhost; Max-Age=60; HttpOnly; SameSite=Strict"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, &sojourn.Options{Cookie: c.cookie, Policy: sojourn.Policy{CookieLifetime: c.life}})
			first := s.exchange("GET", "/set/k/v")
			if got := setCookie(t, first); got != c.want {
				t.Errorf("set\n got %s\nwant %s", got, c.want)
			}
			// Deleting needs the same attributes, else a browser keeps the cookie.
			line := first.header.Get("Set-Cookie")
			line, _, _ = strings.Cut(line, ";")
			want := strings.Replace(c.want, "=T;", "=;", 1)
			if i := strings.Index(want, "; Max-Age="); i >= 0 {
				end := i + 2 + strings.IndexByte(want[i+2:], ';')
				want = want[:i] + want[end:]
			}
			for _, next := range []string{"; Secure", "; HttpOnly"} {
				if i := strings.Index(want, next); i >= 0 {
					want = want[:i] + "; Max-Age=0" + want[i:]
					break
				}
			}
			if got := setCookie(t, s.exchange("GET", "/logout", cookies(line))); got != want {
				t.Errorf("delete\n got %s\nwant %s", got, want)
			}
		})
	}
}

func TestCookieRefusals(t *testing.T) {
	const name = "Name %q, expected 1 to 128 characters that RFC 9110 §5.6.2 allows in a token"
	const path = "Path %q, expected one that starts with / and has no spaces, quotes or semicolons"
	const domain = "Domain %q, expected a domain of at least two labels, as in example.com"
	long := strings.Repeat("n", 129)
	for _, c := range []struct {
		cookie sojourn.Cookie
		want   string
	}{
		{sojourn.Cookie{Name: "a b"}, fmt.Sprintf(name, "a b")},
		{sojourn.Cookie{Name: "a;b"}, fmt.Sprintf(name, "a;b")},
		{sojourn.Cookie{Name: "a=b"}, fmt.Sprintf(name, "a=b")},
		{sojourn.Cookie{Name: "a\"b"}, fmt.Sprintf(name, "a\"b")},
		{sojourn.Cookie{Name: "sesión"}, fmt.Sprintf(name, "sesión")},
		{sojourn.Cookie{Name: "a\x7f"}, fmt.Sprintf(name, "a\x7f")},
		{sojourn.Cookie{Name: "a\r\nSet-Cookie: b"}, fmt.Sprintf(name, "a\r\nSet-Cookie: b")},
		{sojourn.Cookie{Name: long}, fmt.Sprintf(name, long)},
		{sojourn.Cookie{Path: "app"}, fmt.Sprintf(path, "app")},
		{sojourn.Cookie{Path: "/a;b"}, fmt.Sprintf(path, "/a;b")},
		{sojourn.Cookie{Path: "/a b"}, fmt.Sprintf(path, "/a b")},
		{sojourn.Cookie{Path: "/é"}, fmt.Sprintf(path, "/é")},
		{sojourn.Cookie{Path: "/a\n"}, fmt.Sprintf(path, "/a\n")},
		{sojourn.Cookie{Domain: "com"}, fmt.Sprintf(domain, "com")},
		{sojourn.Cookie{Domain: "."}, fmt.Sprintf(domain, ".")},
		{sojourn.Cookie{Domain: "..example.com"}, fmt.Sprintf(domain, "..example.com")},
		{sojourn.Cookie{Domain: "example.com."}, fmt.Sprintf(domain, "example.com.")},
		{sojourn.Cookie{Domain: "example.com; Path=/"}, fmt.Sprintf(domain, "example.com; Path=/")},
		{sojourn.Cookie{Domain: "bücher.example"}, fmt.Sprintf(domain, "bücher.example")},
		{sojourn.Cookie{Domain: "example.com:443"}, fmt.Sprintf(domain, "example.com:443")},
		{sojourn.Cookie{Name: "__Host-id", Insecure: true}, "browsers drop __Host-id without Secure; use a plain name with Insecure"},
		{sojourn.Cookie{Name: "__secure-id", Insecure: true}, "browsers drop __secure-id without Secure; use a plain name with Insecure"},
		{sojourn.Cookie{Name: "__Http-id", Insecure: true}, "browsers drop __Http-id without Secure; use a plain name with Insecure"},
		{sojourn.Cookie{Name: "__Host-id", Domain: "example.com"}, "browsers drop __Host-id with a Domain; use __Secure- instead of __Host-"},
		{sojourn.Cookie{Name: "__hOsT-id", Domain: "example.com"}, "browsers drop __hOsT-id with a Domain; use __Secure- instead of __Host-"},
		{sojourn.Cookie{Name: "__Host-Http-id", Domain: "example.com"}, "browsers drop __Host-Http-id with a Domain; use __Secure- instead of __Host-"},
		{sojourn.Cookie{Name: "__Host-id", Path: "/app"}, "browsers drop __Host-id with a Path other than /; use __Secure- instead of __Host-"},
		{sojourn.Cookie{SameSite: http.SameSiteNoneMode, Insecure: true}, "browsers drop SameSite=None without Secure"},
		{sojourn.Cookie{Partitioned: true, Insecure: true}, "browsers drop Partitioned without Secure"},
		{sojourn.Cookie{SameSite: 9}, "SameSite is 9, expected Lax, Strict or None"},
		{sojourn.Cookie{SameSite: -1}, "SameSite is -1, expected Lax, Strict or None"},
	} {
		_, err := sojourn.New(newMapStore(), &sojourn.Options{Cookie: c.cookie})
		if !errors.Is(err, sojourn.ErrInvalid) || err.Error() != "sojourn: invalid: Options.Cookie: "+c.want {
			t.Errorf("%+v\n got %v\nwant … %s", c.cookie, err, c.want)
		}
	}
}

// RFC 6265bis §5.6: attributes over 1024 octets are ignored; a domain with an
// empty label matches no host.
func TestCookieRefusesWhatBrowsersIgnore(t *testing.T) {
	for _, c := range []sojourn.Cookie{
		{Domain: "example..com"},
		{Domain: strings.Repeat("a.", 600) + "example.com"},
		{Path: "/" + strings.Repeat("p", 1024)},
	} {
		if settingsError(t, sojourn.Options{Cookie: c}) == "" {
			t.Errorf("%.40q %.40q was taken, though no browser keeps it so", c.Domain, c.Path)
		}
	}
}

// Whatever New takes, a browser keeps: the rules of RFC 6265bis §5.7 and of
// layered-cookies for prefixes, applied to every combination.
func TestCookieCombinations(t *testing.T) {
	taken := 0
	for _, name := range []string{"", "id", "__Host-id", "__HOST-id", "__Secure-id", "__Http-id", "__Host-Http-id"} {
		for _, domain := range []string{"", "example.com"} {
			for _, path := range []string{"", "/", "/app"} {
				for mode := range http.SameSiteNoneMode + 2 {
					for _, partitioned := range []bool{false, true} {
						for _, insecure := range []bool{false, true} {
							c := sojourn.Cookie{Name: name, Domain: domain, Path: path, SameSite: mode, Partitioned: partitioned, Insecure: insecure}
							if settingsError(t, sojourn.Options{Cookie: c}) != "" {
								if keeps(c) {
									t.Errorf("%+v is refused, though browsers keep it", c)
								}
								continue
							}
							taken++
							line := newSite(t, &sojourn.Options{Cookie: c}).exchange("GET", "/set/k/v").header.Get("Set-Cookie")
							k, err := http.ParseSetCookie(line)
							if err != nil {
								t.Fatal(line, err)
							}
							sent := sojourn.Cookie{Name: k.Name, Domain: k.Domain, Path: k.Path, SameSite: k.SameSite, Partitioned: k.Partitioned, Insecure: !k.Secure}
							if !keeps(sent) || !k.HttpOnly {
								t.Errorf("%+v was taken, but browsers drop %s", c, line)
							}
						}
					}
				}
			}
		}
	}
	if taken < 100 {
		t.Errorf("only %d combinations were taken", taken)
	}
}

func keeps(c sojourn.Cookie) bool {
	name := strings.ToLower(c.Name)
	switch {
	case c.SameSite > http.SameSiteNoneMode:
		return false
	case c.Insecure && (c.Partitioned || c.SameSite == http.SameSiteNoneMode):
		return false
	case strings.HasPrefix(name, "__host-"):
		return !c.Insecure && c.Domain == "" && (c.Path == "" || c.Path == "/")
	case strings.HasPrefix(name, "__secure-"), strings.HasPrefix(name, "__http-"):
		return !c.Insecure
	}
	return true
}
