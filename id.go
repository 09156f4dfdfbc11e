package sojourn

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// An ID names a session: not secret, safe in logs and lists. Ours have 30
// characters of base64url, the first eight of which depend on the owner only,
// so that a store can keep a user's sessions together. IDs of other formats
// have shapes of their own.
type ID string

const (
	idTagBytes    = 6
	idRandomBytes = 16
	idBytes       = idTagBytes + idRandomBytes
	idChars       = 30 // base64url without padding of 22 bytes
	tagChars      = 8
)

var b64 = base64.RawURLEncoding.Strict()

// newID draws 16 random bytes behind the owner's tag; nobody's tag is random.
func newID(owner string, key []byte) ID {
	var raw [idBytes]byte
	rand.Read(raw[:]) // never fails: crypto/rand ends the program instead
	if owner != "" {
		copy(raw[:idTagBytes], ownerSum(owner, key))
	}
	var text [idChars]byte
	b64.Encode(text[:], raw[:])
	return ID(text[:])
}

func ownerSum(owner string, key []byte) []byte {
	const domain = "sojourn owner\x00"
	if len(key) > 0 {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(domain + owner))
		return mac.Sum(nil)
	}
	sum := sha256.Sum256([]byte(domain + owner))
	return sum[:]
}

// ParseID checks that s has the shape of an ID issued by this package, as a
// command line or an URL should before asking a store.
func ParseID(s string) (ID, error) {
	if len(s) == idChars {
		if _, err := b64.DecodeString(s); err == nil {
			return ID(s), nil
		}
	}
	return "", fmt.Errorf("%w: session id: expected %d characters of base64url", ErrInvalid, idChars)
}
