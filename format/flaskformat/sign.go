package flaskformat

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"strings"
	"time"
)

// Salts of the signatures, as in Flask and Flask-Session.
const (
	cookieSalt  = "cookie-session"
	sessionSalt = "flask-session"
)

// keys are derived from secrets: SECRET_KEY as bytes, of a text its UTF-8.
type keys [][]byte

// deriveKeys is what itsdangerous signs with: key_derivation="hmac".
func deriveKeys(secrets []string, salt string) keys {
	all := make(keys, len(secrets))
	for i, secret := range secrets {
		all[i] = mac([]byte(secret), salt)
	}
	return all
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha1.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// sign appends "." and the signature, with the first key.
func (k keys) sign(text string) string {
	return text + "." + base64.RawURLEncoding.EncodeToString(mac(k[0], text))
}

// unsign returns what was signed, and with which key; -1 if with none.
func (k keys) unsign(signed string) (text string, key int) {
	i := strings.LastIndexByte(signed, '.')
	if i < 0 {
		return "", -1
	}
	signature, err := pythonBase64(signed[i+1:])
	if err != nil {
		return "", -1
	}
	found := -1
	for n, one := range k {
		if hmac.Equal(mac(one, signed[:i]), signature) && found < 0 {
			found = n
		}
	}
	if found < 0 {
		return "", -1
	}
	return signed[:i], found
}

var errBase64 = errors.New("base64: incorrect padding")

// pythonBase64 decodes as Python's urlsafe_b64decode does after padding was added:
// both alphabets, what belongs to neither is skipped, and so are odd last bits.
func pythonBase64(s string) ([]byte, error) {
	s += "===="[:(4-len(s)%4)%4]
	out := make([]byte, 0, len(s)*3/4)
	var bits uint32
	quad, pads := 0, 0
	for i := range len(s) {
		c := s[i]
		if c == '=' {
			if pads++; quad >= 2 && quad+pads >= 4 {
				return out, nil
			}
			if quad < 2 {
				pads--
			}
			continue
		}
		v := sextet(c)
		if v > 63 {
			continue
		}
		pads = 0
		bits = bits<<6 | uint32(v)
		if quad++; quad > 1 {
			out = append(out, byte(bits>>(2*(4-quad))))
		}
		if quad == 4 {
			quad, bits = 0, 0
		}
	}
	if quad != 0 {
		return nil, errBase64
	}
	return out, nil
}

func sextet(c byte) byte {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A'
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26
	case c >= '0' && c <= '9':
		return c - '0' + 52
	case c == '-' || c == '+':
		return 62
	case c == '_' || c == '/':
		return 63
	}
	return 64
}

// stamp is a time as itsdangerous writes it: the second, big-endian, without
// leading zero bytes.
func stamp(t time.Time) string {
	var b []byte
	for n := t.Unix(); n > 0; n >>= 8 {
		b = append([]byte{byte(n)}, b...)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func unstamp(s string) (t time.Time, ok bool) {
	b, err := pythonBase64(s)
	if err != nil || len(b) > 7 {
		return t, false
	}
	var n int64
	for _, c := range b {
		n = n<<8 | int64(c)
	}
	return time.Unix(n, 0), true
}
