package sojourn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Exists reports whether there is a live session, or one that this request has
// begun.
func (s *Session) Exists(ctx context.Context) (bool, error) {
	if err := s.use(ctx); err != nil {
		return false, err
	}
	defer s.unlock()
	return s.state == StateActive, nil
}

// ID is the session's, "" if there is none. Login changes it.
func (s *Session) ID(ctx context.Context) (ID, error) {
	if err := s.use(ctx); err != nil {
		return "", err
	}
	defer s.unlock()
	if s.state != StateActive {
		return "", nil
	}
	if s.birth != nil {
		return s.birth.token.id, nil
	}
	return s.base.ID, nil
}

// Owner is the user who logged in, "" for nobody or no session.
func (s *Session) Owner(ctx context.Context) (string, error) {
	if err := s.use(ctx); err != nil {
		return "", err
	}
	defer s.unlock()
	if s.state != StateActive {
		return "", nil
	}
	if s.birth != nil {
		return s.birth.owner, nil
	}
	return s.base.Owner, nil
}

// Status describes the session now. Asking does not extend it, but a request
// that reads it counts as activity unless it is Passive.
func (s *Session) Status(ctx context.Context) (Status, error) {
	if err := s.known(ctx); err != nil {
		return Status{}, err
	}
	defer s.unlock()
	return s.status(), nil
}

