package sojourn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// How many sessions one user may have. The count is taken before a login, for a
// plain answer, and again once its record is stored, since others may have been
// quicker: what is beyond the limit then goes. Logins of one user in one process
// take turns; between processes
//
//	reject, ask   each that finds too many beside its own withdraws: never more
//	              than the limit, for a moment perhaps fewer
//	evict         each ends the oldest that it sees: a login that is older than
//	              a limit's worth of others at once is one of them

// The words of Options.OnMaxSessions.
const (
	excessReject = "reject"
	excessEvict  = "evict"
	excessAsk    = "ask"
)

func (o *Options) settleMaxSessions() error {
	if o.OnMaxSessions == "" {
		o.OnMaxSessions = excessReject
	}
	switch o.OnMaxSessions {
	case excessReject, excessEvict, excessAsk:
	default:
		return fmt.Errorf(`%w: Options.OnMaxSessions is %q, expected "reject", "evict" or "ask"`, ErrInvalid, o.OnMaxSessions)
	}
	if o.MaxSessions < 0 || o.MaxSessions > 10_000 {
		return fmt.Errorf("%w: Options.MaxSessions is %d, expected 0 to 10000", ErrInvalid, o.MaxSessions)
	}
	return nil
}

// admitsOwner refuses a login for which there is no room, if it is not to make
// some itself.
func (s *Session) admitsOwner(ctx context.Context, owner string) error {
	if s.m.opt.MaxSessions == 0 || s.m.opt.OnMaxSessions == excessEvict {
		return nil
	}
	others, err := s.m.others(ctx, owner, s.base.ID)
	if err != nil || len(others) < s.m.opt.MaxSessions {
		return err
	}
	return s.m.overcrowded(others)
}

func (m *Manager) overcrowded(others []Status) error {
	r := &refusal{err: ErrSessionLimit, limit: m.opt.MaxSessions}
	if m.opt.OnMaxSessions == excessAsk {
		r.devices = others
	}
	return r
}

// others are the owner's live sessions but some, the oldest first.
func (m *Manager) others(ctx context.Context, owner string, but ...ID) ([]Status, error) {
	list, err := m.list(ctx, owner)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(st Status) bool { return slices.Contains(but, st.ID) })
	slices.SortFunc(list, func(a, b Status) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// keepLimit ends what is too many beside a record that was just stored, or says
// that it is the one. The session it takes the place of does not count.
func (m *Manager) keepLimit(ctx context.Context, rec *Record, created int64, moved ID) error {
	if m.opt.MaxSessions == 0 || rec.Owner == "" {
		return nil
	}
	others, err := m.others(ctx, rec.Owner, rec.ID, moved)
	if err != nil {
		return fmt.Errorf("sojourn: Options.MaxSessions: %w", err)
	}
	excess := len(others) + 1 - m.opt.MaxSessions
	if excess <= 0 {
		return nil
	}
	newer := 0
	for _, st := range others {
		if st.Created.UnixMilli() > created {
			newer++
		}
	}
	if m.opt.OnMaxSessions != excessEvict || newer >= m.opt.MaxSessions {
		return m.overcrowded(others)
	}
	for _, st := range others[:excess] {
		if err := m.revoke(ctx, st.ID, rec.Owner, ReasonEvicted); err != nil {
			return err
		}
	}
	return nil
}

// turns lets those who log in as one user take turns.
type turns struct {
	mu      sync.Mutex
	waiting map[string]*turn
}

type turn struct {
	mu sync.Mutex
	n  int // who has or awaits it
}

// take waits for the owner's turn; done gives it on.
func (t *turns) take(owner string) (done func()) {
	t.mu.Lock()
	if t.waiting == nil {
		t.waiting = map[string]*turn{}
	}
	mine := t.waiting[owner]
	if mine == nil {
		mine = new(turn)
		t.waiting[owner] = mine
	}
	mine.n++
	t.mu.Unlock()
	mine.mu.Lock()
	return func() {
		mine.mu.Unlock()
		t.mu.Lock()
		defer t.mu.Unlock()
		if mine.n--; mine.n == 0 {
			delete(t.waiting, owner)
		}
	}
}

// LoginInstead is Login in the place of another session of that user, which
// ends: for Options.OnMaxSessions "ask", once the user has chosen. ErrNotFound if
// it has ended already, or is somebody else's; then nobody is logged in. Check
// the user's credentials before, as for Login.
func (s *Session) LoginInstead(ctx context.Context, owner string, id ID) error {
	if err := checkOwner(owner); err != nil {
		return err
	}
	err := s.m.endOwn(ctx, id, owner, ReasonEvicted)
	if err != nil {
		return fmt.Errorf("sojourn: login: %w", err)
	}
	return s.Login(ctx, owner)
}

// endOwn ends one session of owner's, and nobody else's.
func (m *Manager) endOwn(ctx context.Context, id ID, owner string, reason Reason) error {
	if err := m.isOwn(ctx, id, owner); err != nil {
		return err
	}
	return m.revoke(ctx, id, owner, reason)
}

// isOwn is ErrNotFound unless id is a live session of owner's: somebody else's is
// as unknown as one that never was.
func (m *Manager) isOwn(ctx context.Context, id ID, owner string) error {
	st, err := m.Inspect(ctx, id)
	if err != nil && !errors.Is(err, ErrInvalid) {
		return err
	}
	if err != nil || st.State != StateActive || st.Owner != owner || owner == "" {
		return ErrNotFound
	}
	return nil
}

// LabelDevice names one session of this session's user: see SetLabel.
// ErrNotFound if it has ended, or is somebody else's.
func (s *Session) LabelDevice(ctx context.Context, id ID, label string) error {
	own, err := s.ID(ctx)
	if err != nil {
		return err
	}
	if id == own && id != "" {
		return s.SetLabel(ctx, label)
	}
	if err := checkLabel(label); err != nil {
		return err
	}
	owner, err := s.Owner(ctx)
	if err == nil {
		err = s.m.isOwn(ctx, id, owner)
	}
	if err != nil {
		return fmt.Errorf("sojourn: label device: %w", err)
	}
	other, err := s.m.Open(ctx, id)
	if err == nil {
		err = other.SetLabel(ctx, label)
	}
	if err == nil {
		err = other.Save(ctx)
	}
	if err != nil {
		return fmt.Errorf("sojourn: label device: %w", err)
	}
	return nil
}
