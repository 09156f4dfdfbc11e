package live

import (
	"math/rand/v2"
	"time"
)

// A conn is one connection of a page, whatever carries it. Its fields are
// guarded by its session's mutex. It costs a goroutine only while there is
// something to write.
type conn struct {
	s *session
	t transport // nil for a poll
	// signal wakes a poll.
	signal chan struct{}

	next    uint64  // offset of the logged event to be sent next
	control []frame // to be sent before it
	first   []Event // history, to be sent before both but after the hello
	live    bool    // the hello is on its way
	writing bool
	closing *closing
	gone    bool
	after   time.Duration // of a poll: when to come back, while draining

	born, pingAt, until, heard time.Time
}

type closing struct {
	code   code
	reason string
	now    bool // without what is left to be sent
}

// A transport carries frames to one page.
type transport interface {
	// write sends frames in order. It gives up after writeWithin.
	write(epoch string, frames []frame) error
	// close tells the page why, as far as the transport can, and closes. It may
	// take seconds.
	close(code code, reason string)
	// abort closes at once.
	abort()
	// answers reports whether the page can be expected to answer pings.
	answers() bool
}

const (
	maxControl = 64       // frames waiting besides the log's
	batchBytes = 32 << 10 // per write: what a page that does not read costs beyond the log
)

// begin makes a connection live, with a hello and what it missed.
func (c *conn) begin(t transport, greeting frame, missed []Event) {
	s := c.s
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	c.t, c.live = t, true
	c.control, c.first = append(c.control, greeting), missed
	c.born, c.heard = now, now
	c.pingAt = now.Add(s.hub.opt.Ping)
	age := s.hub.opt.MaxAge
	c.until = now.Add(age*4/5 + rand.N(age*2/5))
	if c.next <= s.tail.floor() {
		c.close(codeSlow, "too slow", true)
	}
	if s.hub.draining.Load() {
		c.close(codeRestart, "restart", false)
	}
	c.wake()
}

// push queues a frame that is not logged. The caller holds the session's mutex.
func (c *conn) push(f frame) {
	if c.signal != nil {
		return // a poll learns of it from its next status
	}
	if len(c.control) >= maxControl {
		c.close(codeSlow, "too slow", true)
		return
	}
	c.control = append(c.control, f)
	c.wake()
}

// close begins the end of a connection. The first code stays.
func (c *conn) close(code code, reason string, now bool) {
	if c.closing == nil {
		c.closing = &closing{code, reason, now}
	}
	c.closing.now = c.closing.now || now
	c.wake()
}

// wake sees to it that somebody writes.
func (c *conn) wake() {
	switch {
	case c.signal != nil:
		select {
		case c.signal <- struct{}{}:
		default:
		}
	case c.live && !c.writing && !c.gone:
		c.writing = true
		c.s.hub.busy.Add(1)
		go c.flush()
	}
}

// flush writes until nothing is left.
func (c *conn) flush() {
	defer c.s.hub.busy.Add(-1)
	for {
		epoch, batch, end := c.take()
		switch {
		case end != nil:
			c.t.close(end.code, end.reason)
			c.drop()
			return
		case batch == nil:
			return
		}
		if err := c.t.write(epoch, batch); err != nil {
			c.t.abort()
			c.drop()
			return
		}
	}
}

// take returns what is to be written next. Nothing at all means that the
// writer has gone.
func (c *conn) take() (epoch string, batch []frame, end *closing) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.gone || c.closing != nil && c.closing.now {
		return "", nil, c.ending()
	}
	epoch, now, size := s.tail.epoch, time.Now(), 0
	if len(c.control) > 0 {
		batch, c.control = c.control, nil
	}
	add := func(e *Event) {
		f := frame{Position{epoch, e.Offset}.String(), e.Type, e.encode(epoch, now)}
		batch, size = append(batch, f), size+len(f.body)
	}
	for len(c.first) > 0 && size < batchBytes {
		add(&c.first[0])
		c.first = c.first[1:]
	}
	if len(c.first) == 0 && size < batchBytes {
		c.first = nil
		events, ok := c.pending()
		if !ok {
			c.close(codeSlow, "too slow", true)
			return "", nil, c.ending()
		}
		for i := range events {
			if size >= batchBytes {
				break
			}
			add(&events[i])
			c.next++
		}
	}
	if batch == nil {
		return "", nil, c.ending()
	}
	c.pingAt = now.Add(s.hub.opt.Ping)
	return epoch, batch, nil
}

// pending are the logged events not sent yet; false if some are gone already.
func (c *conn) pending() ([]Event, bool) {
	tail := &c.s.tail
	if c.next > tail.top { // or what was read is ahead of what was delivered
		return nil, true
	}
	return tail.after(Position{tail.epoch, c.next - 1})
}

// ending stops the writer, for good if the connection is to be closed.
func (c *conn) ending() *closing {
	if c.closing != nil && !c.gone {
		c.gone = true // no writer will follow
		return c.closing
	}
	c.writing = false
	return nil
}

// drop forgets a connection that is closed.
func (c *conn) drop() {
	s := c.s
	s.mu.Lock()
	c.gone = true
	before := len(s.conns)
	s.leave(c)
	left := len(s.conns) < before
	s.mu.Unlock()
	if left {
		s.release()
		s.hub.connections.Add(-1)
		s.hub.busy.Add(-1)
	}
}
