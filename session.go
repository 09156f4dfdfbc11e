package sojourn

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A Session is the session of one request, or one opened outside requests. It
// is loaded at its first use. A request without a session has a Session too,
// one that does not exist yet: it begins with the first member set, or Login.
//
// Methods are safe for parallel use by goroutines of the same request. They
// fail with ErrUnavailable when the store does; the request is then answered
// 503 whatever the handler does.
type Session struct {
	m   *Manager
	ctx context.Context // the request's, for its values
	req *scope          // nil outside requests

	mu     sync.Mutex
	late   atomic.Pointer[lateEvent] // to be told after mu is released
	inFunc atomic.Bool               // a function passed to Update runs under mu

	loaded   bool
	opened   bool // by ID: no secret is asked for
	passive  bool // no sign of life of the user
	nobodys  bool // the store failed, and the request goes on as nobody's
	hasToken bool
	carried  bool // the client sent a cookie of ours, well-formed or not
	standing standing
	replayed bool
	barred   bool // the token ended or was replaced: begins no session by itself
	redraw   bool // base is newer than the draft: decode again
	resend   bool // the cookie's lifetime changed
	drop     bool // the client should forget its token
	touched  bool
	began    bool // in this request: a new ID
	cached   bool // base may be out of date
	wrote    bool // this request has changed the record

	failed    error // unavailable: sticks, so that the answer is 503
	id        ID
	presented *secret // behind a pointer, which fmt does not follow
	issued    *secret // new, to be sent to the client
	state     State
	ended     *ended // with StateEnded

	reading deadline
	base    Record
	draft   draft  // base and the changes so far, as this request sees them
	room    *room  // of a session that changes
	birth   *birth // a new record is to be created
}

// ended tells why a session has ended, and when.
type ended struct {
	why Reason
	at  time.Time
}

// broken is the outage that ends this request.
func (s *Session) broken() error {
	if s.nobodys {
		return nil
	}
	return s.failed
}

// proof is what a record holds of the secret presented.
func (s *Session) proof() *digest { return s.presented.hash() }

// Format prints the ID at most: a Session holds secrets.
func (s *Session) Format(f fmt.State, _ rune) {
	id := "in use"
	if s.mu.TryLock() {
		id = s.base.ID.Masked()
		s.unlock()
	}
	fmt.Fprintf(f, "session(%s)", id)
}

// lock serialises use of the session. A function given to Update that uses the
// session itself would wait for ever: it gets an error instead.
func (s *Session) lock() error {
	if s.mu.TryLock() {
		return nil
	}
	if !s.inFunc.Load() {
		s.mu.Lock()
		return nil
	}
	for range 1000 {
		time.Sleep(time.Millisecond)
		if s.mu.TryLock() {
			return nil
		}
	}
	return fmt.Errorf("%w: use of a session inside a function passed to its Update; read what it needs before", ErrInvalid)
}

func (s *Session) unlock() {
	s.mu.Unlock()
	if s.late.Load() != nil {
		s.deliver()
	}
}

// use locks and loads. The caller unlocks if there is no error.
func (s *Session) use(ctx context.Context) error {
	if err := s.lock(); err != nil {
		return err
	}
	usable := false
	defer func() { // also if a guard or a store panics
		if !usable {
			s.unlock()
		}
	}()
	if err := s.load(ctx); err != nil {
		return err
	}
	usable = true
	return nil
}

// load reads the record once and decides whether the session lives.
func (s *Session) load(ctx context.Context) error {
	if err := s.broken(); err != nil {
		return err
	}
	if s.redraw {
		err := s.draw()
		s.redraw = err != nil
		return err
	}
	if s.loaded {
		return nil
	}
	decided := false
	defer func() { // what is asked on the way may panic: then nobody has let the request in
		if !decided {
			s.inFunc.Store(false)
			s.forgetOps()
			s.loaded, s.state, s.barred, s.replayed, s.failed = false, StateNone, false, false, nil
			s.base, s.draft = Record{}, draft{}
		}
	}()
	err := s.first(ctx)
	decided = true
	return err
}

// first reads and judges.
func (s *Session) first(ctx context.Context) error {
	if s.req != nil {
		s.req.present(s)
	}
	if s.id == "" {
		s.loaded, s.state = true, StateNone
		return nil
	}
	if err := s.mayLook(); err != nil {
		s.failed = err
		return err
	}
	rec, err := s.loadTrusted(ctx)
	switch {
	case errors.Is(err, ErrNotFound):
		s.loaded, s.state = true, StateNone
		if !rec.Dead {
			s.looked(false)
		} else {
			why, at := decodeTombstone(rec.Payload)
			s.state, s.ended, s.barred = StateEnded, &ended{why, at}, true
			s.base.ID, s.base.Owner = rec.ID, rec.Owner
		}
		if errors.Is(err, ErrCorrupt) { // a tombstone that lost its reason
			s.corrupt(ctx, err)
		}
		return nil
	case errors.Is(err, ErrCorrupt):
		s.unreadable(ctx, err)
		return nil
	case err != nil && s.anonymous(err):
		return nil
	case err != nil:
		s.failed = err
		return err
	}
	s.base = rec
	if err := s.draw(); err != nil {
		if s.req == nil { // a program should know
			return err
		}
		s.base, s.draft = Record{}, draft{}
		s.unreadable(ctx, err)
		return nil
	}
	s.loaded = true
	s.judge(ctx)
	return s.failed
}

// unreadable leaves no session, as for a wrong secret: nothing of it is shown, a
// new login works, and the cookie stays for when the record can be read again.
func (s *Session) unreadable(ctx context.Context, err error) {
	s.loaded, s.state, s.barred = true, StateNone, true
	s.corrupt(ctx, err)
}

