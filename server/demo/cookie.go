package demo

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

// An attribute of the session cookie, and why it is so.
type attribute struct {
	Name  string `json:"name"`
	Value string `json:"value"` // as in the header; "" for a flag
	On    bool   `json:"on"`
	Why   string `json:"why"`
}

type cookieAnswer struct {
	Name string `json:"name"`
	// Line is the header this server sends, with a placeholder for the token.
	Line       string      `json:"line"`
	Attributes []attribute `json:"attributes"`
}

// cookie explains the Set-Cookie header as it is configured. Whether this
// visitor's cookie outlives the browser depends on ?remember.
func (d *demo) cookie(w http.ResponseWriter, r *http.Request) {
	o := d.sessions.Options()
	life := o.Policy.CookieLifetime
	if r.URL.Query().Get("remember") == "1" {
		life = o.Remember.CookieLifetime
	}
	reply(w, explain(o.Cookie, life))
}

func explain(c sojourn.Cookie, life time.Duration) cookieAnswer {
	all := []attribute{prefix(c)}
	add := func(name, value string, on bool, why string) {
		all = append(all, attribute{name, value, on, why})
	}

	if c.Path == "/" {
		add("Path", c.Path, true, "Sent with every request to this host.")
	} else {
		add("Path", c.Path, true, "Sent with requests below this path. That is tidiness, not a wall: pages on one host can reach each other.")
	}
	if c.Domain == "" {
		add("Domain", "", false, "Left out, so the cookie stays with exactly this host and no subdomain ever receives it.")
	} else {
		add("Domain", c.Domain, true, "Shared with every subdomain: each of them can read and replace it.")
	}
	if life > 0 {
		add("Max-Age", strconv.FormatInt(int64(life/time.Second), 10), true, "The browser keeps it after it is closed, as “keep me logged in” asked. The server still decides when the session ends.")
	} else {
		add("Max-Age", "", false, "Left out, so the cookie goes when the browser closes. The server keeps its own two clocks anyway.")
	}
	if c.Insecure {
		add("Secure", "", false, "Left out because this is plain HTTP on your own machine. Anywhere else it belongs here, and is there by default.")
	} else {
		add("Secure", "", true, "Travels over HTTPS only, so nobody on the way can read it.")
	}
	add("HttpOnly", "", true, "No script can read it: a script that was smuggled into a page cannot carry the session away.")
	add("SameSite", sameSite(c.SameSite), true, map[http.SameSite]string{
		http.SameSiteStrictMode: "Never sent when another site led here, not even by a link.",
		http.SameSiteNoneMode:   "Sent from other sites, too, which pages in foreign frames need. The origin check does all the work then.",
		http.SameSiteLaxMode:    "Other sites can link here but cannot post here in your name. The server checks the origin as well.",
	}[c.SameSite])
	if c.Partitioned {
		add("Partitioned", "", true, "A separate jar for each site that embeds this page, so it cannot be used to follow you.")
	}

	line := []string{c.Name + "=…"}
	for _, a := range all[1:] {
		switch {
		case a.On && a.Value != "":
			line = append(line, a.Name+"="+a.Value)
		case a.On:
			line = append(line, a.Name)
		}
	}
	return cookieAnswer{Name: c.Name, Line: strings.Join(line, "; "), Attributes: all}
}

// prefix explains what the cookie's name promises to browsers.
func prefix(c sojourn.Cookie) attribute {
	a := attribute{Name: "Name", Value: c.Name, On: true}
	switch lower := strings.ToLower(c.Name); {
	case strings.HasPrefix(lower, "__host-"):
		a.Why = "The prefix makes browsers refuse it unless it is Secure, has Path=/ and no Domain: no subdomain can plant one."
	case strings.HasPrefix(lower, "__secure-"), strings.HasPrefix(lower, "__http-"):
		a.Why = "The prefix makes browsers refuse it unless it came over HTTPS."
	case c.Insecure:
		a.Why = "A plain name: browsers accept the safer “__Host-sojourn” over HTTPS only."
	default:
		a.Why = "A plain name: browsers check nothing about it."
	}
	return a
}

func sameSite(s http.SameSite) string {
	switch s {
	case http.SameSiteStrictMode:
		return "Strict"
	case http.SameSiteNoneMode:
		return "None"
	case http.SameSiteLaxMode:
		return "Lax"
	}
	return fmt.Sprint(int(s))
}
