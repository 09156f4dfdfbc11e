package webapi

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/sojournhq/sojourn"
)

const handleBytes = 12

// handle is what a page sees of a session's ID: 16 characters that stay the
// same as long as the session does, on every node and over restarts, and that
// cannot be turned back. It needs no key: an ID holds at least 128 random bits,
// so there is nothing to guess, and in a foreign format, where the ID itself may
// be the credential, the hash keeps it from scripts.
func handle(id sojourn.ID) string {
	if id == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("sojourn browser handle\x00" + string(id)))
	return base64.RawURLEncoding.EncodeToString(sum[:handleBytes])
}

// userHandle names a session's user to its page: the same in all of the user's
// sessions, so that a page can tell after a new login whether what it kept is
// still the same person's. Whoever knows the user id can compute it, and whoever
// can guess the id can check the guess; a page of the user's knows the id anyway.
func userHandle(owner string) string {
	if owner == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("sojourn browser user\x00" + owner))
	return base64.RawURLEncoding.EncodeToString(sum[:handleBytes])
}
