package sojourn

import (
	"bytes"
	"context"
	"errors"

	"github.com/sojournhq/sojourn/internal/foreign"
)

// A birth is a record about to be created: a visitor's first, or the one a
// login moves to. A login always gets a new ID, so a token planted before it is
// worthless after it.
//
//	nobody ──set──▶ create
//	nobody ──login──▶ create
//	session of nobody or of the same user ──login──▶ create a copy, then end the
//	     old record as "moved", only if it is still what was copied; else copy again
//	session of another user ──login──▶ create, revoke the old one as "replaced"
type birth struct {
	token    Token
	hash     digest // of the token's secret
	owner    string
	inherit  bool // the old record's members come along
	renewal  bool // nobody logs in: the times stay
	replaced bool // the old record is another user's
	level    byte // of assurance, where it is not that of a plain login
	form     *[16]byte
	before   before
}

// before is what a session was before a birth, in case it comes to nothing.
type before struct {
	state        State
	drop, resend bool
	issued       *secret
}

// begin plans a new record; the caller holds s.mu and has loaded.
func (s *Session) begin(owner string) error { return s.plan(birth{owner: owner}) }

func (s *Session) plan(b birth) error {
	if s.req != nil && s.req.begun.Load() {
		return ErrHeadersSent
	}
	if err := s.mayCreate(); err != nil {
		return err
	}
	owner := b.owner
	b.before = before{s.state, s.drop, s.resend, s.issued}
	if s.birth != nil {
		b.before = s.birth.before
	}
	switch old := s.birth; {
	case old != nil && old.owner == owner:
		return nil
	case old != nil && old.owner == "":
		b.inherit, b.replaced = old.inherit, old.replaced
	case old != nil: // two users in one request: the later one starts empty
		b.replaced = old.inherit || old.replaced
		s.blank()
	case s.state != StateActive:
		s.blank()
	case s.base.Owner == "" || s.base.Owner == owner:
		b.inherit = true
	default:
		b.replaced = true
		s.blank()
	}
	b.token = s.m.newToken(owner)
	b.hash = *b.token.secret.hash()
	s.furnish()
	s.room.birth = b
	s.birth, s.state, s.drop, s.issued, s.resend = &s.room.birth, StateActive, false, nil, false
	s.imprint(&s.draft)
	return nil
}

// miscarry gives up the planned record and all changes so far.
func (s *Session) miscarry() {
	b := s.birth.before
	s.blank()
	s.birth, s.state, s.drop, s.resend, s.issued = nil, b.state, b.drop, b.resend, b.issued
	s.redraw = s.state == StateActive
}

// blank empties the draft and forgets the ops so far.
func (s *Session) blank() {
	s.forgetOps()
	s.draft = *s.m.blank()
}

// blank is the draft of a session that holds nothing: its secret is nobody's.
func (m *Manager) blank() *draft {
	return &draft{limits: m.opt, head: head{cur: &nobodys}}
}

var nobodys digest // read only, as all that a head points to

// imprint makes a draft the new record's: secrets, times and device.
func (s *Session) imprint(d *draft) {
	b, h := s.birth, &d.head
	d.now = s.m.now().UnixMilli()
	kept := byte(flagPolicy) // what the old session is bound to is not this one's
	if b.renewal {
		kept |= flagLevel | flagBound
	}
	h.flags &= kept
	h.cur, h.prev, h.next, h.seed, h.prevUntil = &b.hash, nil, nil, nil, 0
	about := h.open(&s.room.about)
	about.retired, about.nonces = nil, nil
	if !b.renewal {
		about.binding = nil
	}
	h.rotated, h.seen = d.now, d.now
	if s.req != nil {
		s.req.describe(about)
	}
	h.setForm(b.form)
	if b.renewal {
		return
	}
	h.setLevel(b.level)
	h.created, h.auth = d.now, 0
	if b.owner != "" {
		h.auth = d.now
	}
	p := s.m.policyOf(h)
	h.absolute = d.now + p.Absolute.Milliseconds()
}

// finish imprints and encodes the new record.
func (s *Session) finish(d *draft, rec *Record) (err error) {
	s.imprint(d)
	if s.changesMembers() {
		d.head.open(&s.room.about).rev++
	}
	rec.Expires = d.deadline(s.m)
	rec.Payload, err = d.encode()
	return err
}

