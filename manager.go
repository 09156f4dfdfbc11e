package sojourn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/sojournhq/sojourn/internal/foreign"
)

// A Manager joins a Store with the rules its sessions live by. One per
// application and store; safe for parallel use.
type Manager struct {
	store             Store
	opt               *Options
	commits           combiner
	touches           toucher
	turns             turns
	creations, misses *limiter // nil: no limit
	proven            *proven  // with misses
	cross             *http.CrossOriginProtection
	origins           []string
	warnOnce          sync.Once
	carried           bool            // the store is
	foreign           foreign.Carrier // nil: sessions are in our own form
}

// New checks opt (nil: the defaults) and joins it with store. It does no I/O
// and starts nothing: see Run.
func New(store Store, opt *Options) (*Manager, error) {
	if store == nil {
		return nil, fmt.Errorf("%w: New: the store is nil; memstore.New(nil) keeps sessions in memory", ErrInvalid)
	}
	settled, err := opt.settle()
	if err != nil {
		return nil, err
	}
	m := &Manager{store: store, opt: settled, cross: http.NewCrossOriginProtection()}
	m.creations, m.misses = newLimiter(settled.MaxCreations), newLimiter(settled.MaxMisses)
	if m.misses != nil {
		m.proven = newProven()
	}
	_, m.carried = As[carried](store)
	if c, ok := As[foreign.Carrier](store); ok {
		if err := m.adopt(c, opt); err != nil {
			return nil, err
		}
	}
	for _, trusted := range settled.TrustedOrigins {
		o, err := origin(trusted)
		if err == nil {
			err = m.cross.AddTrustedOrigin(o)
		}
		if err != nil {
			return nil, err
		}
		m.origins = append(m.origins, o)
	}
	return m, nil
}

// Options returns a copy of the rules in force, defaults filled in.
func (m *Manager) Options() Options { return m.opt.clone() }

func (m *Manager) now() time.Time { return m.opt.Clock() }

// Open returns the session of an ID for use outside its requests: ErrNotFound
// if it has ended. It never extends the session by itself; Session.Save stores
// what was changed.
func (m *Manager) Open(ctx context.Context, id ID) (*Session, error) {
	s := &Session{m: m, ctx: ctx, passive: true, id: id, opened: true}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("sojourn: open: %w", err)
	}
	return s, nil
}

// Do opens the session of an ID, runs f with a context that carries it, and
// saves: for jobs. What f changed is dropped if it returns an error.
func (m *Manager) Do(ctx context.Context, id ID, f func(ctx context.Context) error) error {
	s, err := m.Open(ctx, id)
	if err != nil {
		return err
	}
	ctx = NewContext(ctx, s)
	if err := f(ctx); err != nil {
		return err
	}
	return s.Save(ctx)
}

// Authenticate opens the session a token belongs to, as a request with this
// cookie would: ErrInvalid for a malformed text, ErrReplayed for a replaced
// secret, ErrNotFound for anything else that is no live session.
func (m *Manager) Authenticate(ctx context.Context, token string) (*Session, error) {
	t, err := m.parse(token)
	if err != nil {
		return nil, fmt.Errorf("sojourn: authenticate: %w", err)
	}
	s := &Session{m: m, ctx: ctx, passive: true, id: t.id, presented: t.secret.secret, hasToken: true}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("sojourn: authenticate: %w", err)
	}
	return s, nil
}

// open loads and turns anything but a live session into an error.
func (s *Session) open() error {
	if err := s.load(s.ctx); err != nil {
		return err
	}
	switch {
	case s.state == StateActive:
		return nil
	case s.replayed:
		return ErrReplayed
	}
	return ErrNotFound
}

// Create begins a session outside a request, for an owner or, with "", for
// nobody, and returns the token that its client should present.
func (m *Manager) Create(ctx context.Context, owner string) (*Session, Token, error) {
	if owner != "" {
		if err := checkOwner(owner); err != nil {
			return nil, Token{}, fmt.Errorf("sojourn: create: %w", err)
		}
	}
	s := &Session{m: m, ctx: ctx, passive: true, loaded: true, state: StateNone}
	if err := s.begin(owner); err != nil {
		return nil, Token{}, fmt.Errorf("sojourn: create: %w", err)
	}
	if err := s.Save(ctx); err != nil {
		return nil, Token{}, fmt.Errorf("sojourn: create: %w", err)
	}
	return s, s.successor(&s.draft.head), nil
}

// Inspect describes the session of an ID, also after its end: its State is
// StateNone if nothing is known of it.
func (m *Manager) Inspect(ctx context.Context, id ID) (Status, error) {
	s := &Session{m: m, ctx: ctx, passive: true, id: id, opened: true}
	if err := s.load(ctx); err != nil {
		return Status{}, fmt.Errorf("sojourn: inspect: %w", err)
	}
	return s.status(), nil
}

// Revoke ends a session at once and for good. It is no error if it has ended.
func (m *Manager) Revoke(ctx context.Context, id ID, reason Reason) error {
	rec, err := m.load(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil && !errors.Is(err, ErrCorrupt): // what cannot be read can be ended
		return fmt.Errorf("sojourn: revoke: %w", err)
	}
	if err := m.revoke(ctx, id, rec.Owner, reason); err != nil {
		return fmt.Errorf("sojourn: revoke: %w", err)
	}
	return nil
}

