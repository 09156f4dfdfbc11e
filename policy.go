package sojourn

import (
	"fmt"
	"time"
)

// A Policy says how long sessions live. In Options a zero field means the
// default; in Session.SetPolicy it means "as the manager's".
type Policy struct {
	// Idle ends a session that long after its last real use. Default 30 min.
	Idle time.Duration
	// Absolute ends it that long after it began or its user logged in,
	// whatever happens. Default 12 h.
	Absolute time.Duration
	// CookieLifetime makes the cookie outlive the browser for that long, at most
	// 400 days (RFC 6265bis §5.5). Default 0: a browser-session cookie. It never
	// controls the session itself.
	CookieLifetime time.Duration
	// Rotate gives a session a new secret that long after the last one. Default
	// 1 h; negative: only at login. At least twice Grace.
	Rotate time.Duration
	// Grace is how long a replaced secret still works, for requests under way
	// and answers that were lost. Default 30 s.
	Grace time.Duration
	// TouchStep is how far the idle deadline may lag behind: an otherwise
	// read-only request moves it only after this long. Default a tenth of Idle,
	// at most 1 h; negative: every request.
	TouchStep time.Duration
	// AAL is the authentication assurance level that the policy promises not to
	// outlast: longer timeouts than AAL(n) has are refused, here, in
	// Session.SetPolicy and in Options.Remember, whose defaults shrink to fit,
	// and from level 2 on a cookie that survives the browser is, too. Default 0:
	// no promise.
	AAL int
}

// AAL returns the policy of an authentication assurance level of NIST SP
// 800-63B-4: 1 (30 days, §2.1.3), 2 (1 h idle, 24 h, §2.2.3), 3 (15 min idle,
// 12 h, §2.3.3). Other levels give level 3. What a user must prove to reach a
// level is the application's: see Session.Elevate and RequireLevel.
func AAL(level int) Policy {
	switch level {
	case 1:
		return Policy{AAL: 1, Idle: 30 * 24 * time.Hour, Absolute: 30 * 24 * time.Hour}
	case 2:
		return Policy{AAL: 2, Idle: time.Hour, Absolute: 24 * time.Hour}
	default:
		return Policy{AAL: 3, Idle: 15 * time.Minute, Absolute: 12 * time.Hour}
	}
}

// remembered is the default of Options.Remember under p.
func (p *Policy) remembered() Policy {
	const day = 24 * time.Hour
	r := Policy{Idle: 14 * day, Absolute: 30 * day, CookieLifetime: 30 * day, Rotate: p.Rotate, Grace: p.Grace, AAL: p.AAL}
	if p.AAL > 0 {
		most := AAL(p.AAL)
		r.Idle, r.Absolute = min(r.Idle, most.Idle), min(r.Absolute, most.Absolute)
	}
	if p.AAL > 1 {
		r.CookieLifetime = 0
	}
	return r
}

const maxCookieLifetime = 400 * 24 * time.Hour

// over returns p with its unset fields taken from base.
func (p *Policy) over(base *Policy) Policy {
	pick := func(v, d time.Duration) time.Duration {
		if v == 0 {
			return d
		}
		return v
	}
	step := base.TouchStep
	if p.Idle != 0 && p.Idle != base.Idle {
		step = 0 // a tenth of the new idle timeout, unless given
	}
	aal := p.AAL
	if aal >= 0 {
		aal = max(aal, base.AAL)
	}
	return Policy{
		Idle:           pick(p.Idle, base.Idle),
		Absolute:       pick(p.Absolute, base.Absolute),
		CookieLifetime: pick(p.CookieLifetime, base.CookieLifetime),
		Rotate:         pick(p.Rotate, base.Rotate),
		Grace:          pick(p.Grace, base.Grace),
		TouchStep:      pick(p.TouchStep, step),
		AAL:            aal,
	}
}

// touchStep is the lag in force.
func (p *Policy) touchStep() time.Duration {
	switch {
	case p.TouchStep < 0:
		return 0
	case p.TouchStep == 0:
		return min(p.Idle/10, time.Hour)
	}
	return min(p.TouchStep, p.Idle/2)
}

func (p Policy) validate(what string) error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s: "+format, append([]any{ErrInvalid, what}, args...)...)
	}
	switch {
	case p.Idle < time.Second:
		return bad("Idle is %v, expected at least 1s", p.Idle)
	case p.Absolute < p.Idle:
		return bad("Absolute (%v) is shorter than Idle (%v)", p.Absolute, p.Idle)
	case p.Absolute > maxCookieLifetime:
		return bad("Absolute is %v, expected at most %v", p.Absolute, maxCookieLifetime)
	case p.CookieLifetime < 0 || p.CookieLifetime > maxCookieLifetime:
		return bad("CookieLifetime is %v, expected 0 to %v", p.CookieLifetime, maxCookieLifetime)
	case p.Grace <= 0:
		return bad("Grace is %v, expected more than 0", p.Grace)
	case p.AAL < 0 || p.AAL > maxLevel:
		return bad("AAL is %d, expected 0 to %d", p.AAL, maxLevel)
	case p.AAL > 0 && p.Idle > AAL(p.AAL).Idle:
		return bad("Idle is %v, expected at most %v at AAL %d", p.Idle, AAL(p.AAL).Idle, p.AAL)
	case p.AAL > 0 && p.Absolute > AAL(p.AAL).Absolute:
		return bad("Absolute is %v, expected at most %v at AAL %d", p.Absolute, AAL(p.AAL).Absolute, p.AAL)
	case p.AAL > 1 && p.CookieLifetime > 0: // NIST SP 800-63B-4 §5.1
		return bad("CookieLifetime is %v, expected 0 at AAL %d: the secret should not survive the browser", p.CookieLifetime, p.AAL)
	case p.Rotate > 0 && p.Rotate < 2*p.Grace:
		return bad("Rotate (%v) is shorter than twice Grace (%v)", p.Rotate, p.Grace)
	}
	return nil
}
