package sojourn

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn/internal/foreign"
)

// A store in the form of another system (package format) names its sessions to
// clients in that system's way. Then its cookie's signature, or the ID itself,
// is what vouches for a session, and a new ID takes the place of a new secret.

// vouched is the secret of all such sessions. It proves nothing and nobody is
// asked for it: a store that is a carrier answers only for IDs it has vouched for.
var vouched secret

// newToken draws a token for a new session.
func (m *Manager) newToken(owner string) Token {
	if m.foreign == nil {
		return newToken(owner, m.opt.OwnerKey)
	}
	return m.token(ID(m.foreign.NewID()), &vouched)
}

func (m *Manager) token(id ID, s *secret) Token {
	t := Token{id, s.hide()}
	if m.foreign != nil {
		t.secret.text = m.foreign.Reveal(string(id))
	}
	return t
}

// parse reads the text a client presents.
func (m *Manager) parse(text string) (Token, error) {
	if m.foreign == nil {
		return ParseToken(text)
	}
	id, ok := m.foreign.Parse(text)
	if !ok {
		return Token{}, fmt.Errorf("%w: token: expected the value of a cookie that the other system has issued", ErrInvalid)
	}
	return m.token(ID(id), &vouched), nil
}

// adopt gives the rules over to a store in the form of another system: how long
// sessions live is that system's affair.
func (m *Manager) adopt(c foreign.Carrier, opt *Options) error {
	var given Options
	if opt != nil {
		given = *opt
	}
	m.foreign, m.carried = c, m.carried || c.InCookie()
	for what, is := range map[string]bool{
		"Options.Header": given.Header != "",
		"Options.Cookie": given.Cookie != Cookie{},
		"Options.Policy but for Absolute and TouchStep": given.Policy != Policy{Absolute: given.Policy.Absolute, TouchStep: given.Policy.TouchStep},
		"Options.Remember": given.Remember != Policy{},
	} {
		if is {
			return m.lacks(what, false)
		}
	}
	p := &m.opt.Policy
	p.Idle, p.CookieLifetime = c.Lifetimes()
	if p.Rotate = -1; given.Policy.Absolute == 0 {
		p.Absolute = 100 * 365 * 24 * time.Hour // unless asked for
	} else if err := m.lacks("Options.Policy.Absolute", true); err != nil {
		return err
	}
	m.opt.Remember = *p
	m.opt.check = c.Check
	return nil
}

// lacks is the error for what another system's form has no place for.
func (m *Manager) lacks(what string, beside bool) error {
	switch {
	case m.foreign == nil || beside && m.foreign.Beside():
		return nil
	case beside:
		return fmt.Errorf("%w: the other system's record has no place for %s; keep records beside it", ErrUnsupported, what)
	}
	return fmt.Errorf("%w: %s is for the other system to say", ErrUnsupported, what)
}

func (sc *scope) presentForeign(s *Session) {
	id, n := sc.m.foreign.Present(&sc.req)
	s.carried = n > 0
	if n > 1 { // the other system takes the first, so we do
		sc.m.emit(sc.Context, s.event(EventDuplicate))
	}
	if id != "" {
		s.id, s.presented, s.hasToken = ID(id), &vouched, true
	}
}

func (sc *scope) sendForeign(h http.Header, s *Session) {
	a := foreign.Answer{Drop: s.drop}
	if s.state == StateActive && s.birth == nil {
		a.ID, a.Issued, a.Changed = string(s.base.ID), s.issued != nil, s.wrote
		a.Expires, a.Life = s.base.Expires, max(0, sc.m.policyOf(&s.draft.head).CookieLifetime)
	}
	before := len(h["Set-Cookie"])
	if sc.m.foreign.Send(&sc.req, h, a); len(h["Set-Cookie"]) > before {
		h["Cache-Control"] = noStore
	}
}

func init() {
	foreign.Compose, foreign.Split = composePayload, splitPayload
}

// never is the absolute deadline of a session that has none: far off, and near
// enough for a time.Duration.
const never = 7_258_118_400_000 // 1 January 2200

func composePayload(base []byte, f foreign.Head, members []foreign.Member) ([]byte, error) {
	h := head{cur: vouched.hash(), absolute: never}
	if base != nil {
		if err := h.decode(base); err != nil {
			return nil, err
		}
	}
	h.edit().rev = f.Revision
	h.policy = &Policy{Idle: f.Idle, CookieLifetime: f.Cookie, Rotate: -time.Millisecond}
	if f.Cookie == 0 {
		h.policy.CookieLifetime = -time.Millisecond // zero would mean "as the manager's"
	}
	h.flags |= flagPolicy
	b := h.appendTo(nil)
	b = binary.AppendUvarint(b, uint64(len(members)))
	for _, m := range members {
		b = appendBytes(b, m.Key)
		b = appendBytes(b, m.Value)
	}
	return b, nil
}

func splitPayload(payload []byte) (base []byte, members []foreign.Member, err error) {
	var h head
	if err := h.decode(payload); err != nil {
		return nil, nil, err
	}
	for k, v := range h.entries() {
		members = append(members, foreign.Member{Key: string(k), Value: v})
	}
	return append(h.appendTo(nil), 0), members, nil
}
