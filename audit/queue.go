package audit

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"sync/atomic"
)

// A queue holds records on their way and counts those that find no room.
type queue struct {
	stream string

	mu     sync.Mutex // orders numbers and places alike
	seq    uint64
	closed bool
	ch     chan Record

	untold  atomic.Uint64 // lost and not told yet
	dropped atomic.Uint64 // lost in all
	done    atomic.Uint64 // written or delivered
}

func newQueue(size int) *queue {
	var id [8]byte
	rand.Read(id[:])
	return &queue{stream: hex.EncodeToString(id[:]), ch: make(chan Record, size)}
}

// put never waits.
func (q *queue) put(r Record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.number(&r)
	if !q.closed {
		select {
		case q.ch <- r:
			return
		default:
		}
	}
	q.lose(1)
}

func (q *queue) number(r *Record) {
	q.seq++
	r.Stream, r.Seq = q.stream, q.seq
}

func (q *queue) lose(n uint64) {
	q.untold.Add(n)
	q.dropped.Add(n)
}

// report is the record that tells what was lost since the last one, if anything. If
// it is lost itself, the caller gives its Count back to untold.
func (q *queue) report(o *Options) (r Record, ok bool) {
	n := q.untold.Swap(0)
	if n == 0 {
		return r, false
	}
	r = o.blank(eventDropped, o.Clock())
	r.Count = n
	q.mu.Lock()
	q.number(&r)
	q.mu.Unlock()
	return r, true
}

// close ends intake; what waits can still be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.ch)
	}
}

// Stats counts records.
type Stats struct {
	// Written were written, or accepted by the webhook's receiver.
	Written uint64
	// Dropped were lost: the queue was full or closed, or they could not be written.
	Dropped uint64
	// Waiting are in the queue.
	Waiting int
}

func (q *queue) stats() Stats { return Stats{q.done.Load(), q.dropped.Load(), len(q.ch)} }
