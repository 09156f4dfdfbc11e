package format

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

// A Cookie shapes the other system's cookie. Name, Path and Domain must be as there,
// else a browser holds two. Formats say what the zero value means.
type Cookie struct {
	Name        string
	Path        string // default "/"
	Domain      string
	SameSite    http.SameSite // default: the attribute is left out
	Secure      bool
	Scripts     bool // without HttpOnly
	Partitioned bool
}

// Settle fills in the defaults and checks what was given.
func (c *Cookie) Settle(name string) error {
	if c.Name == "" {
		c.Name = name
	}
	if c.Path == "" {
		c.Path = "/"
	}
	probe := http.Cookie{Name: c.Name, Value: "x", Path: c.Path, Domain: c.Domain, Secure: c.Secure, Partitioned: c.Partitioned}
	if err := probe.Valid(); err != nil {
		return fmt.Errorf("%w: cookie %q: %w", sojourn.ErrInvalid, c.Name, err)
	}
	return nil
}

// Find returns the first cookie of a name, as it is on the wire, and how many there
// are.
func (c *Cookie) Find(r *http.Request, name string) (value string, n int) {
	cookies := r.CookiesNamed(name)
	if len(cookies) == 0 {
		return "", 0
	}
	return cookies[0].Value, len(cookies)
}

// Line is a value for Set-Cookie. The value must need no quotes; life as in Outgoing,
// negative to delete the cookie.
func (c *Cookie) Line(name, value string, life time.Duration, now time.Time) string {
	var b strings.Builder
	b.WriteString(name + "=" + value + "; Path=" + c.Path)
	if c.Domain != "" {
		b.WriteString("; Domain=" + c.Domain)
	}
	switch {
	case life < 0:
		b.WriteString("; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
	case life > 0:
		life = min(life, 400*24*time.Hour) // RFC 6265bis §5.5
		b.WriteString("; Max-Age=" + strconv.FormatInt(int64(life/time.Second), 10) + "; Expires=" + now.Add(life).UTC().Format(http.TimeFormat))
	}
	if !c.Scripts {
		b.WriteString("; HttpOnly")
	}
	if c.Secure {
		b.WriteString("; Secure")
	}
	switch c.SameSite {
	case http.SameSiteLaxMode:
		b.WriteString("; SameSite=Lax")
	case http.SameSiteStrictMode:
		b.WriteString("; SameSite=Strict")
	case http.SameSiteNoneMode:
		b.WriteString("; SameSite=None")
	}
	if c.Partitioned {
		b.WriteString("; Partitioned")
	}
	return b.String()
}

// Pick is life, or a negative one for an answer that drops the session.
func (o *Outgoing) Pick() time.Duration {
	if o.Drop {
		return -1
	}
	return o.Life
}
