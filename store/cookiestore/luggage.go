package cookiestore

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/sojournhq/sojourn"
)

// luggage is what a request brings and takes home: its records. There is one, or
// two while a login moves the session to a new ID.
//
//	cookie ─▶ Load ─▶ Update, Touch ─▶ cookie
//	          Create ────────────────▶ cookie, if its token goes with it
//	          Revoke ────────────────▶ cookie deleted
type luggage struct {
	store  *Store
	header http.Header // the request's
	values []string    // of its cookies of our name: more than one means that some are planted

	mu      sync.Mutex
	pieces  map[sojourn.ID]*piece
	writes  int
	checked bool // the answer has begun: nothing more goes with it
}

// piece is one record.
type piece struct {
	rec     sojourn.Record
	owner   generation // its owner's, as last seen
	brought bool       // by the request
	dead    bool       // ended by this request
	value   string     // to be sent; "" if it did not change
	written int        // when, among the request's writes
}

type luggageKey struct{ store *Store }

// maxValues bounds the work that planted cookies can cause.
const maxValues = 4

func (s *Store) pack(r *http.Request) *luggage {
	l := &luggage{store: s, header: r.Header}
	for _, c := range r.CookiesNamed(s.proto.Name) {
		if len(l.values) < maxValues && len(c.Value) <= maxCookie {
			l.values = append(l.values, c.Value)
		}
	}
	return l
}

func (s *Store) luggage(ctx context.Context) (*luggage, error) {
	l, ok := ctx.Value(luggageKey{s}).(*luggage)
	if !ok {
		s.logged.handler.Do(func() {
			s.opt.Logger.WarnContext(ctx, "a session was asked for outside a request of its own; if it was in one, wrap the manager's handler in cookiestore's Store.Handler")
		})
		return nil, fmt.Errorf("%w: a session kept in a cookie exists only in its own request, within Store.Handler", sojourn.ErrUnsupported)
	}
	return l, nil
}

// find returns the piece of an ID. The caller holds l.mu.
func (l *luggage) find(id sojourn.ID) (*piece, error) {
	if p := l.pieces[id]; p != nil {
		return p, nil
	}
	s := l.store
	for _, value := range l.values {
		plain, known, ok := s.keys.open(s.proto.Name, id, value)
		if !known {
			s.logged.key.Do(func() {
				s.opt.Logger.Warn("a session cookie is sealed with a key that is not in the ring: do all servers have the same keys?")
			})
		}
		if !ok {
			continue
		}
		if rec, ok := decode(id, plain); ok {
			return l.put(id, &piece{rec: rec, brought: true}), nil
		}
	}
	for _, lines := range l.header {
		if shows(lines, id) {
			return nil, sojourn.ErrNotFound // the client's own token, without a record
		}
	}
	return nil, fmt.Errorf("%w: the record of another client's session is in that client's cookie", sojourn.ErrUnsupported)
}

func (l *luggage) put(id sojourn.ID, p *piece) *piece {
	if l.pieces == nil {
		l.pieces = make(map[sojourn.ID]*piece)
	}
	l.pieces[id] = p
	return p
}

// write seals a record into the answer. The caller holds l.mu.
func (l *luggage) write(p *piece, rec *sojourn.Record) error {
	if l.checked {
		return errBegun
	}
	value, err := l.store.sealed(rec)
	if err != nil {
		return err
	}
	l.writes++
	p.rec, p.value, p.written = *rec, value, l.writes
	return nil
}

// errBegun counts as "not supported", so that the core does not take it for an
// outage.
var errBegun = fmt.Errorf("%w after %w", sojourn.ErrUnsupported, sojourn.ErrHeadersSent)

// check returns the Set-Cookie to send with an answer of these headers, "" for
// none. Afterwards nothing more can be written.
//
// A new record goes only where its token goes: if a login failed half-way, the
// answer is an error without a token, and the browser keeps the pair it has.
func (l *luggage) check(h http.Header) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.checked = true
	var last *piece
	ended := false
	for id, p := range l.pieces {
		switch {
		case p.dead:
			ended = ended || p.brought
		case p.value != "" && (p.brought || shows(h["Set-Cookie"], id)) && (last == nil || p.written > last.written):
			last = p
		}
	}
	switch {
	case last != nil:
		return l.store.set(&last.rec, last.value)
	case ended:
		return l.store.unset()
	}
	return ""
}
