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
