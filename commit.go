package sojourn

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"
)

// A commit is what one request has to store: its ops, replayed on whatever
// record is current, until a compare-and-set succeeds.
type commit struct {
	s       *Session
	ctx     context.Context
	skip    bool // settled: stored, or failed
	err     error
	reason  Reason // ended meanwhile: why
	panic   any    // of a function passed to Update, raised again by its caller
	stored  Record
	drafted *draft // nil: as stored
	renewed bool   // its ops replaced the secret

	// Of the combiner.
	alone  func(base *Record) error // instead of replaying ops, with no other commit under way
	behind []*commit
	batch  []*commit
	self   [1]*commit
	base   *Record // handed over with the lead
	lead   bool
	ready  chan struct{}

	// What its first attempt needs, in one piece.
	call    deadline
	details details
	nonces  [32]byte
}

// commitAttempts bounds the conflicts one commit goes through. Between
// processes 20 to 30 were the most seen under a torture; 64 means that
// something else is wrong.
const commitAttempts = 64

// commit stores what was changed. The caller holds s.mu and has loaded.
func (s *Session) commit(ctx context.Context) error {
	if err := s.broken(); err != nil {
		return err
	}
	ops := s.pending()
	if s.birth == nil && len(ops) == 0 {
		return nil
	}
	if s.m.foreign != nil && s.m.carried && s.req != nil && s.req.begun.Load() {
		s.dropChanges()
		return ErrHeadersSent
	}
	var keys []string
	if s.m.watched(ctx) {
		for i := range s.draft.dirty {
			keys = append(keys, s.draft.dirty[i].key)
		}
	}
	if s.room.nonce == 0 && slices.ContainsFunc(ops, func(o op) bool { return o.kind.once() }) {
		s.room.nonce = newNonce()
	}
	answered := false
	defer func() { // a function passed to Update, or a store, may panic
		if !answered {
			s.dropChanges()
		}
	}()
	var reason Reason
	var err error
	if s.birth != nil {
		err = s.promote(ctx)
	} else {
		reason, err = s.update(ctx)
	}
	answered = true
	maintenance, elevated := s.room.upkeep == len(ops), s.elevating()
	s.forgetOps()
	switch {
	case err == nil:
		s.wrote = true
		if len(keys) > 0 {
			e := s.event(EventChanged)
			e.Keys = keys
			s.m.emit(ctx, e)
		}
		if elevated && s.m.watched(ctx) {
			e := s.event(EventElevated)
			e.Level = s.draft.head.assurance(e.At.UnixMilli())
			s.m.emit(ctx, e)
		}
	case reason != "": // not just an error of a caller's function that says so
		s.forget(StateEnded, reason)
		s.barred = true
	case errors.Is(err, ErrUnavailable) && maintenance && s.birth == nil:
		// The next request will renew the secret.
		s.m.opt.Logger.LogAttrs(ctx, slog.LevelWarn, "session renewal put off", slog.Any("error", err))
		err = s.draw()
	case errors.Is(err, ErrUnavailable):
		s.failed = err
	default:
		s.dropChanges()
	}
	return err
}

// dropChanges makes the session what it was before those that are pending.
func (s *Session) dropChanges() {
	s.forgetOps()
	if s.birth != nil {
		s.miscarry()
	} else {
		s.redraw = true
	}
}

// forgetOps leaves nothing to commit.
func (s *Session) forgetOps() {
	if r := s.room; r != nil {
		r.ops, r.upkeep, r.nonce, r.fresh = r.ops[:0], 0, 0, nil
	}
}

// update commits to an existing record, together with parallel requests.
func (s *Session) update(ctx context.Context) (Reason, error) {
	c := &commit{s: s, ctx: ctx, renewed: *currentHash(s.base.Payload) != *s.draft.head.cur}
	s.m.commits.run(c)
	if c.panic != nil {
		panic(c.panic)
	}
	if c.err != nil {
		return c.reason, c.err
	}
	s.base = c.stored
	if c.drafted == nil {
		if err := s.draw(); err != nil {
			return "", err
		}
	} else {
		s.draft.head, s.redraw = c.drafted.head, true
	}
	if fresh := s.room.fresh; fresh != nil && fresh.hash().equal(s.draft.head.cur) {
		s.issued, s.presented, s.standing = fresh, fresh, standsCurrent
	}
	if c.renewed && s.m.watched(ctx) {
		s.m.emit(ctx, s.event(EventRenewed))
	}
	return "", nil
}

