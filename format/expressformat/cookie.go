package expressformat

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sojournhq/sojourn/format"
)

// sign makes the signed form of package cookie-signature: id.HMAC-SHA256, in base64
// without padding.
func sign(id, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(id))
	return id + "." + base64.RawStdEncoding.EncodeToString(mac.Sum(nil))
}

func (e *express) ReadCookies(r *http.Request, _ time.Time) format.Presented {
	p := format.Presented{Secret: -1}
	var value string
	if value, p.Count = e.opt.Cookie.Find(r, e.opt.Cookie.Name); p.Count == 0 {
		p.Reason = format.NoCookie + ": there is no cookie " + e.opt.Cookie.Name
		return p
	}
	if strings.Contains(value, "%") { // as package cookie does
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
		}
	}
	signed, ok := strings.CutPrefix(value, "s:")
	dot := strings.LastIndexByte(signed, '.')
	if !ok || dot < 0 {
		p.Reason = format.BadSignature + `: the cookie is not signed: it does not look like "s:ID.SIGNATURE"`
		return p
	}
	id := signed[:dot]
	for i, secret := range e.opt.Secrets {
		if hmac.Equal([]byte(sign(id, secret)), []byte(signed)) {
			p.Secret = i
			break
		}
	}
	switch {
	case p.Secret < 0:
		p.Reason = format.BadSignature + ": none of the secrets fits the cookie's signature"
	case id == "" || !utf8.ValidString(id) || strings.ContainsRune(id, 0):
		p.Reason = format.Malformed + ": the ID is no text"
	default:
		p.ID = id
	}
	return p
}

func (e *express) WriteCookies(o *format.Outgoing) ([]string, error) {
	value := ""
	if !o.Drop {
		value = escape("s:" + sign(o.ID, e.opt.Secrets[0]))
	}
	return []string{e.opt.Cookie.Line(e.opt.Cookie.Name, value, o.Pick(), o.Now)}, nil
}

// escape is encodeURIComponent.
func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.!~*'()", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}
