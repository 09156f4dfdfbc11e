package sojourn

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Cookie shapes the session cookie. Combinations that browsers drop or that
// are unsafe are refused by New. HttpOnly is always set.
type Cookie struct {
	// Name. Default "__Host-sojourn"; "__Secure-sojourn" with Domain or Path;
	// "sojourn" with Insecure. "__Host-Http-" and "__Http-" prefixes work too.
	Name string
	// Domain shares the cookie with all its subdomains. Default: this host only.
	Domain string
	// Path narrows it. Default "/".
	Path string
	// SameSite: default Lax. Frames on other sites need None and Partitioned.
	SameSite http.SameSite
	// Partitioned keeps a jar per embedding site (CHIPS), for use in frames.
	Partitioned bool
	// Insecure leaves Secure out, so that plain HTTP works: for localhost only.
	Insecure bool
}

func (c *Cookie) settle() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: Options.Cookie: "+format, append([]any{ErrInvalid}, args...)...)
	}
	if c.Path == "" {
		c.Path = "/"
	}
	if c.Name == "" {
		switch {
		case c.Insecure:
			c.Name = "sojourn"
		case c.Domain != "" || c.Path != "/":
			c.Name = "__Secure-sojourn"
		default:
			c.Name = "__Host-sojourn"
		}
	}
	if c.SameSite == 0 || c.SameSite == http.SameSiteDefaultMode {
		c.SameSite = http.SameSiteLaxMode
	}
	if !isToken(c.Name) || len(c.Name) > 128 {
		return bad("Name %q, expected 1 to 128 characters that RFC 9110 §5.6.2 allows in a token", c.Name)
	}
	if len(c.Path) > 1024 { // RFC 6265bis §5.6: browsers ignore longer attributes
		return bad("Path of %d bytes, expected at most 1024", len(c.Path))
	}
	if c.Path[0] != '/' || strings.ContainsAny(c.Path, ";, \t\r\n\"\\") || !isPrintable(c.Path) {
		return bad("Path %q, expected one that starts with / and has no spaces, quotes or semicolons", c.Path)
	}
	if c.Domain != "" {
		d := strings.TrimPrefix(c.Domain, ".")
		if !isHost(d) || !strings.Contains(d, ".") {
			return bad("Domain %q, expected a domain of at least two labels, as in example.com", c.Domain)
		}
		c.Domain = d
	}
	lower := strings.ToLower(c.Name) // browsers compare prefixes without case
	host := strings.HasPrefix(lower, "__host-")
	secure := host || strings.HasPrefix(lower, "__secure-") || strings.HasPrefix(lower, "__http-")
	switch {
	case secure && c.Insecure:
		return bad("browsers drop %s without Secure; use a plain name with Insecure", c.Name)
	case host && c.Domain != "":
		return bad("browsers drop %s with a Domain; use __Secure- instead of __Host-", c.Name)
	case host && c.Path != "/":
		return bad("browsers drop %s with a Path other than /; use __Secure- instead of __Host-", c.Name)
	case c.SameSite == http.SameSiteNoneMode && c.Insecure:
		return bad("browsers drop SameSite=None without Secure")
	case c.Partitioned && c.Insecure:
		return bad("browsers drop Partitioned without Secure")
	case c.SameSite < http.SameSiteLaxMode || c.SameSite > http.SameSiteNoneMode:
		return bad("SameSite is %d, expected Lax, Strict or None", c.SameSite)
	}
	return nil
}

// append writes the Set-Cookie value for a token that lasts for life; zero
// means as long as the browser, negative deletes the cookie.
func (c *Cookie) append(b []byte, t Token, life time.Duration) []byte {
	b = append(b, c.Name...)
	b = append(b, '=')
	b = t.appendTo(b)
	b = append(b, "; Path="...)
	b = append(b, c.Path...)
	if c.Domain != "" {
		b = append(b, "; Domain="...)
		b = append(b, c.Domain...)
	}
	switch {
	case life < 0:
		b = append(b, "; Max-Age=0"...)
	case life > 0:
		b = append(b, "; Max-Age="...)
		b = strconv.AppendInt(b, int64(min(life, maxCookieLifetime)/time.Second), 10)
	}
	if !c.Insecure {
		b = append(b, "; Secure"...)
	}
	b = append(b, "; HttpOnly; SameSite="...)
	switch c.SameSite {
	case http.SameSiteStrictMode:
		b = append(b, "Strict"...)
	case http.SameSiteNoneMode:
		b = append(b, "None"...)
	default:
		b = append(b, "Lax"...)
	}
	if c.Partitioned {
		b = append(b, "; Partitioned"...)
	}
	return b
}

// find scans Cookie header lines for ours without parsing the others. n counts
// the cookies of our name; value is the first. size is the length of all lines.
func (c *Cookie) find(lines []string) (value string, n, size int) {
	for _, line := range lines {
		size += len(line)
		for line != "" {
			pair := line
			if i := strings.IndexByte(line, ';'); i >= 0 {
				pair, line = line[:i], line[i+1:]
			} else {
				line = ""
			}
			for len(pair) > 0 && (pair[0] == ' ' || pair[0] == '\t') {
				pair = pair[1:]
			}
			if len(pair) <= len(c.Name) || pair[len(c.Name)] != '=' || pair[:len(c.Name)] != c.Name {
				continue
			}
			if n++; n == 1 {
				value = strings.TrimRight(pair[len(c.Name)+1:], " \t")
				if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
					value = value[1 : len(value)-1]
				}
			}
		}
	}
	return value, n, size
}

func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 127 || strings.IndexByte("()<>@,;:\\\"/[]?={}", c) >= 0 {
			return false
		}
	}
	return s != ""
}

func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func isHost(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-') {
				return false
			}
		}
	}
	return len(s) <= 253 // RFC 1035 §2.3.4
}
