package redisstore

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A dialer makes the client library's connections and remembers them. Each new
// one tells that the topology may have changed.
type dialer struct {
	tls   *tls.Config // nil without TLS
	guard *guard
	news  chan struct{} // capacity 1

	mu     sync.Mutex
	conns  map[*conn]bool
	closed bool
	last   time.Time // of reset
}

func newDialer(tls *tls.Config, g *guard) *dialer {
	return &dialer{tls: tls, guard: g, news: make(chan struct{}, 1), conns: map[*conn]bool{}}
}

type conn struct {
	net.Conn
	d        *dialer
	settled  sync.Once // its fate is known: it has answered, or never will
	answered atomic.Bool
	closed   sync.Once
}

func (d *dialer) dial(ctx context.Context, addr string, nd *net.Dialer, _ *tls.Config) (net.Conn, error) {
	d.guard.dialling()
	var nc net.Conn
	var err error
	if d.tls != nil {
		nc, err = (&tls.Dialer{NetDialer: nd, Config: d.tls}).DialContext(ctx, "tcp", addr)
	} else {
		nc, err = nd.DialContext(ctx, "tcp", addr)
	}
	if err != nil {
		d.guard.dialledOne(false)
		return nil, err
	}
	c := &conn{Conn: nc, d: d}
	d.mu.Lock()
	d.conns[c] = true
	d.mu.Unlock()
	select {
	case d.news <- struct{}{}:
	default:
	}
	return c, nil
}

func (c *conn) Read(b []byte) (n int, err error) {
	n, err = c.Conn.Read(b)
	if n > 0 && !c.answered.Load() {
		c.answered.Store(true)
		c.settled.Do(func() { c.d.guard.dialledOne(true) })
	}
	return n, err
}

// Close is called by the client library, also when the other side has closed.
func (c *conn) Close() error {
	c.settled.Do(func() { c.d.guard.dialledOne(false) })
	c.closed.Do(func() {
		c.d.mu.Lock()
		delete(c.d.conns, c)
		closed := c.d.closed
		c.d.mu.Unlock()
		if !closed {
			c.d.guard.disturb()
		}
	})
	return c.Conn.Close()
}

// reset breaks all connections, at most once a second, so that names are looked
// up again.
func (d *dialer) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.last) < time.Second {
		return
	}
	d.last = time.Now()
	for c := range d.conns {
		c.Conn.Close() // the reader of c meets the end and calls c.Close
	}
}

func (d *dialer) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
}