// Begin begins a session for nobody, if there is none, without storing anything
// in it: as soon as there is something to keep, that happens by itself.
func (s *Session) Begin(ctx context.Context) error {
	if err := s.useToWrite(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if s.state == StateActive {
		return nil
	}
	if err := s.mayBegin(ctx); err != nil {
		return err
	}
	return s.begin("")
}

// Login makes owner the session's user. The session always gets a new ID and
// secret. What a visitor collected before comes along; the data of another user
// does not. It takes effect with the commit: at the first byte of the answer,
// or with Save.
func (s *Session) Login(ctx context.Context, owner string) error {
	if err := checkOwner(owner); err != nil {
		return err
	}
	if err := s.useToWrite(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if err := s.admitsOwner(ctx, owner); err != nil {
		return err
	}
	return s.begin(owner)
}

func checkOwner(owner string) error {
	if owner == "" || len(owner) > 255 || !utf8.ValidString(owner) || strings.ContainsRune(owner, 0) {
		return fmt.Errorf("%w: owner, expected 1 to 255 bytes of UTF-8 without NUL", ErrInvalid)
	}
	return nil
}

// Logout ends the session now and for good, and lets the client forget its
// token. Without a session it only does the latter.
func (s *Session) Logout(ctx context.Context) error { return s.Revoke(ctx, ReasonLogout) }

// Revoke is Logout with a reason of the caller's, shown to the user's other
// tabs and to observers.
func (s *Session) Revoke(ctx context.Context, reason Reason) error {
	if err := s.useToWrite(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if s.base.ID != "" && s.state == StateActive {
		if err := s.m.revoke(ctx, s.base.ID, s.base.Owner, reason); err != nil {
			if errors.Is(err, ErrUnavailable) {
				s.failed = err
			}
			return fmt.Errorf("sojourn: revoke: %w", err)
		}
	}
	s.drop = s.hasToken || s.carried || s.issued != nil
	s.forget(StateEnded, reason)
	return nil
}

// forget leaves the session without a record: a new one may begin.
func (s *Session) forget(state State, reason Reason) {
	if s.state == StateNone {
		state, reason = StateNone, ""
	}
	s.state, s.ended = state, &ended{reason, s.m.now()}
	s.forgetOps()
	s.birth, s.barred, s.redraw = nil, false, false
	s.issued, s.draft = nil, draft{}
	s.base = Record{ID: s.base.ID, Owner: s.base.Owner}
}

// Renew begins to replace the secret, as the timer does: the present one works
// until its successor has been seen, so that no parallel request is logged out.
// While the one before still works (Policy.Grace), it is new enough, and stays.
// Outside a request the session must come from Authenticate.
func (s *Session) Renew(ctx context.Context) error {
	return s.renew(ctx, func() error {
		if s.m.foreign != nil {
			return fmt.Errorf("%w: the other system knows one name of a session only; RenewNow gives it a new one", ErrUnsupported)
		}
		if s.standing != standsCurrent { // next: just renewed; previous: being renewed
			return nil
		}
		return s.record(op{kind: opMeta, fn: s.prepare})
	})
}

// RenewNow replaces the secret so that the old one is dead with the commit: for
// a change of privilege or password. Other requests under way with the old
// cookie lose their session. ErrStaleToken, at the latest from the commit: the
// secret presented has a successor in use already, which stays.
func (s *Session) RenewNow(ctx context.Context) error {
	return s.renew(ctx, s.replaceSecret)
}

func (s *Session) replaceSecret() error {
	switch {
	case s.m.foreign != nil: // the ID is the secret
		return s.plan(birth{owner: s.base.Owner, renewal: true})
	case !s.opened && s.standing == standsPrevious:
		return ErrStaleToken
	case s.room != nil && s.room.fresh != nil: // twice in one commit
		return nil
	}
	fresh := newSecret()
	hash := fresh.hash()
	err := s.record(op{kind: opMeta, fn: func(d *draft) error {
		if d.head.cur.equal(hash) { // a repeated commit
			return nil
		}
		if !s.opened {
			switch d.head.standing(s.proof(), d.now) {
			case standsPrevious: // replaced softly meanwhile, and good for a while
				return ErrStaleToken
			case standsNot, standsReplaced:
				return nil // another request replaced it first: its answer carries the cookie
			}
		}
		d.head.replace(fresh, d.now)
		return nil
	}})
	if err == nil {
		s.room.fresh = fresh
	}
	return err
}

func (s *Session) renew(ctx context.Context, f func() error) error {
	return s.live(ctx, "renew", func() error {
		if s.req != nil && s.req.begun.Load() {
			return ErrHeadersSent
		}
		if s.birth != nil { // its secret is new
			return nil
		}
		return f()
	})
}

// Extend moves the idle deadline now, as a sign of life of the user does.
// ErrAbsoluteLimit tells that only a new login can go on.
func (s *Session) Extend(ctx context.Context) error {
	return s.live(ctx, "extend", func() error {
		s.passive = false
		if s.birth != nil {
			return nil
		}
		p := s.m.policyOf(&s.draft.head)
		now := s.m.now().UnixMilli()
		if s.base.Expires.UnixMilli() >= s.draft.head.absolute {
			return ErrAbsoluteLimit
		}
		until := time.UnixMilli(min(now+p.Idle.Milliseconds(), s.draft.head.absolute))
		err := s.m.call(ctx, s.m.opt.CommitTimeout, true, func(ctx context.Context) error { return s.m.store.Touch(ctx, &s.base, until) })
		if err != nil {
			s.failed = err
			return err
		}
		if until.After(s.base.Expires) {
			s.base.Expires = until
		}
		if s.m.watched(ctx) {
			s.m.emit(ctx, s.event(EventExtended))
		}
		return nil
	})
}

// SetPolicy overrides the manager's policy for this session; fields left zero
// stay the manager's. The absolute deadline is counted from the last login.
func (s *Session) SetPolicy(ctx context.Context, p Policy) error {
	if s.m.foreign == nil {
		if err := p.over(&s.m.opt.Policy).validate("policy"); err != nil {
			return err
		}
	}
	return s.setPolicy(ctx, p, true)
}

// Remember gives the session the life of Options.Remember, with a cookie that
// outlives the browser; off takes it back. Ask the user first.
func (s *Session) Remember(ctx context.Context, on bool) error {
	return s.setPolicy(ctx, s.m.opt.Remember, on)
}

func (s *Session) setPolicy(ctx context.Context, p Policy, on bool) error {
	if err := s.m.lacks("how long a session lives", false); err != nil {
		return err
	}
	for _, d := range p.durations() { // as stored
		if *d < 0 {
			*d = -time.Millisecond
		}
		*d = d.Truncate(time.Millisecond)
	}
	return s.live(ctx, "set policy", func() error {
		before, after := s.m.policyOf(&s.draft.head), s.m.opt.Policy
		if on {
			after = p.over(&s.m.opt.Policy)
		}
		resend := after.CookieLifetime != before.CookieLifetime && s.birth == nil
		if resend && s.req != nil && s.req.begun.Load() {
			return ErrHeadersSent
		}
		err := s.record(op{kind: opMeta, fn: func(d *draft) error {
			d.head.policy, d.head.flags = &p, d.head.flags|flagPolicy
			if !on {
				d.head.policy, d.head.flags = nil, d.head.flags&^flagPolicy
			}
			in := s.m.policyOf(&d.head)
			d.head.absolute = max(d.head.auth, d.head.created) + in.Absolute.Milliseconds()
			d.extend = true
			return nil
		}})
		s.resend = s.resend || resend && err == nil
		return err
	})
}

// SetLabel names the device for the user's list: at most 64 bytes, "" for none.
func (s *Session) SetLabel(ctx context.Context, label string) error {
	if err := checkLabel(label); err != nil {
		return err
	}
	if err := s.m.lacks("a label", true); err != nil {
		return err
	}
	return s.live(ctx, "set label", func() error {
		return s.record(op{kind: opMeta, fn: func(d *draft) error {
			d.head.edit().label = []byte(label)
			return nil
		}})
	})
}

func checkLabel(label string) error {
	if len(label) > labelIn || !utf8.ValidString(label) || strings.ContainsFunc(label, unicode.IsControl) {
		return fmt.Errorf("%w: label, expected at most %d bytes of UTF-8 without control characters", ErrInvalid, labelIn)
	}
	return nil
}

// Passive marks this request as no activity of the user: a poll, a status
// check, a socket. It will not extend the session.
func (s *Session) Passive() {
	if s.lock() == nil {
		s.passive = true
		s.unlock()
	}
}

// Save commits what was changed so far. Requests do so by themselves before the
// first byte of the answer; jobs and sockets call it. ErrNotFound: the session
// ended meanwhile and nothing was stored.
func (s *Session) Save(ctx context.Context) error {
	if err := s.use(ctx); err != nil {
		return err
	}
	defer s.unlock()
	if err := s.commit(ctx); err != nil {
		return fmt.Errorf("sojourn: save: %w", err)
	}
	return nil
}

// Token is what the client should present from now on, for carriers of the
// caller's own and for tests: empty unless it has changed and been committed.
func (s *Session) Token(ctx context.Context) (Token, error) {
	if err := s.known(ctx); err != nil {
		return Token{}, err
	}
	defer s.unlock()
	stored := &s.draft.head
	if len(s.pending()) > 0 && s.state == StateActive && s.birth == nil {
		stored = new(head)
		if err := stored.decode(s.base.Payload); err != nil {
			return Token{}, fmt.Errorf("sojourn: token: %w", err)
		}
	}
	return s.successor(stored), nil
}

// successor is the token to send: one newly issued, or the pending one of the
// stored head h.
func (s *Session) successor(h *head) Token {
	switch {
	case s.state != StateActive || s.birth != nil:
		return Token{}
	case s.issued != nil:
		return s.m.token(s.base.ID, s.issued)
	case s.hasToken && h.has(flagNext) && s.proof().equal(h.cur):
		next := s.presented.successor(h.seed[:])
		return Token{id: s.base.ID, secret: next.hide()}
	case s.resend && s.hasToken && s.proof().equal(h.cur): // not one replaced meanwhile
		return Token{id: s.base.ID, secret: s.presented.hide()}
	}
	return Token{}
}

// live runs f on a live session, under the lock.
func (s *Session) live(ctx context.Context, what string, f func() error) error {
	if err := s.useToWrite(ctx); err != nil {
		return err
	}
	defer s.unlock()
	err := ErrNotFound
	if s.state == StateActive {
		err = f()
	}
	if err != nil {
		return fmt.Errorf("sojourn: %s: %w", what, err)
	}
	return nil
}