// promote creates the planned record and ends the old one.
func (s *Session) promote(ctx context.Context) error {
	b, old := s.birth, s.base
	rec := Record{ID: b.token.id, Owner: b.owner}
	if err := s.finish(&s.draft, &rec); err != nil {
		return err
	}
	if s.m.opt.MaxSessions > 0 && b.owner != "" {
		defer s.m.turns.take(b.owner)()
	}
	creating := ctx
	if s.m.foreign != nil && b.inherit {
		creating = foreign.From(ctx, string(old.ID))
	}
	if err := s.m.create(creating, &rec); err != nil {
		return err
	}
	if err := s.m.keepLimit(ctx, &rec, s.draft.head.created, old.ID); err != nil {
		s.abandon(ctx, &rec)
		return err
	}
	event := Event{Kind: EventCreated}
	switch {
	case b.inherit:
		c := &commit{s: s, ctx: ctx}
		c.alone = func(base *Record) error { return c.move(base, &rec) }
		s.m.commits.run(c)
		if c.err != nil || c.panic != nil {
			s.abandon(ctx, &rec)
		}
		if c.panic != nil {
			panic(c.panic)
		}
		if c.err != nil {
			return c.err
		}
		event.From = old.ID
	case b.replaced:
		if err := s.m.revoke(ctx, old.ID, old.Owner, ReasonReplaced); err != nil {
			s.abandon(ctx, &rec)
			return err
		}
	}
	s.base, s.birth, s.redraw, s.began = rec, nil, true, true
	s.state, s.barred, s.id, s.opened = StateActive, false, rec.ID, false
	s.presented, s.hasToken, s.standing = b.token.secret.secret, true, standsCurrent
	s.issued = b.token.secret.secret
	if s.m.watched(ctx) {
		e := s.event(EventCreated)
		e.From, e.Level = event.From, s.draft.head.assurance(e.At.UnixMilli())
		s.m.emit(ctx, e)
		if b.inherit {
			s.m.emit(ctx, Event{Kind: EventEnded, ID: old.ID, Owner: old.Owner, Reason: ReasonMoved, At: e.At})
		}
	}
	return nil
}

// abandon ends a new record that nobody was given the token of, so that it does
// not show among the user's devices.
func (s *Session) abandon(ctx context.Context, rec *Record) {
	now := s.m.now()
	r := RevokedRecord{ID: rec.ID, Owner: rec.Owner, Reason: ReasonRevoked, At: now, Until: now.Add(s.m.opt.TombstoneFor)}
	_ = s.m.call(ctx, s.m.opt.CommitTimeout, false, func(ctx context.Context) error { return s.m.store.Revoke(ctx, r) })
}

// create stores a new record. If the first answer was lost, the second attempt
// meets our own record.
func (m *Manager) create(ctx context.Context, rec *Record) error {
	for retry := false; ; retry = true {
		t := withDeadline(ctx, m.opt.CommitTimeout)
		err := m.store.Create(t, rec)
		t.stop()
		switch {
		case err == nil:
			return nil
		case retry && errors.Is(err, ErrExists):
			stored, err := m.load(ctx, rec.ID)
			if err == nil && bytes.Equal(stored.Payload, rec.Payload) {
				*rec = stored
			}
			return err
		case isVerdict(err):
			return err
		case retry:
			return m.unavailable(ctx, err)
		}
	}
}

// move ends the old record, base, if it is still the one that was copied into
// rec; else it copies again. It runs as the only commit of the old session in
// this process, so only other processes can make it run again.
func (c *commit) move(base, rec *Record) error {
	s, m := c.s, c.s.m
	copied := s.base.Version
	for range commitAttempts {
		if base.Dead { // another login of this process, ahead of ours, moved it
			return c.recopy(m.blank(), rec)
		}
		now := m.now()
		d := draft{limits: m.opt}
		if base.Version != copied {
			if err := d.head.decode(base.Payload); err != nil {
				return err
			}
			if base.ended(&d.head, now.UnixMilli()) != "" {
				return c.recopy(m.blank(), rec)
			}
			if err := c.recopy(&d, rec); err != nil || c.panic != nil {
				return err
			}
			copied = base.Version
		}
		dead := *base
		dead.Dead, dead.Expires = true, now.Add(m.opt.TombstoneFor)
		dead.Payload = append(append(encodeTombstone(ReasonMoved, now), 0), rec.ID...) // ours, if the answer is lost
		current, err := m.swap(c.ctx, &dead)
		switch {
		case err == nil:
			*base = dead
			return nil
		case errors.Is(err, ErrNotFound):
			// It ended meanwhile. What it held ends with it; the login stays.
			return c.recopy(m.blank(), rec)
		case !errors.Is(err, ErrConflict):
			return err
		}
		*base = current
	}
	return ErrConflict
}

// recopy makes rec what the ops make of d.
func (c *commit) recopy(d *draft, rec *Record) error {
	if err := c.replay(d); err != nil || c.panic != nil {
		return err
	}
	if err := c.s.finish(d, rec); err != nil {
		return err
	}
	_, err := c.s.m.swap(c.ctx, rec)
	c.s.draft = *d
	return err
}

// swap updates a record by compare-and-set. After a lost answer it recognises
// its own payload.
func (m *Manager) swap(ctx context.Context, rec *Record) (Record, error) {
	for retry := false; ; retry = true {
		t := withDeadline(ctx, m.opt.CommitTimeout)
		current, err := m.store.Update(t, rec)
		t.stop()
		switch {
		case err == nil:
			return current, nil
		case retry && (errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound)) && bytes.Equal(current.Payload, rec.Payload):
			rec.Version = current.Version
			return current, nil
		case isVerdict(err):
			return current, err
		case retry:
			return current, m.unavailable(ctx, err)
		}
	}
}
