package sojourn

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"time"
)

// A payload is one byte string, read in place:
//
//	version 1 · flags · absolute created auth rotated seen (int64 ms each)
//	current secret hash (32)
//	[previous hash (32) · its last moment (ms)]        flagPrev
//	[next hash (32) · seed (16)]                       flagNext
//	[six policy durations (ms each)]                   flagPolicy
//	[assurance level (1)]                              flagLevel
//	[form secret (16)]                                 flagForm
//	n · n retired hashes, first 8 bytes of each, newest first
//	n · n nonces (4 bytes, and 4 bytes of seconds)
//	data revision (uvarint)
//	IP · user agent · label (uvarint length each)
//	[binding (uvarint length)]                         flagBound
//	n (uvarint) · n members: key, raw JSON (uvarint length each)
//
// Integers are big-endian. docs/protocol.md does not describe it: it is no
// interface, and its first byte lets it change.
const (
	payloadVersion = 1

	flagPrev   = 1
	flagNext   = 2
	flagPolicy = 4
	flagLevel  = 8  // absent: 1 for a user, 0 for nobody
	flagForm   = 16 // a token for forms was asked for: csrf.go
	flagBound  = 32 // to more than its token: binding.go
	flagsKnown = flagPrev | flagNext | flagPolicy | flagLevel | flagForm | flagBound

	retiredMax  = 4  // replaced secrets that are still recognised as replays
	nonceMax    = 64 // commits that a retry can find again …
	nonceKept   = 10 // … for so many seconds
	userAgentIn = 256
	labelIn     = 64
	ipIn        = 64
)

// head is a decoded payload. Its slices alias the payload and are read-only.
type head struct {
	flags                                  byte
	level                                  byte   // flagLevel
	count                                  uint32 // of members
	split                                  uint32 // where in rest the members begin
	absolute, created, auth, rotated, seen int64
	cur, prev, next                        *digest // prev: flagPrev
	prevUntil                              int64
	seed                                   *[16]byte // with next: flagNext
	policy                                 *Policy   // flagPolicy
	form                                   *[16]byte // flagForm
	details                                *details  // nil: as encoded in rest
	rest                                   []byte    // encoded: the details, count, the members
}

// details are the part of a head that most requests do not look at.
type details struct {
	retired, nonces      []byte // 8 bytes each
	added                []byte // nonces of the commit under way
	rev                  uint64
	ip, userAgent, label []byte
	binding              []byte // flagBound
}

func (d *details) decode(h *head) {
	r := reader{p: h.rest[:h.split]}
	d.retired = r.take(8 * int(r.byte()))
	d.nonces = r.take(8 * int(r.byte()))
	d.rev = r.uvarint()
	d.ip, d.userAgent, d.label = r.bytes(), r.bytes(), r.bytes()
	if d.binding = nil; h.has(flagBound) {
		d.binding = r.bytes()
	}
}

// about returns the details for reading.
func (h *head) about() (d details) {
	if h.details != nil {
		return *h.details
	}
	d.decode(h)
	return d
}

// edit gives the head details of its own, in a copy: whoever kept the head keeps
// its details too.
func (h *head) edit() *details {
	d := h.about()
	h.details = &d
	return &d
}

// open is edit into a place of the caller's, for a head that nobody kept.
func (h *head) open(place *details) *details {
	if h.details == nil {
		place.decode(h)
		h.details = place
	}
	return h.details
}

func (h *head) members() []byte { return h.rest[h.split:] }

func (h *head) has(flag byte) bool { return h.flags&flag != 0 }

// fixed is the length of a payload up to and with the current secret's hash.
const fixed = 2 + 5*8 + len(digest{})

// currentHash is the hash of the current secret in a payload that was decoded.
func currentHash(p []byte) *digest { return (*digest)(p[fixed-len(digest{}):]) }

// decode reads p into h. The members are checked too, so that later reads
// cannot fail.
func (h *head) decode(p []byte) error {
	*h = head{}
	if len(p) >= fixed && p[0] == payloadVersion {
		n := binary.BigEndian.Uint64
		h.flags = p[1]
		h.absolute, h.created, h.auth = int64(n(p[2:])), int64(n(p[10:])), int64(n(p[18:]))
		h.rotated, h.seen = int64(n(p[26:])), int64(n(p[34:]))
		h.cur = currentHash(p)
		return h.decodeRest(reader{p: p[fixed:]})
	}
	if len(p) > 0 && p[0] > payloadVersion {
		return fmt.Errorf("%w: payload version %d, this program reads %d: it was written by a newer Sojourn, or is sealed and the keys are missing", ErrCorrupt, p[0], payloadVersion)
	}
	return fmt.Errorf("%w: not a session payload", ErrCorrupt)
}

func (h *head) decodeRest(r reader) error {
	if h.has(flagPrev) {
		h.prev = r.digest()
		h.prevUntil = r.int()
	}
	if h.has(flagNext) {
		h.next = r.digest()
		h.seed = (*[16]byte)(r.exactly(16))
	}
	if h.has(flagPolicy) {
		h.policy = new(Policy)
		for _, d := range h.policy.durations() {
			*d = time.Duration(r.int()) * time.Millisecond
		}
	}
	if h.has(flagLevel) {
		h.level = r.byte()
	}
	if h.has(flagForm) {
		h.form = (*[16]byte)(r.exactly(16))
	}
	h.rest = r.p
	r.take(8 * int(r.byte())) // the details: see there
	r.take(8 * int(r.byte()))
	r.uvarint()
	for range 3 {
		r.bytes()
	}
	if h.has(flagBound) {
		r.bytes()
	}
	n := r.uvarint()
	if r.bad || h.flags&^flagsKnown != 0 || n > uint64(len(r.p)) || len(h.rest) > math.MaxUint32 {
		return fmt.Errorf("%w: truncated head", ErrCorrupt)
	}
	h.count, h.split = uint32(n), uint32(len(h.rest)-len(r.p))
	for range h.count {
		r.bytes()
		r.bytes()
	}
	if r.bad || len(r.p) != 0 {
		return fmt.Errorf("%w: truncated members", ErrCorrupt)
	}
	return nil
}

