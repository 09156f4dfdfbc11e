package sojourn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
)

// A binding ties a session to more than its token: to a key that a device keeps,
// for one. The core stores it and asks the guards; what it means, they know
// (package bind/dbsc).
//
//	unbound ──Bind──▶ bound ──Bind──▶ bound otherwise
//	   ▲                │
//	   └────Login───────┘  a new ID is bound to nothing
const bindingMax = 768 // bytes: an RSA key of 4096 bits takes 550

// Binding returns what Bind stored, nil for nothing. It is no member: pages and
// Members never show it.
func (s *Session) Binding(ctx context.Context) ([]byte, error) {
	if err := s.use(ctx); err != nil {
		return nil, err
	}
	defer s.unlock()
	return bytes.Clone(s.draft.head.about().binding), nil
}

// Bind replaces what the session is bound to, at most 768 bytes, by what f makes
// of it, and commits at once: of parallel calls each sees what the one before
// stored. It counts as no change of the data. An error of f is returned, and
// nothing stored. Like Key.Update, f may run again and must not use the session.
// ErrNotFound without a session, ErrUnsupported in another system's form.
func (s *Session) Bind(ctx context.Context, f func(old []byte) ([]byte, error)) error {
	if err := s.m.lacks("what a session is bound to", true); err != nil {
		return fmt.Errorf("sojourn: bind: %w", err)
	}
	return s.live(ctx, "bind", func() error {
		if err := s.commit(ctx); err != nil { // what this request changed before does not depend on f
			return err
		}
		if err := s.load(ctx); err != nil {
			return err
		}
		first := false
		err := s.record(op{kind: opMeta, key: metaBind, fn: func(d *draft) error {
			h, old := &d.head, d.head.about().binding
			fresh, err := f(bytes.Clone(old))
			switch {
			case err != nil:
				return err
			case len(fresh) > bindingMax:
				return fmt.Errorf("%w: binding of %d bytes, expected at most %d", ErrTooLarge, len(fresh), bindingMax)
			}
			first = len(old) == 0 && len(fresh) > 0
			h.edit().binding = bytes.Clone(fresh)
			if h.flags |= flagBound; len(fresh) == 0 {
				h.flags &^= flagBound
			}
			return nil
		}})
		if err == nil {
			err = s.commit(ctx)
		}
		if err == nil && first {
			s.m.emit(ctx, s.event(EventBound))
		}
		return err
	})
}

const metaBind = "bind" // key of the op

// guarded asks the guards, and makes the session none if one of them refuses.
// One that was asked about a record out of date is asked again at its source.
func (s *Session) guarded(ctx context.Context) bool {
	var err error
	var r *http.Request
	if s.req != nil {
		r = &s.req.req
	}
	s.inFunc.Store(true) // a guard that uses this session gets an error instead of waiting for itself
	for _, guard := range s.m.opt.Guards {
		v := s.view()
		if err = guard(r, v); err != nil {
			break
		}
		if v.base.Version != s.base.Version {
			if err = s.adopt(v); err != nil {
				break
			}
		}
	}
	s.inFunc.Store(false)
	if err != nil && s.cached {
		s.cached = false
		rec, failed := s.m.load(ctx, s.id)
		switch {
		case errors.Is(failed, ErrUnavailable):
			err = failed
		case failed == nil:
			if s.base = rec; s.draw() == nil {
				s.judge(ctx)
				return false // it has judged the rest as well
			}
		}
	}
	if err == nil {
		return true
	}
	e := s.event(EventRefused)
	e.Err = err
	s.m.emit(ctx, e)
	if errors.Is(err, ErrUnavailable) {
		s.failed = err
	}
	s.state, s.barred = StateNone, true
	s.base, s.draft = Record{}, draft{}
	return false
}

// view is a session of its own on the same record.
func (s *Session) view() *Session {
	v := &Session{m: s.m, ctx: s.ctx, passive: true, id: s.base.ID, opened: true, loaded: true, state: StateActive, base: s.base}
	v.redraw = true
	return v
}

// adopt goes on with the record that a guard has changed.
func (s *Session) adopt(v *Session) error {
	if v.state != StateActive {
		return ErrNotFound
	}
	s.base = v.base
	if err := s.draw(); err != nil {
		return err
	}
	switch s.standing = s.draft.head.standing(s.proof(), s.asOf(s.draft.now)); s.standing {
	case standsNot, standsReplaced: // meanwhile
		return ErrStaleToken
	}
	return nil
}

// announce tells of a session that this request has begun.
func (sc *scope) announce(s *Session) {
	if !s.began || s.state != StateActive || s.birth != nil {
		return
	}
	s.inFunc.Store(true)
	defer s.inFunc.Store(false)
	for _, told := range sc.m.opt.Began {
		told(sc.w.Header(), &sc.req, s.view())
	}
}
