package sojourn

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// What a single source may do in a minute: begin sessions, and present tokens
// that open nothing. A source is an IPv4 address or an IPv6 /64, the least that
// one subscriber has. Both limits answer before the store is asked.

// A limiter allows each source so many events in a minute, all at once or
// spread (the generic cell rate algorithm: one number per source, the moment
// until which its allowance is used up).
type limiter struct {
	every time.Duration // between events at the full rate
	mu    sync.Mutex
	until map[netip.Addr]int64 // ns
}

// maxSources bounds what a limiter remembers: about 4 MB. Beyond, the idlest of
// a few is forgotten, which lets a source begin anew but never blocks another.
const maxSources = 1 << 16

func newLimiter(perMinute int) *limiter {
	if perMinute == 0 {
		return nil
	}
	return &limiter{every: time.Minute / time.Duration(perMinute), until: map[netip.Addr]int64{}}
}

// wait is how long a source has to wait before its next event; 0: none.
func (l *limiter) wait(source netip.Addr, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over(source, now)
}

func (l *limiter) over(source netip.Addr, now time.Time) time.Duration {
	return max(0, time.Duration(l.until[source]-now.UnixNano())+l.every-time.Minute)
}

// count counts an event, whether it was allowed or not.
func (l *limiter) count(source netip.Addr, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.add(source, now)
}

func (l *limiter) add(source netip.Addr, now time.Time) {
	at := now.UnixNano()
	until, known := l.until[source]
	if !known && len(l.until) >= maxSources {
		l.forget(at)
	}
	l.until[source] = min(max(until, at)+int64(l.every), at+int64(time.Minute))
}

// take counts an event if it is allowed, else says how long to wait.
func (l *limiter) take(source netip.Addr, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait = l.over(source, now); wait == 0 {
		l.add(source, now)
	}
	return wait
}

func (l *limiter) forget(now int64) {
	var idlest netip.Addr
	least, looked := int64(0), 0
	for source, until := range l.until { // in random order
		if until <= now {
			delete(l.until, source) // as good as unknown
		} else if least == 0 || until < least {
			idlest, least = source, until
		}
		if looked++; looked == 16 {
			break
		}
	}
	if len(l.until) >= maxSources {
		delete(l.until, idlest)
	}
}

// source is who a request counts for; ok is false where that cannot be told, as
// on a Unix socket.
func (sc *scope) source() (a netip.Addr, ok bool) {
	a, err := netip.ParseAddr(sc.clientIP())
	if err != nil {
		return a, false
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		p, _ := a.Prefix(64)
		a = p.Addr()
	}
	return a, true
}

// mayCreate counts a session that a request begins from nothing.
func (s *Session) mayCreate() error {
	l := s.m.creations
	if l == nil || s.req == nil || s.state == StateActive {
		return nil
	}
	if source, ok := s.req.source(); ok {
		if wait := l.take(source, s.m.now()); wait > 0 {
			return &refusal{err: ErrRateLimited, wait: wait}
		}
	}
	return nil
}

// mayLook refuses to ask the store for a source that guesses, but not for a
// token that opened a session a while ago.
func (s *Session) mayLook() error {
	l := s.m.misses
	if l == nil || s.req == nil || s.m.proven.has(s) {
		return nil
	}
	if source, ok := s.req.source(); ok {
		if wait := l.wait(source, s.m.now()); wait > 0 {
			return &refusal{err: ErrRateLimited, wait: wait}
		}
	}
	return nil
}

// looked counts a token that opened nothing, and remembers one that did.
func (s *Session) looked(found bool) {
	l := s.m.misses
	if l == nil || s.req == nil {
		return
	}
	if found {
		s.m.proven.add(s)
	} else if source, ok := s.req.source(); ok {
		l.count(source, s.m.now())
	}
}

// proven remembers tokens by a keyed hash, the latest of those that share a
// place: users behind an address from which somebody guesses stay logged in.
type proven struct {
	seed   maphash.Seed
	places []atomic.Uint64
}

const provenPlaces = 1 << 14 // 128 KB

func newProven() *proven {
	return &proven{maphash.MakeSeed(), make([]atomic.Uint64, provenPlaces)}
}

func (p *proven) hash(s *Session) uint64 {
	var h maphash.Hash
	h.SetSeed(p.seed)
	h.WriteString(string(s.id))
	if s.presented != nil {
		h.Write(s.presented[:])
	}
	return h.Sum64() | 1 // never that of an empty place
}

func (p *proven) has(s *Session) bool {
	h := p.hash(s)
	return p.places[h/2%provenPlaces].Load() == h
}

func (p *proven) add(s *Session) {
	h := p.hash(s)
	if place := &p.places[h/2%provenPlaces]; place.Load() != h {
		place.Store(h)
	}
}
