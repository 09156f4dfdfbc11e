package dbsc

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

// DefaultPath is Options.Path unless that is set.
const DefaultPath = "/_session/dbsc/"

// Options shape the binding. The zero value is fine for one process.
type Options struct {
	// Path is below which browsers register and refresh; the Binder must be
	// served there, within Manager.Handler. Default DefaultPath.
	Path string
	// Cookie names the short-lived cookie. Default "__Host-sojourn-bound". It
	// must begin with "__Host-".
	Cookie string
	// Lifetime is that of the short-lived cookie, and so how long a thief of both
	// cookies is the user. Default 10 min, 10 s to 24 h. Chromium refreshes when
	// less than 2 min are left and signs at most 6 times in 9 min for a site
	// (measured, version 156), so stay above 5 min unless you are testing.
	Lifetime time.Duration
	// Overlap is for requests under way: how much longer than browsers keep it a
	// short-lived cookie is taken, and for how long after the binding took hold
	// none is needed. Default a twentieth of Lifetime, 1 to 30 s.
	Overlap time.Duration
	// UnboundFor is how long after a login its session works without a binding;
	// then the user has to log in again. It locks browsers that do not speak the
	// protocol out after that time. Default 0: as long as the session lives.
	UnboundFor time.Duration
	// Exclude are beginnings of paths ("/assets/") whose requests browsers need
	// not hold back for a refresh, because they use no session. Default none.
	Exclude []string
	// Key authenticates offers, at least 32 random bytes, the same in all
	// processes: without it, a registration that reaches another process than the
	// offer came from fails, and the session stays unbound until the next offer.
	// Nothing else depends on it. Default: random.
	Key []byte
	// Logger receives what an operator should see. Default: silence.
	Logger *slog.Logger
}

func (o *Options) settle() (*Options, error) {
	var s Options
	if o != nil {
		s = *o
	}
	bad := func(format string, args ...any) error {
		return fmt.Errorf("dbsc: %w: Options."+format, append([]any{sojourn.ErrInvalid}, args...)...)
	}
	if s.Path == "" {
		s.Path = DefaultPath
	}
	if !isPath(s.Path) || !strings.HasSuffix(s.Path, "/") {
		return nil, bad("Path %q, expected a path of plain characters that begins and ends with /", s.Path)
	}
	if s.Cookie == "" {
		s.Cookie = "__Host-sojourn-bound"
	}
	if err := (&http.Cookie{Name: s.Cookie, Value: "x"}).Valid(); err != nil || !strings.HasPrefix(s.Cookie, "__Host-") || len(s.Cookie) > 128 {
		return nil, bad("Cookie %q, expected a cookie's name of at most 128 characters that begins with __Host-", s.Cookie)
	}
	if s.Lifetime == 0 {
		s.Lifetime = 10 * time.Minute
	}
	if s.Lifetime < 10*time.Second || s.Lifetime > 24*time.Hour {
		return nil, bad("Lifetime is %v, expected 10s to 24h", s.Lifetime)
	}
	if s.Overlap == 0 {
		s.Overlap = min(max(s.Lifetime/20, time.Second), 30*time.Second)
	}
	if s.Overlap < 0 || s.Overlap > s.Lifetime {
		return nil, bad("Overlap is %v, expected at most Lifetime, %v", s.Overlap, s.Lifetime)
	}
	if s.UnboundFor != 0 && s.UnboundFor < offerFor {
		return nil, bad("UnboundFor is %v, expected none or at least %v, in which a browser can register", s.UnboundFor, offerFor)
	}
	s.Exclude = slices.Clone(s.Exclude)
	for _, p := range s.Exclude {
		if !isPath(p) || p == "/" {
			return nil, bad("Exclude: %q, expected the beginning of a path other than /", p)
		}
	}
	if s.Key = slices.Clone(s.Key); s.Key == nil {
		s.Key = make([]byte, 32)
		rand.Read(s.Key)
	}
	if len(s.Key) < 32 {
		return nil, bad("Key has %d bytes, expected none or at least 32 random ones", len(s.Key))
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return &s, nil
}

// isPath accepts what needs no escape in a header's string or in JSON.
func isPath(p string) bool {
	for i := range len(p) {
		c := p[i]
		if c <= ' ' || c >= 127 || strings.IndexByte(`"\?#%*`, c) >= 0 {
			return false
		}
	}
	return strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "//") && len(p) <= 512
}

// check refuses rules under which no browser would bind, or bind too little.
func check(rules *sojourn.Options) error {
	bad := func(text string) error { return fmt.Errorf("dbsc: %w: %s", sojourn.ErrInvalid, text) }
	switch {
	case rules == nil:
		return bad("the rules are nil, expected the options that sojourn.New is given afterwards")
	case rules.Cookie.Insecure:
		return bad("browsers bind sessions over HTTPS only, also on localhost; expected Options.Cookie without Insecure")
	case rules.Cookie.Domain != "":
		return bad("a session that is shared with subdomains cannot be bound; expected Options.Cookie without Domain")
	case rules.Cookie.Partitioned:
		return bad("browsers bind no partitioned cookies (draft §8.9); expected Options.Cookie without Partitioned")
	}
	return nil
}
