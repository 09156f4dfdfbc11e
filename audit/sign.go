package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

// Webhooks are signed as the Standard Webhooks specification 1.0 says:
// webhook-signature holds "v1," and the base64 of HMAC-SHA256 over
// "<webhook-id>.<webhook-timestamp>.<body>", once for each secret.
const (
	headerID        = "Webhook-Id"
	headerTime      = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"

	secretPrefix = "whsec_"
	tolerance    = 5 * time.Minute
)

// A Secret signs webhooks. It never prints.
type Secret struct{ keys *hidden }

// hidden keeps keys two pointers deep: where fmt cannot call Format, as in an
// unexported field, it follows one.
type hidden struct{ list *[][]byte }

// ParseSecret reads whsec_ and the base64 of 24 to 64 random bytes. Several,
// separated by blanks, sign together, so that a receiver can go from one to the
// next. Its errors never quote them.
func ParseSecret(text string) (Secret, error) {
	var keys [][]byte
	for one := range strings.FieldsSeq(text) {
		rest, ours := strings.CutPrefix(one, secretPrefix)
		key, err := base64.StdEncoding.DecodeString(rest)
		if !ours || err != nil || len(key) < 24 || len(key) > 64 {
			return Secret{}, fmt.Errorf("%w: webhook secret: expected %s and the base64 of 24 to 64 random bytes", sojourn.ErrInvalid, secretPrefix)
		}
		distinct := map[byte]bool{}
		for _, b := range key {
			distinct[b] = true
		}
		if len(distinct) < 12 { // 24 random bytes have fewer once in 10^10
			return Secret{}, fmt.Errorf("%w: webhook secret: a placeholder, expected random bytes", sojourn.ErrInvalid)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return Secret{}, fmt.Errorf("%w: webhook secret: none, expected %s and the base64 of 24 to 64 random bytes", sojourn.ErrInvalid, secretPrefix)
	}
	return Secret{&hidden{&keys}}, nil
}

// Format prints a mask, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, secretPrefix+"…") }

// LogValue is a mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(secretPrefix + "…") }

// MarshalText is a mask: a secret does not survive being encoded.
func (s Secret) MarshalText() ([]byte, error) { return []byte(secretPrefix + "…"), nil }

// sign sets the three headers.
func (s Secret) sign(h http.Header, id string, at time.Time, body []byte) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	var all []string
	for _, key := range *s.keys.list {
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac(key, id, stamp, body)))
	}
	h.Set(headerID, id)
	h.Set(headerTime, stamp)
	h.Set(headerSignature, strings.Join(all, " "))
}

func mac(key []byte, id, stamp string, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + stamp + "."))
	m.Write(body)
	return m.Sum(nil)
}

// Verify tells a receiver whether a webhook with these headers and this body, as it
// came, is from who has the secret, and not older or newer than five minutes. The
// same one may come more than once: its Webhook-Id tells.
func Verify(s Secret, h http.Header, body []byte, now time.Time) error {
	id, stamp := h.Get(headerID), h.Get(headerTime)
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" || s.keys == nil {
		return fmt.Errorf("audit: verify: %w: webhook without ID, time or secret", sojourn.ErrInvalid)
	}
	if age := now.Sub(time.Unix(unix, 0)); age.Abs() > tolerance {
		return fmt.Errorf("audit: verify: %w: webhook of another time", sojourn.ErrInvalid)
	}
	for one := range strings.FieldsSeq(h.Get(headerSignature)) {
		text, _ := strings.CutPrefix(one, "v1,")
		given, err := base64.StdEncoding.DecodeString(text)
		for _, key := range *s.keys.list {
			if err == nil && hmac.Equal(given, mac(key, id, stamp, body)) {
				return nil
			}
		}
	}
	return fmt.Errorf("audit: verify: %w: webhook with a wrong signature", sojourn.ErrInvalid)
}
