package sojourn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// An ID names a session: not secret, safe in logs and lists. Ours have 30
// characters of base64url, the first eight of which depend on the owner only,
// so that a store can keep a user's sessions together. IDs of other formats
// have shapes of their own. They may be all that a client presents: see Masked.
type ID string

const (
	idTagBytes    = 6
	idRandomBytes = 16
	idBytes       = idTagBytes + idRandomBytes
	idChars       = 30 // base64url without padding of 22 bytes
	tagChars      = 8
)

var b64 = base64.RawURLEncoding.Strict()

// newID makes an ID of 22 random bytes, the first six of which give way to the
// tag of an owner.
func newID(owner string, key, random []byte) ID {
	if owner != "" {
		copy(random[:idTagBytes], ownerSum(owner, key))
	}
	var text [idChars]byte
	b64.Encode(text[:], random)
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

// Validate checks that id has the shape of one issued by this package, as a
// command line or a URL should before asking a store.
func (id ID) Validate() error {
	if len(id) == idChars {
		if _, err := b64.DecodeString(string(id)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%w: session id: expected %d characters of base64url", ErrInvalid, idChars)
}

// Masked is what a log may show: id itself if it has the shape of ours, else a
// hash of it in 16 characters of base64url, the same each time.
func (id ID) Masked() string {
	if id == "" || id.Validate() == nil {
		return string(id)
	}
	sum := sha256.Sum256([]byte("sojourn masked id\x00" + string(id)))
	return b64.EncodeToString(sum[:12])
}
