package live

import (
	"bufio"
	"net"
	"sync"
)

// An inlet lets one wait for the first byte of a message without the stack that
// reading a message takes: 2 KiB instead of 4 for each idle connection (measured).
type inlet struct {
	net.Conn
	buffer *bufio.Reader // what has been read ahead; the websocket's once closing

	mu      sync.Mutex
	closing bool

	reading sync.Mutex // held by who reads
	first   [1]byte
	come    bool // first is to be read
}

// close says that from now on the websocket reads whenever it likes: it waits for
// the answer to its close frame.
func (i *inlet) close() {
	i.mu.Lock()
	i.closing = true
	i.mu.Unlock()
}

// wait returns when there is something to read; false at the end.
func (i *inlet) wait() bool {
	i.mu.Lock()
	ready := i.closing || i.buffer.Buffered() > 0
	i.mu.Unlock()
	if ready {
		return true
	}
	i.reading.Lock()
	defer i.reading.Unlock()
	if !i.come {
		n, _ := i.Conn.Read(i.first[:])
		i.come = n == 1
	}
	return i.come
}

func (i *inlet) Read(b []byte) (int, error) {
	i.reading.Lock()
	defer i.reading.Unlock()
	if i.come && len(b) > 0 {
		b[0], i.come = i.first[0], false
		return 1, nil
	}
	return i.Conn.Read(b)
}