func (s *Session) corrupt(ctx context.Context, err error) {
	e := s.event(EventCorrupt)
	e.ID, e.Err = s.id, err
	s.m.emit(ctx, e)
}

// draw starts the draft anew from base, with nothing pending.
func (s *Session) draw() error {
	d := &s.draft
	d.limits, d.now, d.extend, d.dirty = s.m.opt, s.m.now().UnixMilli(), false, nil
	if s.room != nil {
		d.dirty = s.room.firstDirty[:0]
	}
	if err := d.head.decode(s.base.Payload); err != nil {
		return fmt.Errorf("sojourn: load %s: %w", s.base.ID.Masked(), err)
	}
	return nil
}

// judge decides on a loaded record: generation, deadlines, secret.
func (s *Session) judge(ctx context.Context) {
	h, now := &s.draft.head, s.draft.now
	if reason := s.base.ended(h, now); reason != "" {
		s.state, s.ended = StateEnded, &ended{reason, time.UnixMilli(min(s.base.Expires.UnixMilli(), h.absolute))}
		s.barred = reason != ReasonExpired
		return
	}
	s.state = StateActive
	if s.opened {
		return
	}
	proof, at := digest(sha256.Sum256(s.presented[:])), s.asOf(now)
	s.standing = h.standing(&proof, at)
	switch s.standing {
	case standsNot, standsReplaced:
		s.state, s.barred = StateNone, true
		kind := EventRejected
		if s.replayed = s.standing == standsReplaced; s.replayed {
			kind = EventReplayed
		}
		if s.m.emit(ctx, s.event(kind)); s.replayed {
			s.onReplay(ctx, h, at)
		} else {
			s.looked(false)
		}
		s.base, s.draft = Record{}, draft{}
		return
	}
	s.looked(true)
	if s.m.opt.Guards != nil && !s.guarded(ctx) {
		return
	}
	switch s.standing {
	case standsNext:
		s.maintain(func(d *draft) error {
			if d.head.has(flagNext) && s.proof().equal(d.head.next) {
				p := s.m.policyOf(&d.head)
				d.head.confirm(d.now, p.Grace)
			}
			return nil
		})
	case standsCurrent:
		p := s.m.policyOf(h)
		if s.req != nil && !s.req.begun.Load() && h.rotationDue(&p, now) {
			s.maintain(s.prepare)
		}
	}
	s.compare(ctx)
}

// ended tells why a stored record no longer lives, "" if it does.
func (r *Record) ended(h *head, now int64) Reason {
	switch {
	case r.Owner != "" && r.Generation < r.OwnerGeneration:
		return ReasonRevoked
	case now >= r.Expires.UnixMilli() || now >= h.absolute:
		return ReasonExpired
	}
	return ""
}

// maintain records a rotation step, which must never fail a request.
func (s *Session) maintain(f func(*draft) error) {
	s.push(op{kind: opMeta, fn: f})
	s.room.upkeep++
	f(&s.draft)
}

func (s *Session) prepare(d *draft) error {
	if h := &d.head; !h.has(flagNext) && !h.inGrace(d.now) && s.proof().equal(h.cur) {
		h.prepare(s.presented)
	}
	return nil
}

// record applies an op to the draft and keeps it for the commit. An op that
// fails leaves nothing behind.
func (s *Session) record(o op) error {
	s.furnish()
	head, dirty := s.draft.head, s.draft.dirty
	if o.callers() {
		s.inFunc.Store(true)
		defer s.inFunc.Store(false)
	}
	err := s.draft.apply(&o)
	if err == nil && s.draft.nearFull() {
		_, err = s.draft.encode()
	}
	if err != nil {
		s.draft.head, s.draft.dirty = head, dirty
		return err
	}
	s.push(o)
	return nil
}

// change records an op on the members, beginning a session if there is none.
func (s *Session) change(ctx context.Context, o op) error {
	if err := s.useToWrite(ctx); err != nil {
		return err
	}
	defer s.unlock()
	before := s.state
	if before != StateActive {
		if err := s.mayBegin(ctx); err != nil {
			return err
		}
		if err := s.begin(""); err != nil {
			return err
		}
	}
	recorded := false
	defer func() { // also if a function of the caller's panics
		if !recorded && before != StateActive {
			s.miscarry()
		}
	}()
	if err := s.record(o); err != nil {
		return err
	}
	recorded = true
	return nil
}

// mayBegin refuses to begin a session for a token that has ended. One that
// ended with all of its owner's is given a tombstone now, so that it is
// forgotten like the others, unless RevokeOthers has lifted it meanwhile.
func (s *Session) mayBegin(ctx context.Context) error {
	if !s.barred {
		return nil
	}
	if s.state == StateEnded && s.base.Version != 0 {
		now := s.m.now()
		dead := s.base
		dead.Dead, dead.Expires, dead.Payload = true, now.Add(s.m.opt.TombstoneFor), encodeTombstone(s.ended.why, now)
		if _, err := s.m.swap(ctx, &dead); err == nil {
			s.m.emit(ctx, Event{Kind: EventEnded, ID: dead.ID, Owner: dead.Owner, Reason: s.ended.why, At: now})
		}
		s.base.Version = 0
	}
	return ErrStaleToken
}

// policyOf is the policy in force for a record.
func (m *Manager) policyOf(h *head) Policy {
	if h.has(flagPolicy) {
		return h.policy.over(&m.opt.Policy)
	}
	return m.opt.Policy
}

func (s *Session) event(kind EventKind) Event {
	e := Event{Kind: kind, ID: s.base.ID, Owner: s.base.Owner, At: s.m.now()}
	if s.req != nil {
		e.IP, e.UserAgent = s.req.clientIP(), s.req.userAgent()
	}
	return e
}
