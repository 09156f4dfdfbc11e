package sojourn

import (
	"bytes"
	"crypto/rand"
	"time"
)

// A secret's life. The store holds hashes only; next is derived from cur and a
// stored seed, so all requests that present cur are given the same successor.
//
//	           rotation interval passed            next presented
//	[cur] ────────────────────────────▶ [cur|next] ───────────────▶ [cur' = next | prev = cur]
//	  ▲                                  every answer to cur            │ grace passed
//	  └──────── retired ring ◀───────────  carries next                 ▼
//	            (known replays)                                    [cur' | retired: prev]
//
// A lost answer is harmless: cur stays valid until next has been seen once.
type standing uint8

const (
	standsNot      standing = iota // matches nothing we know
	standsCurrent                  // cur
	standsNext                     // next: confirm it
	standsPrevious                 // prev within grace: valid, but never answered with a cookie
	standsReplaced                 // prev after grace, or retired: a replay
)

// standing compares a presented secret with the record's, in constant time.
func (h *head) standing(presented *digest, now int64) standing {
	switch {
	case presented.equal(h.cur):
		return standsCurrent
	case h.has(flagNext) && presented.equal(h.next):
		return standsNext
	case h.has(flagPrev) && presented.equal(h.prev):
		if now < h.prevUntil {
			return standsPrevious
		}
		return standsReplaced
	}
	for b := h.about().retired; len(b) >= 8; b = b[8:] {
		if bytes.Equal(b[:8], presented[:8]) {
			return standsReplaced
		}
	}
	return standsNot
}

// retire remembers a replaced hash, so that its use is recognised as a replay.
func (h *head) retire(old *digest) {
	d := h.edit()
	ring := append(old[:8:8], d.retired...)
	d.retired = ring[:min(len(ring), 8*retiredMax)]
}

// prepare derives and announces the successor of the presented secret.
func (h *head) prepare(presented *secret) {
	h.seed = new([16]byte)
	rand.Read(h.seed[:])
	next := presented.successor(h.seed[:])
	h.next = next.hash()
	h.flags |= flagNext
}

// confirm makes next current after its first use.
func (h *head) confirm(now int64, grace time.Duration) {
	if h.has(flagPrev) {
		h.retire(h.prev)
	}
	h.prev, h.prevUntil = h.cur, now+grace.Milliseconds()
	h.cur, h.rotated = h.next, now
	h.next, h.seed = nil, nil
	h.flags = h.flags&^flagNext | flagPrev
}

// replace sets a new secret and ends all former ones at once.
func (h *head) replace(s *secret, now int64) {
	if h.has(flagPrev) {
		h.retire(h.prev)
	}
	h.retire(h.cur)
	h.cur, h.rotated = s.hash(), now
	h.prev, h.next, h.seed, h.prevUntil = nil, nil, nil, 0
	h.flags &^= flagPrev | flagNext
	h.setForm(nil)
}

// rotationDue reports whether the current secret has served its interval.
func (h *head) rotationDue(p *Policy, now int64) bool {
	return p.Rotate > 0 && !h.has(flagNext) && now-h.rotated >= p.Rotate.Milliseconds() && !h.inGrace(now)
}

// inGrace reports whether the secret before the current one still works. Another
// renewal would end it early.
func (h *head) inGrace(now int64) bool { return h.has(flagPrev) && now < h.prevUntil }
