package sojourn

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// How sure we are of the user, and for how long: the authentication assurance
// levels of NIST SP 800-63B-4. A login gives level 1, Elevate any; each counts
// until the level's overall timeout has passed since (§2.1.3, §2.2.3, §2.3.3),
// then the next lower one does. A login always begins anew, so no session has a
// higher level than its authentication.

// maxLevel is the highest level.
const maxLevel = 3

// setLevel notes the level of an authentication; 0: that of a plain login.
func (h *head) setLevel(level byte) {
	h.flags, h.level = h.flags&^flagLevel, 0
	if level > 0 {
		h.flags, h.level = h.flags|flagLevel, level
	}
}

// doubt leaves no level at all until the user authenticates again.
func (h *head) doubt() { h.flags, h.level = h.flags|flagLevel, 0 }

// assurance is the level in force.
func (h *head) assurance(now int64) int {
	if h.auth == 0 {
		return 0
	}
	level := 1
	if h.has(flagLevel) {
		level = int(h.level)
	}
	for level > 0 && now-h.auth >= AAL(level).Absolute.Milliseconds() {
		level--
	}
	return level
}

// Elevate notes that the user has just authenticated again, at a level of NIST
// SP 800-63B-4: 1 (a password), 2 (two factors), 3 (a hardware key). The secret
// is replaced at once, as by RenewNow, and the absolute timeout counts anew.
// After Login in the same request it sets the level of that login. ErrStaleToken,
// at the latest from the commit: another request has replaced the secret
// meanwhile, and the level is not that of its holder.
func (s *Session) Elevate(ctx context.Context, level int) error {
	if level < 1 || level > maxLevel {
		return fmt.Errorf("%w: assurance level %d, expected 1 to %d", ErrInvalid, level, maxLevel)
	}
	if err := s.m.lacks("when a user authenticated", true); err != nil {
		return err
	}
	return s.live(ctx, "elevate", func() error {
		if b := s.birth; b != nil && b.owner != "" {
			b.level = byte(level)
			s.imprint(&s.draft)
			return nil
		}
		if s.birth != nil || s.base.Owner == "" {
			return fmt.Errorf("%w: nobody is logged in; Login comes first", ErrInvalid)
		}
		if s.req != nil && s.req.begun.Load() {
			return ErrHeadersSent
		}
		if err := s.replaceSecret(); err != nil {
			return err
		}
		var ours *digest // nil: the ID is the secret, and a new one
		if s.room.fresh != nil {
			ours = s.room.fresh.hash()
		}
		return s.record(op{kind: opMeta, key: metaElevate, fn: func(d *draft) error {
			if ours != nil && !ours.equal(d.head.cur) { // another request has replaced the secret first
				if d.head.assurance(d.now) < level {
					return ErrStaleToken
				}
				return nil // for the same: a double click
			}
			d.head.setLevel(byte(level))
			d.head.auth = d.now
			p := s.m.policyOf(&d.head)
			d.head.absolute = d.now + p.Absolute.Milliseconds()
			d.extend = true
			return nil
		}})
	})
}

const metaElevate = "elevate" // key of the op

func (s *Session) elevating() bool {
	return slices.ContainsFunc(s.pending(), func(o op) bool { return o.kind == opMeta && o.key == metaElevate })
}

// RequireLevel returns nil if the user's last authentication was of that level
// at least and still counts; ErrStepUp if it does not; ErrNotFound if nobody is
// logged in. Manager.Error answers each.
func (s *Session) RequireLevel(ctx context.Context, level int) error {
	return s.require(ctx, level, 0)
}

// RequireRecentAuth is RequireLevel for the time since the user logged in or
// was elevated: less than d, which is more than 0.
func (s *Session) RequireRecentAuth(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return fmt.Errorf("%w: an authentication within %v, expected more than 0", ErrInvalid, d)
	}
	return s.require(ctx, 0, d)
}

// Require guards a handler: only users who authenticated at that level (0: any)
// and within maxAge (0: ever) get through.
func (m *Manager) Require(level int, maxAge time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := From(r.Context())
		if err == nil {
			err = s.require(r.Context(), level, maxAge)
		}
		if err != nil {
			m.Error(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Session) require(ctx context.Context, level int, maxAge time.Duration) error {
	if level < 0 || level > maxLevel || maxAge < 0 {
		return fmt.Errorf("%w: assurance level %d within %v, expected 0 to %d and no negative time", ErrInvalid, level, maxAge, maxLevel)
	}
	if err := s.known(ctx); err != nil {
		return err
	}
	defer s.unlock()
	st := s.status()
	if st.State != StateActive || st.AuthTime.IsZero() {
		return fmt.Errorf("sojourn: require: nobody is logged in: %w", ErrNotFound)
	}
	age := st.Now.Sub(st.AuthTime)
	if st.Level < max(level, 1) || maxAge > 0 && age >= maxAge {
		return &refusal{err: ErrStepUp, level: level, maxAge: maxAge, hasLevel: st.Level, age: age}
	}
	return nil
}
