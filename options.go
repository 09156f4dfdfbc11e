package sojourn

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"
)

// Options set the rules of a Manager. The zero value is the secure default.
type Options struct {
	// Policy is the life of a session. See Policy for the defaults.
	Policy Policy
	// Remember is the life of a session after Session.Remember. Default: 14 days
	// idle, 30 days absolute, a cookie of 30 days; less where Policy.AAL says so.
	Remember Policy

	// Cookie shapes the cookie. Default: __Host-sojourn, Secure, HttpOnly,
	// SameSite=Lax, Path=/.
	Cookie Cookie
	// Header also accepts the token in this request header, for clients without
	// cookies; "Authorization" expects the Bearer scheme. A new token is sent
	// back in the response header "Sojourn-Token". A request that has the header
	// is answered by header only. Default "": cookies only.
	Header string

	// TrustedProxies may say, by X-Forwarded-For and X-Forwarded-Proto, who the
	// client is and which scheme it used. Default none: headers are ignored.
	TrustedProxies []netip.Prefix
	// TrustedOrigins ("https://app.example.com") may send unsafe requests
	// besides our own origin. Default none.
	TrustedOrigins []string
	// InsecureSkipOriginCheck turns the cross-site protection off. Only for
	// applications with one of their own.
	InsecureSkipOriginCheck bool

	// MaxSessions bounds how many live sessions a user may have, on a store that
	// can List. Each login costs a list and a read per session. Default 0: any.
	MaxSessions int
	// OnMaxSessions is what happens to one more: "reject" fails the login with
	// ErrSessionLimit; "ask" too, and the error lists the sessions, one of which
	// the user may give up (Session.LoginInstead); "evict" ends the oldest.
	// Default "reject".
	OnMaxSessions string
	// MaxCreations bounds how many sessions one source may begin in a minute, by
	// a login or by storing something: ErrRateLimited, 429. A source is an IPv4
	// address or an IPv6 /64; set TrustedProxies first, or all visitors are one.
	// Kept per process, for 65,536 sources at most. Default 0: any; 60 suits a
	// public site.
	MaxCreations int
	// MaxMisses bounds how many tokens that open nothing one source may present in
	// a minute, counted as in MaxCreations. Beyond, its requests that use their
	// session are answered 429 without asking the store, but for tokens that
	// opened one here before. Default 0: any; 600 suits a public site.
	MaxMisses int
	// MaxRecord bounds the encoded members of a session, in bytes. Default 64
	// KiB. What the core keeps besides, at most 2 KiB, comes on top.
	MaxRecord int
	// MaxMembers bounds the number of members. Default 256.
	MaxMembers int
	// MaxKey bounds the name of a member, in bytes. Default 128.
	MaxKey int
	// MaxHeader bounds the request's Cookie headers together, in bytes; a longer
	// one is answered 431. Default 32 KiB.
	MaxHeader int

	// LoadTimeout bounds one attempt to read from the store. Default 250 ms.
	LoadTimeout time.Duration
	// CommitTimeout bounds one attempt to write. Default 500 ms.
	CommitTimeout time.Duration
	// AnonymousOnOutage lets requests that only read (GET, HEAD, OPTIONS, TRACE)
	// go on as nobody's while the store fails: members are empty and Exists is
	// false, no cookie changes, the answer is not cached, and whatever would
	// store something still makes it 503. Session.Status and Members, by which
	// pages and programs decide that somebody was logged out, return
	// ErrUnavailable. For sites whose public pages should stay up. Default
	// false: 503.
	AnonymousOnOutage bool
	// TouchEveryRequest makes requests that never use their session extend it
	// too, at the cost of a store read each. Default false.
	TouchEveryRequest bool
	// OnReplay is what follows when a replaced secret is used after its grace, by
	// a thief or by the victim of one: "revoke" ends the session for both,
	// "revoke-all" all sessions of its owner (of a store that cannot, the one),
	// "report" only tells observers.
	// Default "revoke".
	OnReplay string
	// Signals judges a request whose address (ip, as TrustedProxies tell) or user
	// agent is not what the session's last one had: was. It returns "" for
	// nothing, "report" to tell observers (EventSignal with signs), "step-up" to
	// set the level of assurance to 0 as well, "revoke" or "revoke-all" to end the
	// session or all of its owner's. It must not use the session of r. See package
	// bind/signals. Default nil: not asked.
	Signals func(r *http.Request, ip string, was Status) (reaction string, signs []string)
	// TombstoneFor is how long the reason of an ended session is kept. Default
	// 10 min, at least 1 min.
	TombstoneFor time.Duration
	// OwnerKey keys the hash by which a session's ID reveals that two sessions
	// are of one owner. Changing it splits the lists of users with live
	// sessions. Default none: a plain hash.
	OwnerKey []byte

	// Guards decide whether a request may use the live session that its token
	// belongs to, at its first use and before anything of it is shown, in order,
	// until one returns an error. Then there is no session, as for an unknown
	// token: nothing is stored, the cookie stays, Login works, and EventRefused
	// tells why. If the error is ErrUnavailable, the request is answered 503. The
	// Session is the guard's own, as from Manager.Open; r is nil for
	// Manager.Authenticate. A guard must be quick and safe for parallel use, and
	// must not use the session of r's context. Default none.
	Guards []func(r *http.Request, s *Session) error
	// Began are told of each session that a request begins, a login's included,
	// before its cookie is sent. They may add to the header h of the answer; for
	// the rest they are like Guards. Default none.
	Began []func(h http.Header, r *http.Request, s *Session)
	// Observers receive every event, in order.
	Observers []Observer
	// Logger receives what an operator should see. Default: silence.
	Logger *slog.Logger
	// ErrorHandler answers a request in place of the handler's own answer: err
	// is ErrUnavailable (503, Retry-After is set already), ErrCrossSite (403),
	// ErrTooLarge (431 or 413) or ErrNotFound (401: the session ended before its
	// changes could be stored), or what Manager.Error was given. Default: a line
	// of text, and for what a program can act on, as ErrStepUp, a problem
	// document (RFC 9457).
	ErrorHandler func(w http.ResponseWriter, r *http.Request, status int, err error)
	// Clock tells the time. Default time.Now.
	Clock func() time.Time

	check func(key string, value []byte) error // of another system's form
}

