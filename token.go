package sojourn

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
)

const (
	secretBytes = 20
	tokenBytes  = idBytes + secretBytes
	tokenChars  = 56 // base64url of 42 bytes: no padding, no spare bits
)

type (
	secret [secretBytes]byte
	digest [sha256.Size]byte
)

// A Token is what a client presents: the session's ID and a secret. It prints
// as its ID only, however it is formatted, logged or encoded; Reveal gives the
// text for the cookie.
type Token struct {
	id     ID
	secret *hidden
}

// hidden keeps a secret two pointers deep: where fmt cannot call Format, as in
// an unexported field, it follows one.
type hidden struct {
	*secret
	text string // instead of it, where the form is another system's
}

func (s *secret) hide() *hidden { return &hidden{secret: s} }

// newToken draws a token for a new session of owner.
func newToken(owner string, key []byte) Token {
	var t struct {
		hidden
		random [idBytes + secretBytes]byte
		secret
	}
	rand.Read(t.random[:]) // never fails: crypto/rand ends the program instead
	copy(t.secret[:], t.random[idBytes:])
	t.hidden.secret = &t.secret
	return Token{newID(owner, key, t.random[:idBytes]), &t.hidden}
}

// ParseToken reads the 56 characters of a cookie. It accepts exactly one
// spelling of each token.
func ParseToken(s string) (Token, error) {
	sec := new(secret)
	id, ok := splitToken(s, sec)
	if !ok {
		return Token{}, fmt.Errorf("%w: token: expected %d characters of base64url", ErrInvalid, tokenChars)
	}
	return Token{id, sec.hide()}, nil
}

// splitToken puts the secret half into sec.
func splitToken(s string, sec *secret) (id ID, ok bool) {
	if len(s) != tokenChars {
		return "", false
	}
	var raw [tokenBytes]byte
	var all byte
	in, out := s, raw[:]
	for len(in) >= 4 && len(out) >= 3 { // by hand: no copy of s, no newline tolerance
		a, b, c, d := unb64[in[0]], unb64[in[1]], unb64[in[2]], unb64[in[3]]
		all |= a | b | c | d
		out[0], out[1], out[2] = a<<2|b>>4, b<<4|c>>2, c<<6|d
		in, out = in[4:], out[3:]
	}
	if all > 63 {
		return "", false
	}
	copy(sec[:], raw[idBytes:])
	// 22 bytes end inside a group of four characters, so the ID's last two
	// characters are not always a prefix of the token's.
	var text [idChars]byte
	copy(text[:], s[:idChars-2])
	b64.Encode(text[idChars-2:], raw[idBytes-1:idBytes])
	return ID(text[:]), true
}

// unb64 maps a base64url character to its value, any other to 255.
var unb64 = func() (table [256]byte) {
	for i := range table {
		table[i] = 255
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		table[c] = byte(i)
	}
	return table
}()

// ID is the public half.
func (t Token) ID() ID { return t.id }

// Reveal returns the token as the cookie carries it. Whoever has this text has
// the session: never log it, never put it into a URL.
func (t Token) Reveal() string {
	var text [tokenChars]byte
	return string(t.appendTo(text[:0]))
}

func (t Token) appendTo(b []byte) []byte {
	if t.secret != nil && t.secret.text != "" {
		return append(b, t.secret.text...)
	}
	var raw [tokenBytes + 2]byte // room for what a malformed ID would decode to
	if len(t.id) != idChars || t.secret == nil {
		return b
	}
	if _, err := b64.Decode(raw[:], []byte(t.id)); err != nil {
		return b
	}
	copy(raw[idBytes:], t.secret.secret[:])
	return b64.AppendEncode(b, raw[:tokenBytes])
}

// Format prints the ID and a mask, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { fmt.Fprint(f, t.masked()) }

// LogValue is the masked form.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.masked()) }

// MarshalText is the masked form: a token does not survive being encoded.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.masked()), nil }

func (t Token) masked() string { return t.id.Masked() + "…" }

func newSecret() *secret {
	s := new(secret)
	rand.Read(s[:])
	return s
}

// hash is what a record keeps of a secret. 160 random bits need no salt.
func (s *secret) hash() *digest {
	sum := digest(sha256.Sum256(s[:]))
	return &sum
}

// successor derives the secret that follows s. A record keeps only the seed:
// whoever reads the store cannot compute it without s, whereas every request
// that presents s is given the same successor.
func (s *secret) successor(seed []byte) (next secret) {
	mac := hmac.New(sha256.New, s[:])
	mac.Write([]byte("sojourn next"))
	mac.Write(seed)
	copy(next[:], mac.Sum(nil))
	return next
}

func (d *digest) equal(o *digest) bool { return subtle.ConstantTimeCompare(d[:], o[:]) == 1 }