// appendTo encodes everything but the members.
func (h *head) appendTo(b []byte) []byte {
	b = append(b, payloadVersion, h.flags)
	for _, v := range [...]int64{h.absolute, h.created, h.auth, h.rotated, h.seen} {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	b = append(b, h.cur[:]...)
	if h.has(flagPrev) {
		b = append(b, h.prev[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(h.prevUntil))
	}
	if h.has(flagNext) {
		b = append(b, h.next[:]...)
		b = append(b, h.seed[:]...)
	}
	if h.has(flagPolicy) {
		for _, d := range h.policy.durations() {
			b = binary.BigEndian.AppendUint64(b, uint64(*d/time.Millisecond))
		}
	}
	if h.has(flagLevel) {
		b = append(b, h.level)
	}
	if h.has(flagForm) {
		b = append(b, h.form[:]...)
	}
	d := h.about()
	b = append(b, byte(len(d.retired)/8))
	b = append(b, d.retired...)
	b = append(b, byte((len(d.nonces)+len(d.added))/8))
	b = append(b, d.nonces...)
	b = append(b, d.added...)
	b = binary.AppendUvarint(b, d.rev)
	b = appendBytes(b, d.ip)
	b = appendBytes(b, d.userAgent)
	if b = appendBytes(b, d.label); h.has(flagBound) {
		b = appendBytes(b, d.binding)
	}
	return b
}

func (p *Policy) durations() [6]*time.Duration {
	return [6]*time.Duration{&p.Idle, &p.Absolute, &p.CookieLifetime, &p.Rotate, &p.Grace, &p.TouchStep}
}

// hasNonce reports whether a commit with that nonce is part of this state.
func (h *head) hasNonce(n uint32) bool {
	d := h.about()
	for _, b := range [...][]byte{d.nonces, d.added} {
		for ; len(b) >= 8; b = b[8:] {
			if binary.BigEndian.Uint32(b) == n {
				return true
			}
		}
	}
	return false
}

// addNonce remembers a commit, and forgets those that no retry can follow. At
// most batchMax are added before the payload is encoded.
func (d *details) addNonce(n uint32, now int64) {
	sec := uint32(now / 1000)
	old := d.nonces // by age, but for what the clocks of processes differ
	for len(old)+len(d.added) >= 8*nonceMax || len(old) >= 8 && int32(sec-binary.BigEndian.Uint32(old[4:])) > nonceKept {
		old = old[8:]
	}
	d.nonces = old
	d.added = binary.BigEndian.AppendUint32(d.added, n)
	d.added = binary.BigEndian.AppendUint32(d.added, sec)
}

// entries yields the encoded members.
func (h *head) entries() iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		r := reader{p: h.members()}
		for range h.count {
			if k, v := r.bytes(), r.bytes(); !yield(k, v) {
				return
			}
		}
	}
}

// member finds one; its value aliases the payload.
func (h *head) member(key string) ([]byte, bool) {
	r := reader{p: h.members()}
	for range h.count {
		k, v := r.bytes(), r.bytes()
		if string(k) == key {
			return v, true
		}
	}
	return nil, false
}

func appendBytes[T string | []byte](b []byte, v T) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}

// reader cuts a byte string; after the first mistake it only yields zeros.
type reader struct {
	p   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.p) {
		r.bad, r.p = true, nil
		return nil
	}
	b := r.p[:n:n]
	r.p = r.p[n:]
	return b
}

// exactly is take, of zeros if there is not enough.
func (r *reader) exactly(n int) []byte {
	if b := r.take(n); b != nil {
		return b
	}
	return make([]byte, n)
}

func (r *reader) digest() *digest { return (*digest)(r.exactly(len(digest{}))) }

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) int() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *reader) uvarint() uint64 {
	if len(r.p) > 0 && r.p[0] < 0x80 {
		v := uint64(r.p[0])
		r.p = r.p[1:]
		return v
	}
	v, n := binary.Uvarint(r.p)
	if n <= 0 {
		r.bad, r.p = true, nil
		return 0
	}
	r.p = r.p[n:]
	return v
}

func (r *reader) bytes() []byte {
	if p := r.p; len(p) > 0 && p[0] < 0x80 && int(p[0]) < len(p) { // a short one, as most are
		n := 1 + int(p[0])
		r.p = p[n:]
		return p[1:n:n]
	}
	n := r.uvarint()
	if n > uint64(len(r.p)) {
		r.bad, r.p = true, nil
		return nil
	}
	return r.take(int(n))
}

// encodeTombstone is the payload of a dead record: when, and why.
func encodeTombstone(reason Reason, at time.Time) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli())), reason...)
}

func decodeTombstone(p []byte) (reason Reason, at time.Time) {
	if len(p) < 8 {
		return ReasonRevoked, time.Time{}
	}
	why, _, _ := bytes.Cut(p[8:], []byte{0}) // what follows tells a move from its double
	return Reason(why), time.UnixMilli(int64(binary.BigEndian.Uint64(p)))
}
