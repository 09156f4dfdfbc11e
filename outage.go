package sojourn

import (
	"context"
	"net/http"
)

// What a request may do while its session cannot be read, and what it may not
// conclude from a record that may be out of date:
//
//	                      reads of members    Status, Members,    writes, Login,
//	                      Exists ID Owner     Devices, Token      Logout, Renew …
//	default               503                 503                 503
//	AnonymousOnOutage     as without one      ErrUnavailable      503

// loadTrusted reads the record. A cached one may let the request in, since that
// is what its owner allowed; it never keeps one out: a secret it does not know
// may be newer than it, a deadline it has passed may have been moved. Each no
// is asked again at the source.
func (s *Session) loadTrusted(ctx context.Context) (Record, error) {
	s.reading = deadline{Context: ctx, limit: s.m.opt.LoadTimeout, fresh: s.wantsFresh()} // used once: a store may keep it
	rec, err := s.m.loadWithin(&s.reading, s.id)
	if s.cached = err == nil && rec.Cached; s.cached {
		if s.cached = s.admits(&rec); !s.cached {
			rec, err = s.m.load(ctx, s.id)
		}
		rec.Cached = false
	}
	return rec, err
}

// wantsFresh: whoever may change something, and whoever asks about a session by
// its ID, gets the newest.
func (s *Session) wantsFresh() bool { return s.opened || s.req != nil && !s.req.safe() }

func (sc *scope) safe() bool {
	switch sc.req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// admits reports whether a record would let this request in.
func (s *Session) admits(rec *Record) bool {
	var h head
	now := s.m.now().UnixMilli()
	if h.decode(rec.Payload) != nil || rec.ended(&h, now) != "" {
		return false
	}
	if s.opened {
		return true
	}
	switch h.standing(s.presented.hash(), now) {
	case standsNot, standsReplaced:
		return false
	}
	return true
}

// anonymous lets a request that only reads go on without its session.
func (s *Session) anonymous(err error) bool {
	if !s.m.opt.AnonymousOnOutage || s.req == nil || !s.req.safe() {
		return false
	}
	s.failed, s.nobodys, s.loaded, s.state = err, true, true, StateNone
	return true
}

// known is use for those who would take "none" for the truth.
func (s *Session) known(ctx context.Context) error {
	err := s.use(ctx)
	if err == nil && s.nobodys {
		err = s.failed
		s.unlock()
	}
	return err
}

// useToWrite is use for those who change something: after an outage the request
// is answered 503 whatever the handler does.
func (s *Session) useToWrite(ctx context.Context) error {
	err := s.use(ctx)
	if err == nil && s.nobodys {
		s.nobodys, err = false, s.failed
		s.unlock()
	}
	return err
}