func (m *Manager) revoke(ctx context.Context, id ID, owner string, reason Reason) error {
	if reason == "" || len(reason) > 64 || !isPrintable(string(reason)) {
		return fmt.Errorf("%w: reason %q, expected 1 to 64 bytes of printable ASCII", ErrInvalid, reason)
	}
	now := m.now()
	r := RevokedRecord{ID: id, Owner: owner, Reason: reason, At: now, Until: now.Add(m.opt.TombstoneFor)}
	err := m.call(ctx, m.opt.CommitTimeout, true, func(ctx context.Context) error { return m.store.Revoke(ctx, r) })
	if err == nil {
		m.emit(ctx, Event{Kind: EventEnded, ID: id, Owner: owner, Reason: reason, At: now})
	}
	return err
}

// load reads one record at its source: a tombstone comes with ErrNotFound.
func (m *Manager) load(ctx context.Context, id ID) (Record, error) {
	d := withDeadline(ctx, m.opt.LoadTimeout)
	d.fresh = true
	return m.loadWithin(d, id)
}

func (m *Manager) loadWithin(d *deadline, id ID) (Record, error) {
	for retry := false; ; retry = true {
		rec, err := m.store.Load(d, id)
		d.stop()
		if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrCorrupt) {
			return rec, err
		}
		if retry {
			return rec, m.unavailable(d.Context, err)
		}
		d = &deadline{Context: d.Context, limit: m.opt.LoadTimeout, fresh: d.fresh}
	}
}

// call runs one store operation under its deadline, once more if it failed and
// repeating it is harmless.
func (m *Manager) call(ctx context.Context, limit time.Duration, repeat bool, f func(context.Context) error) error {
	for {
		d := withDeadline(ctx, limit)
		err := f(d)
		d.stop()
		switch {
		case err == nil, isVerdict(err):
			return err
		case !repeat:
			return m.unavailable(ctx, err)
		}
		repeat = false
	}
}

// isVerdict tells an answer of the store from a failure of it.
func isVerdict(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrConflict) || errors.Is(err, ErrExists) ||
		errors.Is(err, ErrUnsupported) || errors.Is(err, ErrTooLarge) || errors.Is(err, ErrInvalid) || errors.Is(err, ErrCorrupt)
}

func (m *Manager) unavailable(ctx context.Context, err error) error {
	m.emit(ctx, Event{Kind: EventUnavailable, At: m.now(), Err: err})
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// emit tells an event; if the session of ctx is locked, once it no longer is,
// so that observers may use it.
func (m *Manager) emit(ctx context.Context, e Event) {
	if s := existing(ctx); s != nil {
		if e.IP == "" && s.req != nil {
			e.IP, e.UserAgent = s.req.clientIP(), s.req.userAgent()
		}
		if !s.mu.TryLock() {
			s.postpone(ctx, e)
			if s.mu.TryLock() { // whoever held it may have looked before
				s.unlock()
			}
			return
		}
		s.unlock()
	}
	m.tell(ctx, e)
}

// tell hands an event to the log and the observers.
func (m *Manager) tell(ctx context.Context, e Event) {
	level := slog.LevelDebug
	switch e.Kind {
	case EventUnavailable, EventCorrupt:
		level = slog.LevelError
	case EventReplayed, EventRejected, EventRefused, EventDuplicate:
		level = slog.LevelWarn
	case EventSignal: // people on the move, mostly
		level = slog.LevelInfo
	}
	if m.opt.Logger.Enabled(ctx, level) {
		m.opt.Logger.LogAttrs(ctx, level, "session "+string(e.Kind), e.attrs()...)
	}
	for _, o := range m.opt.Observers {
		o.Observe(ctx, e)
	}
}

// watched reports whether anybody would see an event of everyday use.
func (m *Manager) watched(ctx context.Context) bool {
	return len(m.opt.Observers) > 0 || m.opt.Logger.Enabled(ctx, slog.LevelDebug)
}

// Sweep removes what has expired, where the store does not do so itself, and
// returns how many records went. It keeps expired sessions for as long as
// tombstones, so that late clients learn why.
func (m *Manager) Sweep(ctx context.Context) (removed int, err error) {
	sweeper, ok := As[Sweeper](m.store)
	if !ok {
		return 0, nil
	}
	now := m.now()
	for ctx.Err() == nil {
		gone, err := sweeper.Sweep(ctx, now.Add(-m.opt.TombstoneFor), sweepBatch)
		if err != nil {
			return removed, fmt.Errorf("sojourn: sweep: %w", err)
		}
		removed += len(gone)
		for _, r := range gone {
			if !r.Dead && m.watched(ctx) {
				m.emit(ctx, Event{Kind: EventEnded, ID: r.ID, Owner: r.Owner, Reason: ReasonExpired, At: r.Expires})
			}
		}
		if len(gone) < sweepBatch {
			break
		}
	}
	return removed, ctx.Err()
}

const sweepBatch = 500

// Run sweeps about once a minute until ctx ends; then it returns nil.
func (m *Manager) Run(ctx context.Context) error {
	for {
		wait := time.NewTimer(time.Minute*9/10 + rand.N(12*time.Second)) // many processes should not sweep in step
		select {
		case <-ctx.Done():
			wait.Stop()
			return nil
		case <-wait.C:
		}
		if _, err := m.Sweep(ctx); err != nil && ctx.Err() == nil {
			m.opt.Logger.LogAttrs(ctx, slog.LevelError, "session sweep failed", slog.Any("error", err))
		}
	}
}

// Close waits for touches under way. The store stays open: it is the caller's.
func (m *Manager) Close() error {
	m.touches.wait()
	return nil
}
