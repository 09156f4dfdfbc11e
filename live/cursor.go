package live

import (
	"crypto/rand"
	"encoding/base64"
	"strconv"
	"strings"
)

// A Position is a place in the log of one session: after the event with this
// offset. The zero value is no place at all. Clients see it as an opaque cursor.
type Position struct {
	// Epoch is random and made with the log, so that a place in a log that is
	// gone is never taken for one in its successor.
	Epoch string
	// Offset counts the events of the log, from 1; 0 is before the first.
	Offset uint64
}

const maxCursor = 64

// String is the cursor: "epoch.offset", "" for the zero value.
func (p Position) String() string {
	if p.Epoch == "" {
		return ""
	}
	return p.Epoch + "." + strconv.FormatUint(p.Offset, 10)
}

// ParsePosition reads a cursor. What is none gives false: the position of a
// client that knows nothing, and is told so.
func ParsePosition(cursor string) (p Position, ok bool) {
	epoch, offset, found := strings.Cut(cursor, ".")
	if !found || len(cursor) > maxCursor || epoch == "" || strings.Trim(epoch, alphabet) != "" {
		return Position{}, false
	}
	n, err := strconv.ParseUint(offset, 10, 63)
	if err != nil || offset != strconv.FormatUint(n, 10) { // one spelling each
		return Position{}, false
	}
	return Position{epoch, n}, true
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// NewEpoch makes the name of a new log, for implementers of Backplane: 48 random
// bits tell the logs of one session apart.
func NewEpoch() string {
	var b [6]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