// settle returns a copy with defaults filled in and everything checked.
func (o *Options) settle() (*Options, error) {
	var s Options
	if o != nil {
		s = o.clone()
	}
	plain := Policy{Idle: 30 * time.Minute, Absolute: 12 * time.Hour, Rotate: time.Hour, Grace: 30 * time.Second}
	if s.Policy.AAL > 0 {
		plain.Idle = min(plain.Idle, AAL(s.Policy.AAL).Idle)
	}
	s.Policy = s.Policy.over(&plain)
	s.Policy.Absolute = absoluteFor(s.Policy, o != nil && o.Policy.Absolute != 0)
	remembered := s.Policy.remembered()
	s.Remember = s.Remember.over(&remembered)
	s.Remember.Absolute = absoluteFor(s.Remember, o != nil && o.Remember.Absolute != 0)
	for _, p := range []struct {
		p    Policy
		name string
	}{{s.Policy, "Options.Policy"}, {s.Remember, "Options.Remember"}} {
		if err := p.p.validate(p.name); err != nil {
			return nil, err
		}
	}
	ints := []struct {
		v            *int
		name         string
		def, low, up int
	}{
		{&s.MaxCreations, "MaxCreations", 0, 0, 1 << 20},
		{&s.MaxMisses, "MaxMisses", 0, 0, 1 << 20},
		{&s.MaxRecord, "MaxRecord", 64 << 10, 1 << 10, 16 << 20},
		{&s.MaxMembers, "MaxMembers", 256, 1, 1 << 16},
		{&s.MaxKey, "MaxKey", 128, 1, 1 << 10},
		{&s.MaxHeader, "MaxHeader", 32 << 10, 1 << 10, 1 << 20},
	}
	for _, i := range ints {
		if *i.v == 0 {
			*i.v = i.def
		}
		if *i.v < i.low || *i.v > i.up {
			return nil, fmt.Errorf("%w: Options.%s is %d, expected %d to %d", ErrInvalid, i.name, *i.v, i.low, i.up)
		}
	}
	durations := []struct {
		v        *time.Duration
		name     string
		def, low time.Duration
	}{
		{&s.LoadTimeout, "LoadTimeout", 250 * time.Millisecond, time.Millisecond},
		{&s.CommitTimeout, "CommitTimeout", 500 * time.Millisecond, time.Millisecond},
		{&s.TombstoneFor, "TombstoneFor", 10 * time.Minute, time.Minute},
	}
	for _, d := range durations {
		if *d.v == 0 {
			*d.v = d.def
		}
		if *d.v < d.low {
			return nil, fmt.Errorf("%w: Options.%s is %v, expected at least %v", ErrInvalid, d.name, *d.v, d.low)
		}
	}
	if err := s.Cookie.settle(); err != nil {
		return nil, err
	}
	if err := settleOnReplay(&s.OnReplay); err != nil {
		return nil, err
	}
	if err := s.settleMaxSessions(); err != nil {
		return nil, err
	}
	if s.Header != "" {
		s.Header = http.CanonicalHeaderKey(s.Header)
		if !isToken(s.Header) || s.Header == "Cookie" {
			return nil, fmt.Errorf("%w: Options.Header %q, expected the name of a request header other than Cookie", ErrInvalid, s.Header)
		}
	}
	if n := len(s.OwnerKey); n > 0 && n < 16 {
		return nil, fmt.Errorf("%w: Options.OwnerKey has %d bytes, expected none or at least 16 random ones", ErrInvalid, n)
	}
	for _, observer := range s.Observers {
		if observer == nil {
			return nil, fmt.Errorf("%w: Options.Observers has a nil, expected observers", ErrInvalid)
		}
	}
	for _, guard := range s.Guards {
		if guard == nil {
			return nil, fmt.Errorf("%w: Options.Guards has a nil, expected functions", ErrInvalid)
		}
	}
	for _, told := range s.Began {
		if told == nil {
			return nil, fmt.Errorf("%w: Options.Began has a nil, expected functions", ErrInvalid)
		}
	}
	for _, p := range s.TrustedProxies {
		if !p.IsValid() || p.Addr().Is4In6() {
			return nil, fmt.Errorf("%w: Options.TrustedProxies: %q, expected prefixes as in 10.0.0.0/8", ErrInvalid, p)
		}
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Clock == nil {
		s.Clock = time.Now
	}
	if s.ErrorHandler == nil {
		s.ErrorHandler = plainError
	}
	return &s, nil
}

// clone copies what a caller could change from outside.
func (o *Options) clone() Options {
	c := *o
	c.TrustedProxies = slices.Clone(o.TrustedProxies)
	c.TrustedOrigins = slices.Clone(o.TrustedOrigins)
	c.OwnerKey = slices.Clone(o.OwnerKey)
	c.Guards, c.Began = slices.Clone(o.Guards), slices.Clone(o.Began)
	c.Observers = slices.Clone(o.Observers)
	return c
}

// absoluteFor lifts the default absolute timeout for an application that asked
// only for a longer idle one.
func absoluteFor(p Policy, given bool) time.Duration {
	if !given && p.Absolute < p.Idle {
		return p.Idle
	}
	return p.Absolute
}