// flush stores a batch of commits of one session, starting from base, and
// returns the record that is current afterwards.
func (m *Manager) flush(batch []*commit, base Record) Record {
	for i, c := range batch {
		if c.alone != nil && len(batch) > 1 {
			base = m.flush(batch[i:i+1], m.flush(batch[:i], base))
			return m.flush(batch[i+1:], base)
		}
	}
	if len(batch) == 0 {
		return base
	}
	lead, retried := batch[0], false
	if lead.alone != nil {
		lead.err, lead.skip = lead.alone(&base), true
		return base
	}
	ctx := lead.ctx
	for attempt := range commitAttempts {
		if base.Dead { // it moved while this batch waited
			reason, _ := decodeTombstone(base.Payload)
			return end(batch, base, reason)
		}
		d := &lead.s.draft // with its ops applied
		first := attempt == 0 && len(batch) == 1 && base.Version == lead.s.base.Version
		if !first {
			d = &draft{limits: m.opt}
			if err := d.head.decode(base.Payload); err != nil {
				return fail(batch, base, err)
			}
		}
		d.now = m.now().UnixMilli()
		if reason := base.ended(&d.head, d.now); reason != "" {
			return end(batch, base, reason)
		}
		extend, live := d.extend, 0
		for _, c := range batch {
			if c.skip {
				continue
			}
			c.err, c.panic = nil, nil
			if !first && c.s.room.nonce != 0 && d.head.hasNonce(c.s.room.nonce) {
				c.stored, c.drafted, c.skip = base, nil, true
				continue
			}
			if !first {
				if c.err = c.replay(d); c.err != nil || c.panic != nil {
					continue
				}
			}
			live++
			extend = c.seal(d) || extend
		}
		if live == 0 && !refused(batch) {
			return base
		}
		payload, err := d.encode()
		switch {
		case live == 0:
		case err != nil && len(batch) > 1:
			for i := range batch { // one of them is too large: each for itself
				base = m.flush(batch[i:i+1], base)
			}
			return base
		case err != nil:
			lead.err, live = err, 0
		}
		if live == 0 { // a refusal counts only if the record is still this one
			current, done := m.reload(ctx, batch, base)
			if done {
				return current
			}
			if current.Version == base.Version {
				return settled(batch, base)
			}
			base = current
			continue
		}
		next := &lead.stored
		if lead.skip {
			next = new(Record)
		}
		*next = base
		next.Payload = payload
		next.Expires = time.Time{} // as it is: a touch may have moved it
		if extend || d.extend {
			next.Expires = d.deadline(m)
		}
		t := &lead.call
		if t.Context != nil { // a store may keep the first
			t = new(deadline)
		}
		t.Context, t.limit = ctx, m.opt.CommitTimeout
		current, err := m.store.Update(t, next)
		t.stop()
		switch {
		case err == nil:
			if next.Expires.IsZero() {
				next.Expires = base.Expires
			}
			for _, c := range batch {
				if !c.skip && c.err == nil && c.panic == nil {
					c.stored, c.drafted = *next, d
				}
			}
			return settled(batch, *next)
		case errors.Is(err, ErrConflict):
			base = current // at once: waiting would only make it stale
		case errors.Is(err, ErrNotFound):
			reason, _ := decodeTombstone(current.Payload)
			return end(batch, base, reason)
		case isVerdict(err):
			return fail(batch, base, err)
		case retried:
			return fail(batch, base, m.unavailable(ctx, err))
		default:
			// The answer is lost: the commit may have been stored. Its nonce tells.
			retried = true
			current, done := m.reload(ctx, batch, base)
			if done {
				return current
			}
			base = current
		}
	}
	return fail(batch, base, ErrConflict)
}

// reload reads the record anew for a batch; done if that settles the batch.
func (m *Manager) reload(ctx context.Context, batch []*commit, base Record) (current Record, done bool) {
	current, err := m.load(ctx, base.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		reason, _ := decodeTombstone(current.Payload)
		return end(batch, base, reason), true
	case err != nil:
		return fail(batch, base, err), true
	}
	return current, false
}

// replay applies a commit's ops, all or none.
func (c *commit) replay(d *draft) (err error) {
	head, dirty, extend := d.head, d.dirty, d.extend
	defer func() {
		if c.panic = recover(); c.panic != nil || err != nil {
			d.head, d.dirty, d.extend = head, dirty, extend
		}
		c.s.inFunc.Store(false)
		c.renewed = *d.head.cur != *head.cur
	}()
	ops := c.s.pending()
	for i := range ops {
		c.s.inFunc.Store(ops[i].callers())
		if err = d.apply(&ops[i]); err != nil {
			return err
		}
	}
	return nil
}

// seal notes in the draft that a commit is part of it, and reports whether the
// commit is a sign of life of the user.
func (c *commit) seal(d *draft) (extend bool) {
	s := c.s
	if d.head.details == nil {
		c.details.added = c.nonces[:0]
	}
	about := d.head.open(&c.details)
	if nonce := s.room.nonce; nonce != 0 {
		about.addNonce(nonce, d.now)
	}
	if s.changesMembers() {
		about.rev++
	}
	if s.passive {
		return false
	}
	d.head.seen = d.now
	if s.req != nil {
		s.req.describe(about)
	}
	return true
}

// refused reports whether one of the batch could not replay its ops.
func refused(batch []*commit) bool {
	return slices.ContainsFunc(batch, func(c *commit) bool { return !c.skip && (c.err != nil || c.panic != nil) })
}

// settled ends a batch: each commit is stored, or has its own error.
func settled(batch []*commit, base Record) Record {
	for _, c := range batch {
		c.skip = true
	}
	return base
}

// fail gives err to every commit that is not settled.
func fail(batch []*commit, base Record, err error) Record {
	for _, c := range batch {
		if !c.skip {
			c.err, c.panic, c.skip = err, nil, true
		}
	}
	return base
}

func end(batch []*commit, base Record, reason Reason) Record {
	for _, c := range batch {
		if !c.skip {
			c.reason = reason
		}
	}
	return fail(batch, base, ErrNotFound)
}
