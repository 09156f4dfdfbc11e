package live

import (
	"net"
	"sync"
	"time"
)

// An outlet lets the frames of one batch leave in one system call, with a
// buffer that is only held meanwhile, and bounds how long a write may take.
type outlet struct {
	conn net.Conn
	mu   sync.Mutex // also keeps a pong from falling into a batch
	held *[]byte
}

var batches = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// hold collects what is written until release.
func (o *outlet) hold() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held = batches.Get().(*[]byte)
}

func (o *outlet) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.held != nil {
		*o.held = append(*o.held, b...)
		return len(b), nil
	}
	return o.write(b)
}

func (o *outlet) write(b []byte) (int, error) {
	_ = o.conn.SetWriteDeadline(time.Now().Add(writeWithin))
	return o.conn.Write(b)
}

// release writes what was collected.
func (o *outlet) release() (err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.held
	if o.held = nil; len(*b) > 0 {
		_, err = o.write(*b)
	}
	if cap(*b) <= 64<<10 {
		*b = (*b)[:0]
		batches.Put(b)
	}
	return err
}
