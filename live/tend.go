package live

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/sojournhq/sojourn"
)

// tend looks after all sessions once a second, for as long as there are any:
// pings, missing pongs, age, and the regular rereading that finds an end no
// event told of.
func (h *Hub) tend() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var all []*session
	hurry := h.hurry
	for {
		select {
		case <-tick.C:
		case <-hurry:
			hurry = nil
			tick.Reset(10 * time.Millisecond)
		}
		now := time.Now()
		h.mu.Lock()
		all = all[:0]
		var left []*session
		for id, s := range h.sessions {
			if s.refs == 0 && now.Sub(s.idleSince) >= h.linger() {
				delete(h.sessions, id)
				left = append(left, s)
				continue
			}
			all = append(all, s)
		}
		if len(h.sessions) == 0 {
			h.tending = false
		}
		over := !h.tending
		h.mu.Unlock()
		for _, s := range left {
			s.forget()
		}
		if over {
			return
		}
		sign := ping(h.spread())
		for _, s := range all {
			if s.tend(now, sign) {
				go s.recheck()
			}
		}
		clear(all)
	}
}

// linger is how long a session without connections is kept.
func (h *Hub) linger() time.Duration {
	if h.draining.Load() {
		return 0
	}
	return linger
}

func (s *session) forget() {
	s.mu.Lock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.stop()
	s.hub.tellPresence(Presence{Session: s.id, Owner: s.owner})
}

// slack is what the ticks of tend, and a backplane that does not answer, add to
// Options.Recheck.
const slack = 1500 * time.Millisecond

// nextCheck is when a session is to be read again: not all in step.
func (o *Options) nextCheck(now time.Time) time.Time {
	within := max(o.Recheck/2, o.Recheck-slack)
	return now.Add(within*4/5 + rand.N(within/5))
}

// tend does what is due and reports whether the session is to be read again.
func (s *session) tend(now time.Time, sign frame) (recheck bool) {
	o := &s.hub.opt
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tail.trim(now, &o.Retention)
	for _, c := range s.conns {
		if !c.live || c.gone {
			continue
		}
		switch {
		case !now.Before(c.until):
			c.close(codeRestart, "max age", false)
		case c.t.answers() && now.Sub(c.heard) > 2*o.Ping+pongWithin:
			c.close(codeNoPong, "no pong", true)
		case !now.Before(c.pingAt):
			c.pingAt = now.Add(o.Ping)
			c.push(sign)
		}
	}
	if s.ended || len(s.conns) == 0 || now.Before(s.checkAt) {
		return false
	}
	s.checkAt = o.nextCheck(now)
	return true
}

// recheck reads the session again: at its deadlines, now and then, and when
// something may have been missed. A store that does not answer ends nothing.
func (s *session) recheck() {
	h := s.hub
	s.mu.Lock()
	if s.checking || s.ended {
		s.mu.Unlock()
		return
	}
	s.checking = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.checking = false
		s.mu.Unlock()
	}()
	reread := func() (sojourn.Status, error) {
		h.rereads <- struct{}{}
		defer func() { <-h.rereads }()
		return h.manager.Inspect(context.Background(), s.id)
	}
	st, err := reread()
	if err == nil && st.State == sojourn.StateEnded && st.Reason == sojourn.ReasonRevoked {
		// While RevokeOthers is under way the session it keeps looks revoked.
		time.Sleep(100 * time.Millisecond)
		st, err = reread()
	}
	switch {
	case err != nil:
		h.logger.LogAttrs(context.Background(), slog.LevelWarn, "live: session could not be read again", slog.Any("error", err))
		s.mu.Lock()
		if !s.ended && s.timer != nil {
			s.timer.Reset(5 * time.Second)
		}
		s.mu.Unlock()
	case st.State == sojourn.StateActive:
		s.learn(st)
	default:
		s.mu.Lock()
		if st.Reason == "" && !time.Now().Before(s.expires) {
			st.Reason = sojourn.ReasonExpired // and swept since
		}
		s.mu.Unlock()
		_ = h.conclude(context.Background(), s.id, st.Reason)
	}
}

// health is what the backplane sees of the hub.
type health struct{ h *Hub }

// deafFor is how long connections outlive a backplane that is lost. The
// rereading goes on meanwhile.
const deafFor = 30 * time.Second

func (b health) Lost() {
	b.h.mu.Lock()
	defer b.h.mu.Unlock()
	if b.h.deaf == nil {
		b.h.deaf = time.AfterFunc(deafFor, func() {
			b.h.each(func(s *session) {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.shut(codeRestart, "backplane lost")
			})
		})
	}
}

func (b health) Restored() {
	b.h.mu.Lock()
	if b.h.deaf != nil {
		b.h.deaf.Stop()
		b.h.deaf = nil
	}
	b.h.mu.Unlock()
	b.h.each(func(s *session) { go s.recheck() })
}

// each calls f for every session of this node.
func (h *Hub) each(f func(*session)) {
	h.mu.Lock()
	all := make([]*session, 0, len(h.sessions))
	ready := make([]chan struct{}, 0, len(h.sessions))
	for _, s := range h.sessions {
		all, ready = append(all, s), append(ready, s.ready)
	}
	h.mu.Unlock()
	for i, s := range all {
		<-ready[i]
		if s.err == nil {
			f(s)
		}
	}
}
