package seal

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"

	"github.com/sojournhq/sojourn"
)

// The text of a key is sk1_, its ID, _, and 32 bytes in base64url:
//
//	sk1_xxxxxxxx_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
//
// The ID is 8 characters of lower-case base32, derived from the key. So it is the
// text's checksum, too, and two keys never share one.
const (
	keyBytes   = 32
	keyIDBytes = 5
	keyIDChars = 8
	keyPrefix  = "sk1_"
	keyChars   = len(keyPrefix) + keyIDChars + 1 + 43
)

var (
	b32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	b64 = base64.RawURLEncoding.Strict()
)

type keyID [keyIDBytes]byte

func (id keyID) String() string { return b32.EncodeToString(id[:]) }

// A Key is a secret of 32 random bytes. It prints as its ID only, however it is
// formatted, logged or encoded; Reveal gives its text. The zero Key is none.
type Key struct {
	id     keyID
	secret *hidden
}

// hidden keeps a secret two pointers deep: where fmt cannot call Format, as in an
// unexported field, it follows one.
type hidden struct{ array *[keyBytes]byte }

// GenerateKey draws a new key.
func GenerateKey() Key {
	for {
		secret := new([keyBytes]byte)
		rand.Read(secret[:]) // never fails: crypto/rand ends the program instead
		if weakness(secret[:]) == "" {
			return newKey(secret)
		}
	}
}

// NewKey makes a key of 32 bytes that come from a cryptographic random source or a
// key management service. It copies them. What is no random key is refused with
// [sojourn.ErrInvalid]: other lengths, text, repetitions, published examples.
func NewKey(secret []byte) (Key, error) {
	if why := weakness(secret); why != "" {
		return Key{}, fmt.Errorf("%w: key: %s; \"sojourn keys new\" makes a good one", sojourn.ErrInvalid, why)
	}
	return newKey((*[keyBytes]byte)(append([]byte(nil), secret...))), nil
}

func newKey(secret *[keyBytes]byte) Key {
	k := Key{secret: &hidden{secret}}
	copy(k.id[:], derive(secret[:], "sojourn seal key name 1", keyIDBytes))
	return k
}

// derive is HKDF of RFC 5869, whole.
func derive(secret []byte, info string, n int) []byte {
	out, err := hkdf.Key(sha256.New, secret, nil, info, n)
	if err != nil { // only for lengths that nobody asks for
		panic(err)
	}
	return out
}

// ParseKey reads the text of a key. Its errors never quote it.
func ParseKey(text string) (Key, error) {
	bad := func(what string) (Key, error) { return Key{}, fmt.Errorf("%w: key: %s", sojourn.ErrInvalid, what) }
	rest, ours := strings.CutPrefix(text, keyPrefix)
	switch {
	case !ours:
		return bad("expected one that begins with " + keyPrefix + "; \"sojourn keys new\" makes one")
	case len(text) != keyChars || rest[keyIDChars] != '_':
		return bad(fmt.Sprintf("expected %d characters, %s, an ID and 32 bytes of base64url; some were lost or added", keyChars, keyPrefix))
	}
	secret, err := b64.DecodeString(rest[keyIDChars+1:])
	if err != nil || len(secret) != keyBytes {
		return bad("its secret half is not base64url of 32 bytes")
	}
	k, err := NewKey(secret)
	if err != nil {
		return Key{}, err
	}
	if k.ID() != rest[:keyIDChars] {
		return bad("its ID does not belong to it: a character was changed on the way; copy it again")
	}
	return k, nil
}

// ID names the key: not secret, safe in logs, written beside all that it seals.
func (k Key) ID() string {
	if k.secret == nil {
		return ""
	}
	return k.id.String()
}

// Reveal returns the key's text, for its file. Whoever has it can read and forge
// all that the key seals.
func (k Key) Reveal() string {
	if k.secret == nil {
		return ""
	}
	return keyPrefix + k.id.String() + "_" + b64.EncodeToString(k.secret.array[:])
}

// Format prints the ID and a mask, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) { fmt.Fprint(f, k.masked()) }

// LogValue is the masked form.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.masked()) }

// MarshalText is the masked form: a key does not survive being encoded.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.masked()), nil }

func (k Key) masked() string { return keyPrefix + k.ID() + "_…" }
