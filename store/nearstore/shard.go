package nearstore

import (
	"bytes"
	"container/list"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"github.com/sojournhq/sojourn"
)

// A shard is a part of the cache under one lock.
type shard struct {
	mu      sync.Mutex
	entries map[sojourn.ID]*entry
	owners  map[string]*entry // the first in the chain of an owner's entries
	flights map[sojourn.ID]*flight
	order   list.List // of *entry, used last first
	bytes   int
	max     int
	fences  [64]uint64
	stats   Stats
	_       [64]byte
}

// An entry is a record as it was at some moment after began.
type entry struct {
	rec   sojourn.Record
	began time.Time // the call that brought the record, or the owner's generation in it
	// flushes is the store's count when the call began; if it has moved on, or is
	// zero, the entry only serves in an outage.
	flushes    uint64
	size       int
	place      *list.Element
	prev, next *entry // of the same owner
}

// entrySize is what an entry takes beside its ID, owner and payload: the
// structs, two map slots and what they leave free.
const entrySize = 450

func (sh *shard) init(max int) {
	sh.max = max
	sh.entries = make(map[sojourn.ID]*entry)
	sh.owners = make(map[string]*entry)
	sh.flights = make(map[sojourn.ID]*flight)
	sh.order.Init()
}

// A ticket is taken when a call to the store below begins. If anything happens
// to its record before the call returns, the ticket is void, and what the call
// brought is not kept: it may be older than what happened.
type ticket struct {
	fence            *uint64 // shared by some records of the shard
	was              uint64
	revokes, flushes uint64
	began            time.Time
}

func (s *Store) locate(id sojourn.ID) (*shard, *uint64) {
	h := maphash.String(s.seed, string(id))
	sh := &s.shards[(h>>32)%uint64(len(s.shards))]
	return sh, &sh.fences[h%uint64(len(sh.fences))]
}

// ticket takes one; the shard is locked.
func (s *Store) ticket(fence *uint64, now time.Time) ticket {
	return ticket{fence: fence, was: *fence, revokes: s.revokes.Load(), flushes: s.flushes.Load(), began: now}
}

// valid reports whether nothing happened since; the shard is locked.
func (s *Store) valid(t ticket) bool {
	return *t.fence == t.was && s.revokes.Load() == t.revokes && s.flushes.Load() == t.flushes
}

// put keeps what a call brought, unless something begun later is kept already.
// The dead stay dead.
func (sh *shard) put(rec sojourn.Record, t ticket) {
	old := sh.entries[rec.ID]
	if rec.Cached || old != nil && (t.began.Before(old.began) || old.rec.Dead && !rec.Dead) {
		return
	}
	sh.replace(old, rec, t.began, t.flushes)
}

// replace puts rec in the place of old, which may be nil. It keeps nothing that
// would displace a quarter of the shard.
func (sh *shard) replace(old *entry, rec sojourn.Record, began time.Time, flushes uint64) {
	rec.Expires = time.UnixMilli(rec.Expires.UnixMilli())
	if len(rec.Payload) != cap(rec.Payload) {
		rec.Payload = bytes.Clone(rec.Payload) // part of a driver's buffer, perhaps
	}
	if len(rec.Payload) > sh.max/4 {
		sh.drop(old)
		return
	}
	if old != nil {
		rec.ID, rec.Owner = old.rec.ID, old.rec.Owner
		sh.bytes += cap(rec.Payload) - cap(old.rec.Payload)
		old.size += cap(rec.Payload) - cap(old.rec.Payload)
		old.rec, old.began, old.flushes = rec, began, flushes
		sh.order.MoveToFront(old.place)
		sh.evict()
		return
	}
	rec.ID, rec.Owner = sojourn.ID(strings.Clone(string(rec.ID))), strings.Clone(rec.Owner) // parts of a request, perhaps
	e := &entry{rec: rec, began: began, flushes: flushes, size: entrySize + len(rec.ID) + len(rec.Owner) + cap(rec.Payload)}
	sh.entries[rec.ID] = e
	if rec.Owner != "" {
		if e.next = sh.owners[rec.Owner]; e.next != nil {
			e.next.prev = e
		}
		sh.owners[rec.Owner] = e
	}
	e.place = sh.order.PushFront(e)
	sh.bytes += e.size
	sh.evict()
}

// evict makes room.
func (sh *shard) evict() {
	for sh.bytes > sh.max && sh.order.Len() > 0 {
		sh.drop(sh.order.Back().Value.(*entry))
		sh.stats.Evicted++
	}
}

// drop forgets an entry, which may be nil.
func (sh *shard) drop(e *entry) {
	if e == nil {
		return
	}
	delete(sh.entries, e.rec.ID)
	sh.order.Remove(e.place)
	sh.bytes -= e.size
	if e.rec.Owner == "" {
		return
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
	switch {
	case e.prev != nil:
		e.prev.next = e.next
	case e.next != nil:
		sh.owners[e.rec.Owner] = e.next
	default:
		delete(sh.owners, e.rec.Owner)
	}
}

// outdate leaves an entry to outages, since there may be a newer one.
func outdate(e *entry) {
	if e != nil {
		e.flushes = 0
	}
}

// happened drops what is kept of a record and voids what is under way.
func (s *Store) happened(id sojourn.ID) {
	sh, fence := s.locate(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	*fence++
	sh.drop(sh.entries[id])
}

// ownerHappened drops all that is kept of an owner.
func (s *Store) ownerHappened(owner string) {
	s.revokes.Add(1) // first: what is put from now on was begun after
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for e := sh.owners[owner]; e != nil; e = sh.owners[owner] {
			sh.drop(e)
		}
		sh.mu.Unlock()
	}
}

// flush lets nothing that is kept or under way answer any more, except in an
// outage.
func (s *Store) flush() { s.flushes.Add(1) }
