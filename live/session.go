package live

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

// A session is one session as this node follows it: its connections, and the
// newest events, which are the queue of all of them.
//
//	first connection ──▶ followed ──last connection gone, 10 s──▶ forgotten
//	                        │  ended event, deadline, or found dead
//	                        └──▶ ended: the last event is sent, all connections closed
type session struct {
	hub   *Hub
	id    sojourn.ID
	owner string

	ready chan struct{} // closed when followed, or failed; under hub.mu
	err   error
	stop  func()

	refs      int       // connections, and those about to be; under hub.mu
	idleSince time.Time // under hub.mu, while refs is 0

	mu       sync.Mutex
	tail     eventLog
	conns    []*conn
	ended    bool
	reason   sojourn.Reason
	expires  time.Time // as last seen
	absolute time.Time
	warn     time.Duration
	warned   time.Time // the deadline that was warned of
	timer    *time.Timer
	checkAt  time.Time
	checking bool
	activeAt time.Time // last report of activity that was taken
}

// follow returns this node's side of a session with a reference taken, beginning
// to watch its log if nobody did.
func (h *Hub) follow(ctx context.Context, st sojourn.Status, tags []string) (*session, error) {
	h.mu.Lock()
	s := h.sessions[st.ID]
	first := s == nil
	if first {
		s = &session{hub: h, id: st.ID, owner: st.Owner, ready: make(chan struct{}), checkAt: h.opt.nextCheck(time.Now())}
		h.sessions[st.ID] = s
		if !h.tending {
			h.tending = true
			go h.tend()
		}
	}
	s.refs++
	ready := s.ready
	h.mu.Unlock()
	if !first {
		select {
		case <-ready:
		case <-ctx.Done():
			s.release()
			return nil, ctx.Err()
		}
		if s.err != nil {
			s.release()
		}
		return s, s.err
	}
	p, stop, err := h.plane.Watch(context.WithoutCancel(ctx), s.id, tags, s)
	if s.stop, s.err = stop, err; err != nil {
		h.mu.Lock()
		delete(h.sessions, s.id)
		h.mu.Unlock()
		close(ready)
		return nil, err
	}
	s.mu.Lock()
	if s.tail.epoch == "" { // else an event was faster
		s.tail.epoch, s.tail.top = p.Epoch, p.Offset
	}
	s.mu.Unlock()
	close(ready)
	h.mu.Lock()
	s.ready = always // one channel for all that are
	h.mu.Unlock()
	h.tellPresence(Presence{Session: s.id, Owner: s.owner, Present: true})
	return s, nil
}

var always = func() chan struct{} {
	ready := make(chan struct{})
	close(ready)
	return ready
}()

// release gives a reference back.
func (s *session) release() {
	h := s.hub
	h.mu.Lock()
	if s.refs--; s.refs == 0 {
		s.idleSince = time.Now()
	}
	h.mu.Unlock()
}

// Deliver takes one event of the log, in order. It never blocks: connections
// write from goroutines of their own.
func (s *session) Deliver(epoch string, e Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.tail.epoch == "":
		s.tail.epoch, s.tail.top = epoch, e.Offset-1
	case s.tail.epoch != epoch, e.Offset > s.tail.top+1:
		s.shut(codePosition, "position lost")
		s.tail = eventLog{epoch: epoch, top: e.Offset - 1}
	case e.Offset <= s.tail.top:
		return
	}
	if e.Expires.IsZero() {
		e.frame = e.encode(epoch, e.At)
	} else {
		s.set(e.Expires, e.Absolute)
	}
	s.tail.add(e, &s.hub.opt.Retention)
	if e.Type == typeEnded {
		var end endBody
		_ = json.Unmarshal(e.Data, &end)
		s.finish(end.Reason)
	}
	for _, c := range s.conns {
		if c.live && c.next <= s.tail.floor() {
			c.close(codeSlow, "too slow", true)
		}
		c.wake()
	}
}

// Moved closes all connections: their pages recover by their cursors, or are told.
func (s *session) Moved(to Position) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut(codePosition, "position lost")
	s.tail = eventLog{epoch: to.Epoch, top: to.Offset}
}

// shut closes all connections, without what they have not been sent.
func (s *session) shut(code code, reason string) {
	for _, c := range s.conns {
		c.close(code, reason, true)
	}
}

// finish ends the session on this node: connections are closed after what they
// have not been sent yet, of which session.ended is the last. The caller holds
// s.mu.
func (s *session) finish(reason sojourn.Reason) {
	if s.ended {
		return
	}
	s.ended, s.reason = true, reason
	if s.timer != nil {
		s.timer.Stop()
	}
	for _, c := range s.conns {
		c.close(endCode(reason), closeText(reason), false)
	}
}

func closeText(reason sojourn.Reason) string {
	if reason == "" {
		return "no session"
	}
	return string(reason)
}

// set notes deadlines and waits for them.
func (s *session) set(expires, absolute time.Time) {
	s.expires, s.absolute = expires, absolute
	if s.ended {
		return
	}
	until := time.Until(expires)
	if !near(s.warned, expires) && until > s.warn {
		until -= s.warn
	}
	until = max(until, time.Millisecond)
	if s.timer == nil {
		s.timer = time.AfterFunc(until, s.recheck)
	} else {
		s.timer.Reset(until)
	}
}

// learn takes a status just read, and tells pages of a deadline that moved
// without an event: by requests of other tabs. It warns if it is time to.
func (s *session) learn(st sojourn.Status) {
	now := time.Now()
	expires, absolute := now.Add(st.IdleRemaining), now.Add(st.AbsoluteRemaining)
	s.mu.Lock()
	defer s.mu.Unlock()
	moved := !s.expires.IsZero() && !near(s.expires, expires)
	if !moved && !s.expires.IsZero() {
		expires = s.expires // the same, but for the time the reading took
		if left := expires.Sub(now); left <= 0 {
			expires = now.Add(st.IdleRemaining)
		}
	}
	s.warn = min(s.hub.face.WarnBefore, st.Idle/2)
	if moved {
		s.tell(frame{typ: "session.status", body: statusFrame(s.hub.face.Status(st))})
	}
	if !near(s.warned, expires) && expires.Sub(now) <= s.warn+50*time.Millisecond {
		s.warned = expires
		s.tell(frame{typ: "session.expiring", body: appendClose(appendDeadlines([]byte(`{"type":"session.expiring","data":`), expires.Sub(now), absolute.Sub(now)))})
	}
	s.set(expires, absolute)
}

// near tells a deadline that was read again from one that moved.
func near(a, b time.Time) bool { return a.Sub(b).Abs() <= time.Second }

func statusFrame(status []byte) []byte {
	return appendClose(append([]byte(`{"type":"session.status","data":`), status...))
}

func appendClose(b []byte) []byte { return append(b, '}') }

// tell sends a frame that is not logged to all connections of this node.
func (s *session) tell(f frame) {
	for _, c := range s.conns {
		if c.live {
			c.push(f)
		}
	}
}

// join adds a connection, which receives nothing before it is live.
func (s *session) join(c *conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
		return &Ended{State: sojourn.StateEnded, Reason: s.reason}
	case len(s.conns) >= s.hub.opt.MaxPerSession:
		return ErrTooMany
	}
	c.next = s.tail.top + 1
	s.conns = append(s.conns, c)
	return nil
}

// leave removes a connection, once. The caller holds s.mu.
func (s *session) leave(c *conn) {
	if i := slices.Index(s.conns, c); i >= 0 {
		s.conns = slices.Delete(s.conns, i, i+1)
	}
}
