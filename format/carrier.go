package format

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/foreign"
)

// Attach is for package sojourn.
func (s *Store) Attach(r *http.Request) context.Context {
	return context.WithValue(r.Context(), luggageKey{s}, new(luggage))
}

// Present is for package sojourn.
func (s *Store) Present(r *http.Request) (id string, cookies int) {
	p := s.presented(r)
	if len(p.ID) > maxID {
		return "", p.Count
	}
	return p.ID, p.Count
}

func (s *Store) presented(r *http.Request) *Presented {
	l := s.luggage(r.Context())
	if l == nil {
		l = new(luggage)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.looked {
		l.looked, l.presented = true, s.f.ReadCookies(r, s.opt.Clock())
		if p := &l.presented; p.ID != "" && s.d.InCookie {
			if l.records == nil {
				l.records, l.changed = map[string][]byte{}, map[string]bool{}
			}
			l.records[s.f.Key(p.ID)] = p.Record
		}
	}
	return &l.presented
}

// Send is for package sojourn.
func (s *Store) Send(r *http.Request, h http.Header, a foreign.Answer) {
	o := &Outgoing{ID: a.ID, Drop: a.ID == "", Life: a.Life, Expires: a.Expires, Now: s.opt.Clock()}
	send := a.Drop
	if a.ID != "" {
		p := s.presented(r)
		send = a.Issued || s.d.Rolling || a.Changed && a.Life > 0 || s.d.Resigns && p.Secret > 0
		if s.d.InCookie {
			var changed bool
			l := s.luggage(r.Context())
			if l == nil {
				return
			}
			o.Record, changed = l.take(s.f.Key(a.ID))
			send = (send || changed) && o.Record != nil
		}
	}
	if !send {
		return
	}
	lines, err := s.f.WriteCookies(o)
	if err != nil {
		s.opt.Logger.ErrorContext(r.Context(), "a session cookie cannot be written", "system", s.d.System, "error", err)
		return
	}
	for _, line := range lines {
		h.Add("Set-Cookie", line)
	}
}

// NewID is for package sojourn.
func (s *Store) NewID() string { return s.f.NewID() }

// Reveal is for package sojourn.
func (s *Store) Reveal(id string) string {
	if s.d.InCookie {
		return ""
	}
	return cookieHeader(s.f, &Outgoing{ID: id, Now: s.opt.Clock()})
}

// Parse is for package sojourn.
func (s *Store) Parse(text string) (id string, ok bool) {
	if s.d.InCookie {
		return "", false
	}
	p := s.f.ReadCookies(requestWith(s.d.Cookie, text), s.opt.Clock())
	return p.ID, p.ID != "" && len(p.ID) <= maxID
}

// Check is for package sojourn.
func (s *Store) Check(key string, value []byte) error {
	if s.own(key) {
		return nil
	}
	if s.opt.ReadMostly {
		return fmt.Errorf("%w: member %q is %s's, and Options.ReadMostly forbids to change it", sojourn.ErrUnsupported, key, s.d.System)
	}
	return s.f.Check(key, value)
}

// Lifetimes is for package sojourn.
func (s *Store) Lifetimes() (session, cookie time.Duration) { return s.d.Life, s.d.CookieLife }

// InCookie is for package sojourn.
func (s *Store) InCookie() bool { return s.d.InCookie }

// Beside is for package sojourn.
func (s *Store) Beside() bool { return s.opt.Beside }
