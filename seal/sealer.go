package seal

import (
	"encoding/binary"
	"fmt"
)

// What is sealed is
//
//	format 0xe1 · key ID (5 bytes) · nonce (12) · ciphertext · tag (16)
//
// under a key derived from the ring's key, the purpose and the subject.
// Authenticated with it are the first two fields and, each behind its length, the
// purpose, the subject and what else it is bound to. The key's derivation alone
// would tell purposes and subjects apart; so would this.
const (
	formatByte = 0xe1 // no payload and no tombstone of the core begins like this
	headBytes  = 1 + keyIDBytes
	sealBytes  = headBytes + 12 + 16
)

// Overhead is by how many bytes sealing makes a payload longer.
const Overhead = sealBytes

// A Sealer seals for one purpose: what one purpose has sealed opens for no other.
// Packages with secrets of their own to keep can use it through an interface of
// its two methods. It follows its ring when that is replaced, and is safe for
// parallel use.
type Sealer struct {
	ring    *Ring
	purpose string
}

// Sealer returns the sealer of a purpose, a constant of the caller's such as
// "myapp remember-me 1".
func (r *Ring) Sealer(purpose string) *Sealer { return &Sealer{r, purpose} }

// Seal encrypts plain for a subject, such as a session's ID, and binds it to
// further facts that Open must be told, too. One key may seal 2^32 times for one
// subject, and for any number of subjects.
func (s *Sealer) Seal(subject string, plain []byte, bind ...string) ([]byte, error) {
	k := s.ring.keys.Load()
	if k == nil {
		return nil, errNoRing
	}
	e := k.list[0]
	b := make([]byte, headBytes, sealBytes+len(plain))
	b[0] = formatByte
	copy(b[1:], e.id[:])
	sealed := e.aead(s.info(subject)).Seal(b, nil, plain, s.bound(b[:headBytes], subject, bind))
	e.sealed.Add(1)
	return sealed, nil
}

// Open gives back what Seal was given. It fails with [ErrUnsealed], [ErrUnknownKey]
// or [ErrForged], and then returns nothing.
func (s *Sealer) Open(subject string, sealed []byte, bind ...string) ([]byte, error) {
	k := s.ring.keys.Load()
	if k == nil {
		return nil, errNoRing
	}
	id, ok := keyOf(sealed)
	if !ok {
		return nil, ErrUnsealed
	}
	e := k.byID[id]
	if e == nil {
		return nil, fmt.Errorf("%w: %s", ErrUnknownKey, id)
	}
	plain, err := e.aead(s.info(subject)).Open(nil, nil, sealed[headBytes:], s.bound(sealed[:headBytes], subject, bind))
	if err != nil {
		return nil, ErrForged
	}
	e.opened.Add(1)
	return plain, nil
}

// keyOf reads which key sealed something. Nothing vouches for it.
func keyOf(sealed []byte) (id keyID, ok bool) {
	if len(sealed) < sealBytes || sealed[0] != formatByte {
		return id, false
	}
	return keyID(sealed[1:headBytes]), true
}

func (s *Sealer) info(subject string) string {
	b := make([]byte, 0, 128)
	b = append(b, "sojourn seal 1\x00"...)
	return string(appendText(appendText(b, s.purpose), subject))
}

func (s *Sealer) bound(head []byte, subject string, bind []string) []byte {
	b := make([]byte, 0, 192)
	b = append(b, "sojourn seal 1\x00"...)
	b = appendText(appendText(append(b, head...), s.purpose), subject)
	for _, one := range bind {
		b = appendText(b, one)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
