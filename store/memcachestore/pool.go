package memcachestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
)

// The client library knows no contexts. So each of its clients serves one call
// at a time, on connections that obey that call's context.
type pool struct {
	selector memcache.ServerSelector
	timeout  time.Duration
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
	room     chan struct{} // holds an element per call under way

	mu     sync.Mutex
	idle   []*slot
	epoch  uint64 // slots of an earlier one are suspect
	closed bool
}

// slot is a client with at most one connection per server.
type slot struct {
	client *memcache.Client
	epoch  uint64

	mu    sync.Mutex
	ctx   context.Context
	ended bool // ctx has ended during the call
	conns map[*conn]struct{}
}

// conn ends its reads and writes when the context of the slot's call does.
type conn struct {
	net.Conn
	slot *slot
}

var errClosed = errors.New("the store is closed")

func newPool(sel memcache.ServerSelector, o *Options) *pool {
	return &pool{selector: sel, timeout: o.Timeout, dial: o.Dial, room: make(chan struct{}, o.MaxConns)}
}

// do runs f, which makes exactly one request to a server, or one to each of
// several at once.
func (p *pool) do(ctx context.Context, f func(*memcache.Client) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.room <- struct{}{}:
	default:
		select {
		case p.room <- struct{}{}:
		case <-ctx.Done():
			return fmt.Errorf("waiting for a connection: %w", ctx.Err())
		}
	}
	defer func() { <-p.room }()
	s, err := p.take()
	if err != nil {
		return err
	}
	stop := s.begin(ctx)
	err = f(s.client)
	whole := stop()
	p.give(s, whole, err)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

func (p *pool) take() (*slot, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	for n := len(p.idle); n > 0; n = len(p.idle) {
		s := p.idle[n-1]
		p.idle = p.idle[:n-1]
		if s.epoch == p.epoch {
			return s, nil
		}
		s.client.Close()
	}
	return p.newSlot(p.selector), nil
}

func (p *pool) newSlot(sel memcache.ServerSelector) *slot {
	s := &slot{client: memcache.NewFromSelector(sel), epoch: p.epoch, conns: map[*conn]struct{}{}}
	s.client.Timeout, s.client.MaxIdleConns = p.timeout, 1
	s.client.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return s.connect(ctx, p.dial, network, address)
	}
	return s
}

// give takes a slot back. After a broken connection, all that were idle then are
// taken for broken too: a restarted server must not fail one call for each.
func (p *pool) give(s *slot, whole bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if broken(err) && s.epoch == p.epoch {
		p.epoch++
		s.epoch = p.epoch // what failed is closed already
	}
	if !whole || p.closed {
		s.client.Close()
		return
	}
	p.idle = append(p.idle, s)
}

// broken tells a lost connection from an answer, and from a call that ran out of
// time.
func broken(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !errors.Is(err, os.ErrDeadlineExceeded)
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, s := range p.idle {
		s.client.Close()
	}
	p.idle = nil
}

// begin ties the slot to a call. The function it returns ends that; it reports
// whether the slot may serve another.
func (s *slot) begin(ctx context.Context) (stop func() bool) {
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
	if ctx.Done() == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(ctx, s.abort)
}

// abort ends what the slot's connections are doing.
func (s *slot) abort() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for c := range s.conns {
		c.Conn.SetDeadline(time.Unix(1, 0))
	}
}

func (s *slot) connect(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), network, address string) (net.Conn, error) {
	s.mu.Lock()
	call := s.ctx
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx) // of the library, with its timeout
	defer cancel()
	defer context.AfterFunc(call, cancel)()
	nc, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, slot: s}
	s.mu.Lock()
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	return c, nil
}

// SetDeadline is what the library calls before each exchange.
func (c *conn) SetDeadline(t time.Time) error {
	c.slot.mu.Lock()
	defer c.slot.mu.Unlock()
	if c.slot.ended {
		t = time.Unix(1, 0)
	}
	return c.Conn.SetDeadline(t)
}

// Read says which server ended the connection.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == io.EOF {
		err = &net.OpError{Op: "read", Net: "tcp", Addr: c.RemoteAddr(), Err: io.EOF}
	}
	return n, err
}

func (c *conn) Close() error {
	c.slot.mu.Lock()
	delete(c.slot.conns, c)
	c.slot.mu.Unlock()
	return c.Conn.Close()
}
