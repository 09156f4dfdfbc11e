package cookiestore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/sojournhq/sojourn"
)

// A sealed record is, in base64url without padding:
//
//	version 1 · key (4 bytes) · nonce (12) · ciphertext · tag (16)
//
// The nonce is random, so one key may seal 2^32 records (NIST SP 800-38D §8.3).
// Authenticated with it, beyond what it shows: the cookie's name and the session's
// ID, so that a record opens nowhere else.
const (
	sealVersion = 1
	keyIDBytes  = 4
	sealHead    = 1 + keyIDBytes
	sealExtra   = sealHead + 12 + 16
)

var b64 = base64.RawURLEncoding.Strict()

// keyring seals with its first key and opens with all.
type keyring []ringKey

type ringKey struct {
	id   [keyIDBytes]byte
	aead cipher.AEAD
}

func newKeyring(secrets [][]byte) (keyring, error) {
	if len(secrets) == 0 {
		return nil, fmt.Errorf("%w: keys: none, expected one to seal with, 32 random bytes", sojourn.ErrInvalid)
	}
	var ring keyring
	seen := map[string]int{}
	for i, secret := range secrets {
		if len(secret) < 32 {
			return nil, fmt.Errorf("%w: keys[%d] has %d bytes, expected at least 32 random ones", sojourn.ErrInvalid, i, len(secret))
		}
		distinct := map[byte]bool{}
		for _, b := range secret {
			distinct[b] = true
		}
		if len(distinct) < 10 { // 32 random bytes have fewer once in 10^30
			return nil, fmt.Errorf("%w: keys[%d] repeats few bytes: it is a placeholder, expected random ones", sojourn.ErrInvalid, i)
		}
		if first, twice := seen[string(secret)]; twice {
			return nil, fmt.Errorf("%w: keys[%d] is keys[%d] again", sojourn.ErrInvalid, i, first)
		}
		seen[string(secret)] = i
		k, err := newRingKey(secret)
		if err != nil {
			return nil, err
		}
		ring = append(ring, k)
	}
	return ring, nil
}

// newRingKey derives the key and its public name, so that a secret may serve
// elsewhere, too.
func newRingKey(secret []byte) (k ringKey, err error) {
	derived, err := hkdf.Key(sha256.New, secret, nil, "sojourn cookiestore key 1", 32)
	if err != nil {
		return k, err
	}
	name, err := hkdf.Key(sha256.New, secret, nil, "sojourn cookiestore key name 1", keyIDBytes)
	if err != nil {
		return k, err
	}
	copy(k.id[:], name)
	block, err := aes.NewCipher(derived)
	clear(derived)
	if err == nil {
		k.aead, err = cipher.NewGCMWithRandomNonce(block)
	}
	return k, err
}

// binding is what a seal is bound to.
func binding(head []byte, cookie string, id sojourn.ID) []byte {
	b := append([]byte("sojourn cookiestore\x00"), head...)
	b = binary.AppendUvarint(b, uint64(len(cookie)))
	b = append(b, cookie...)
	return append(b, id...)
}

func (r keyring) seal(cookie string, id sojourn.ID, plain []byte) string {
	k := r[0]
	b := make([]byte, 0, sealExtra+len(plain))
	b = append(b, sealVersion)
	b = append(b, k.id[:]...)
	b = k.aead.Seal(b, nil, plain, binding(b, cookie, id))
	return b64.EncodeToString(b)
}

// open returns what was sealed for that cookie and ID. known is false if no key of
// the ring has the name that the text shows.
func (r keyring) open(cookie string, id sojourn.ID, text string) (plain []byte, known, ok bool) {
	b, err := b64.DecodeString(text)
	if err != nil || len(b) < sealExtra || b[0] != sealVersion {
		return nil, true, false
	}
	for _, k := range r {
		if [keyIDBytes]byte(b[1:sealHead]) != k.id {
			continue
		}
		known = true
		plain, err = k.aead.Open(nil, nil, b[sealHead:], binding(b[:sealHead], cookie, id))
		if err == nil {
			return plain, true, true
		}
	}
	return nil, known, false
}
