package dbsc

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/sojournhq/sojourn"
)

// A binding is what the session's record holds of its device, as one string:
//
//	version 1 · registered · took hold (0: pending) · newest challenge used (µs each)
//	ID (12) · secret (32) · public key (PKIX, DER)
//
// The secret never leaves the server; it authenticates the cookies and challenges
// of this binding. Integers are big-endian.
//
//	            register                  bound cookie or refresh seen
//	[unbound] ───────────▶ [pending] ─────────────────────────────▶ [bound]
//	     ▲                  │  ▲  │ register: the answer was lost
//	     └─── login ────────┘  └──┘
type binding struct {
	registered, held, used int64 // µs
	id                     [12]byte
	secret                 [32]byte
	key                    []byte
}

const (
	bindingVersion = 1
	bindingFixed   = 1 + 3*8 + 12 + 32
	macSize        = 16
	offerFor       = time.Minute
)

var text = base64.RawURLEncoding

func newBinding(key crypto.PublicKey, now time.Time) (*binding, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	k := &binding{registered: now.UnixMicro(), key: der}
	rand.Read(k.id[:])
	rand.Read(k.secret[:])
	return k, nil
}

func decodeBinding(b []byte) (*binding, error) {
	if len(b) <= bindingFixed || b[0] != bindingVersion {
		return nil, errBinding
	}
	n := func(at int) int64 { return int64(binary.BigEndian.Uint64(b[at:])) }
	k := &binding{registered: n(1), held: n(9), used: n(17), key: b[bindingFixed:]}
	copy(k.id[:], b[25:])
	copy(k.secret[:], b[37:])
	return k, nil
}

func (k *binding) encode() []byte {
	b := append(make([]byte, 0, bindingFixed+len(k.key)), bindingVersion)
	for _, v := range [...]int64{k.registered, k.held, k.used} {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	b = append(append(b, k.id[:]...), k.secret[:]...)
	return append(b, k.key...)
}

// name is the session_identifier that browsers know: it begins with a letter,
// so that it is also a token of RFC 9651, as Chromium sends it.
func (k *binding) name() string { return "b" + text.EncodeToString(k.id[:]) }

func (k *binding) public() (crypto.PublicKey, error) { return x509.ParsePKIXPublicKey(k.key) }

// sign is 16 bytes over a purpose and some words.
func sign(key []byte, purpose string, words ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(purpose))
	for _, w := range words { // lengths keep the words apart
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(w))))
		h.Write(w)
	}
	return h.Sum(nil)[:macSize]
}

// A stamp is a moment and its signature: 24 bytes, 32 characters.
func stamp(key []byte, purpose string, at time.Time, words ...[]byte) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMicro()))
	return text.EncodeToString(append(b, sign(key, purpose, append(words, b)...)...))
}

// openStamp returns the moment of a stamp that is ours.
func openStamp(key []byte, purpose, s string, words ...[]byte) (time.Time, bool) {
	b, err := text.DecodeString(s)
	if err != nil || len(b) != 8+macSize || text.EncodeToString(b) != s || !hmac.Equal(b[8:], sign(key, purpose, append(words, b[:8])...)) {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64(b))), true
}

// skew is how far the clocks of two processes may differ.
const skew = 5 * time.Second

// within reports whether a moment is past, and not longer ago than age.
func within(at, now time.Time, age time.Duration) bool {
	return !at.After(now.Add(skew)) && now.Sub(at) <= age
}

// The purposes keep one kind of signature from passing for another.
const (
	forOffer     = "sojourn dbsc offer"
	forChallenge = "sojourn dbsc challenge"
	forCookie    = "sojourn dbsc cookie"
)

// challenge is what the next proof has to sign: newer than any that was used,
// also by a process whose clock is ahead.
func (k *binding) challenge(id sojourn.ID, now time.Time) string {
	at := time.UnixMicro(max(now.UnixMicro(), k.used+1))
	return stamp(k.secret[:], forChallenge, at, []byte(id), k.id[:])
}

// answers returns when a challenge was given, if it is ours and not too old.
func (k *binding) answers(id sojourn.ID, challenge string, now time.Time, age time.Duration) (at int64, ok bool) {
	t, ok := openStamp(k.secret[:], forChallenge, challenge, []byte(id), k.id[:])
	return t.UnixMicro(), ok && within(t, now, age)
}
