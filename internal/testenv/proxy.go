package testenv

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A Proxy carries TCP connections to a server and misbehaves when told to. It
// begins as a good one.
//
//	client ──▶ Proxy ──▶ server
//	           Delay, Freeze, Cut, CutAnswer, Refuse
type Proxy struct {
	Addr string // where clients connect

	target   string
	listener net.Listener
	wg       sync.WaitGroup

	mu     sync.Mutex
	conns  map[*proxied]bool
	delay  time.Duration
	frozen chan struct{} // closed when it thaws, nil when it is not frozen
	refuse bool
	armed  func() // CutAnswer: called once the answer is dropped
	closed bool

	sent, received, turns atomic.Int64
}

// proxied is one connection. asking is whether the last bytes came from the
// client.
type proxied struct {
	client, server net.Conn
	asking         atomic.Bool
}

// StartProxy listens on a free port and carries to target.
func StartProxy(t TB, target string) *Proxy {
	t.Helper()
	port := Port(t)
	l, err := net.Listen("tcp", Loopback(port))
	if err != nil {
		t.Fatalf("%v", err)
	}
	p := &Proxy{Addr: Loopback(port), target: target, listener: l, conns: map[*proxied]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Delay makes everything arrive that much later, in each direction.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	p.delay = d
	p.mu.Unlock()
}

// Freeze keeps all connections open and carries nothing, until [Proxy.Thaw].
func (p *Proxy) Freeze() {
	p.mu.Lock()
	if p.frozen == nil {
		p.frozen = make(chan struct{})
	}
	p.mu.Unlock()
}

// Thaw carries what was held back.
func (p *Proxy) Thaw() {
	p.mu.Lock()
	p.thaw()
	p.mu.Unlock()
}

func (p *Proxy) thaw() {
	if p.frozen != nil {
		close(p.frozen)
		p.frozen = nil
	}
}

// Cut ends all connections at once; what was under way is lost. New ones are
// welcome.
func (p *Proxy) Cut() {
	p.mu.Lock()
	for c := range p.conns {
		c.end()
	}
	p.mu.Unlock()
}

// CutAnswer lets the next request through and ends its connection in place of
// the answer: it was done, and its client cannot know. Other connections go on.
// The channel is closed when that has happened.
func (p *Proxy) CutAnswer() <-chan struct{} {
	done := make(chan struct{})
	p.mu.Lock()
	p.armed = func() { close(done) }
	p.mu.Unlock()
	return done
}

// Refuse makes new connections end at once, as if no server listened.
func (p *Proxy) Refuse(refuse bool) {
	p.mu.Lock()
	p.refuse = refuse
	p.mu.Unlock()
}

// Sent is how many bytes clients have sent, Received how many they got.
func (p *Proxy) Sent() int64     { return p.sent.Load() }
func (p *Proxy) Received() int64 { return p.received.Load() }

// Turns counts how often a client spoke after the server had: the round trips,
// where clients do one thing at a time.
func (p *Proxy) Turns() int64 { return p.turns.Load() }

// Conns is the number of open connections.
func (p *Proxy) Conns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		refuse := p.refuse || p.closed
		p.mu.Unlock()
		if refuse {
			client.Close()
			continue
		}
		p.wg.Go(func() { p.carry(client) })
	}
}

func (p *Proxy) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	c := &proxied{client: client, server: server}
	p.mu.Lock()
	p.conns[c] = true
	closed := p.closed
	p.mu.Unlock()
	defer func() {
		c.end()
		p.mu.Lock()
		delete(p.conns, c)
		p.mu.Unlock()
	}()
	if closed {
		return
	}
	var both sync.WaitGroup
	both.Go(func() {
		p.pump(c, server, client, func(n int) bool {
			p.sent.Add(int64(n))
			if c.asking.CompareAndSwap(false, true) {
				p.turns.Add(1)
			}
			return true
		})
	})
	both.Go(func() {
		p.pump(c, client, server, func(n int) bool {
			asked := c.asking.Swap(false)
			if f := p.disarm(asked); f != nil {
				c.end()
				f()
				return false
			}
			p.received.Add(int64(n))
			return true
		})
	})
	both.Wait()
}

func (p *Proxy) disarm(asked bool) (f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if asked {
		f, p.armed = p.armed, nil
	}
	return f
}

type chunk struct {
	bytes []byte
	due   time.Time
}

// pump carries one direction. Reading goes on while chunks wait for their time,
// so a delay adds to the latency and takes nothing from the throughput.
func (p *Proxy) pump(c *proxied, to, from net.Conn, pass func(n int) bool) {
	line := make(chan chunk, 1024)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(line)
		for {
			b := make([]byte, 32<<10)
			n, err := from.Read(b)
			if n > 0 {
				p.mu.Lock()
				due := time.Now().Add(p.delay)
				p.mu.Unlock()
				line <- chunk{b[:n], due}
			}
			if err != nil {
				return
			}
		}
	})
	broken := false
	for next := range line {
		if broken { // only to let the reader end
			continue
		}
		if wait := time.Until(next.due); wait > 0 {
			time.Sleep(wait)
		}
		p.mu.Lock()
		frozen := p.frozen
		p.mu.Unlock()
		if frozen != nil {
			<-frozen
		}
		if !pass(len(next.bytes)) {
			broken = true
			continue
		}
		if _, err := to.Write(next.bytes); err != nil {
			broken = true
			c.end()
		}
	}
	c.end()
	reading.Wait()
}

func (c *proxied) end() {
	for _, conn := range []net.Conn{c.client, c.server} {
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0) // lost means lost
		}
		conn.Close()
	}
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed, p.delay = true, 0
	p.thaw()
	p.mu.Unlock()
	p.listener.Close()
	p.Cut()
	p.wg.Wait()
}
