package sojourn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// What follows where two parties seem to hold one session. A replaced secret
// that comes back is held by two: the one who was given its successor, and the
// one who was not. Which is the thief cannot be told:
//
//	thief copies S0 ─▶ victim is given S1, uses it ─▶ thief comes with S0: replay
//	thief copies S0 ─▶ thief is given S1, uses it ─▶ victim comes with S0: replay
//
// so by default the session ends for both. A changed address or browser is a
// weaker sign, which people give too: Options.Signals judges it.

// The words of Options.OnReplay and Options.Signals.
const (
	reactReport    = "report"     // tell observers, no more
	reactStepUp    = "step-up"    // and ask for another authentication: the level is 0 until then
	reactRevoke    = "revoke"     // and end the session
	reactRevokeAll = "revoke-all" // and all sessions of its owner
)

func settleOnReplay(word *string) error {
	switch *word {
	case "":
		*word = reactRevoke
	case reactReport, reactRevoke, reactRevokeAll:
	default:
		return fmt.Errorf(`%w: Options.OnReplay is %q, expected "report", "revoke" or "revoke-all"`, ErrInvalid, *word)
	}
	return nil
}

// asOf is when a presented secret is to be judged: when the request arrived, as
// far as we know, since a slow upload must not become a replay on its way.
func (s *Session) asOf(now int64) int64 {
	if s.req != nil && s.req.arrived != 0 {
		return min(now, s.req.arrived)
	}
	return now
}

// onReplay reacts to a replaced secret. Within the grace of the last
// replacement it may be of a request that was under way then: that one is
// turned away, and told, but ends nothing.
func (s *Session) onReplay(ctx context.Context, h *head, at int64) {
	p := s.m.policyOf(h)
	if at < h.rotated+p.Grace.Milliseconds() {
		return
	}
	s.m.react(ctx, s.m.opt.OnReplay, &s.base, ReasonReplayed)
}

// react ends what a reaction says, at least the session itself. It fails with
// ErrUnavailable, which observers have been told then.
func (m *Manager) react(ctx context.Context, reaction string, rec *Record, reason Reason) error {
	if reaction == reactRevokeAll && rec.Owner != "" {
		_, err := m.revokeOwner(ctx, rec.Owner, true)
		if err == nil {
			m.emit(ctx, Event{Kind: EventOwnerRevoked, Owner: rec.Owner, Reason: reason, At: m.now()})
		}
		if !errors.Is(err, ErrUnsupported) {
			return err
		}
	}
	if reaction == reactRevoke || reaction == reactRevokeAll {
		return m.revoke(ctx, rec.ID, rec.Owner, reason)
	}
	return nil
}

// compare asks Options.Signals about a request that comes from elsewhere than
// the last one that the record tells of, and notes the new place there.
func (s *Session) compare(ctx context.Context) {
	if s.m.opt.Signals == nil || s.req == nil {
		return
	}
	ip := s.req.clientIP()
	if s.draft.head.isOf(ip, s.req.userAgent()) {
		return
	}
	if s.cached { // the change may have been noted, and answered, since
		s.cached = false
		if rec, err := s.m.load(ctx, s.id); err == nil {
			if s.base = rec; s.draw() == nil {
				s.judge(ctx)
			}
		}
		return
	}
	s.inFunc.Store(true)
	reaction, signs := s.m.opt.Signals(&s.req.req, ip, s.status())
	s.inFunc.Store(false)
	if reaction != "" {
		e := s.event(EventSignal)
		e.Signals = signs
		s.m.emit(ctx, e)
	}
	switch reaction {
	case "", reactReport, reactStepUp:
	case reactRevoke, reactRevokeAll:
		if err := s.m.react(ctx, reaction, &s.base, ReasonSuspect); err != nil {
			s.failed = err
			return
		}
		s.forget(StateEnded, ReasonSuspect)
		s.barred = true
		return
	default:
		s.m.opt.Logger.LogAttrs(ctx, slog.LevelError, `Options.Signals: expected "", "report", "step-up", "revoke" or "revoke-all"; taken for "report"`, slog.String("got", reaction))
	}
	s.maintain(func(d *draft) error {
		if d.head.isOf(ip, s.req.userAgent()) { // noted by another request, and answered since perhaps
			return nil
		}
		if s.req.describe(d.head.edit()); reaction == reactStepUp {
			d.head.doubt()
		}
		return nil
	})
}

// isOf reports whether the last request that the record tells of came from there.
func (h *head) isOf(ip, userAgent string) bool {
	was := h.about()
	return string(was.ip) == ip[:min(len(ip), ipIn)] && string(was.userAgent) == strings.ToValidUTF8(userAgent, "")
}
