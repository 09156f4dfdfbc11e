package koaformat

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
)

// Options are those of the application.
type Options struct {
	// Keys are app.keys: the first signs, any of them is accepted.
	Keys []string
	// Hash and Encoding are Keygrip's, where app.keys is one with others: "sha1",
	// "sha256" or "sha512", and "base64" or "hex". Default sha1, base64.
	Hash, Encoding string
	// Cookie as in the application. Default: koa.sess, or koa.sid for
	// koa-generic-session; Path=/, HttpOnly.
	Cookie format.Cookie
	// MaxAge is maxAge, of koa-generic-session cookie.maxAge. Default 24 h.
	MaxAge time.Duration
	// BrowserSession is maxAge: 'session', of koa-generic-session cookie.maxAge: null.
	BrowserSession bool
	// Prefix of koa-session's keys, default none, or of koa-generic-session's,
	// default "koa:sess:".
	Prefix string
	// Rolling and Renew as in the application.
	Rolling, Renew bool
	// Owner is where the application writes down its user, a string or a number.
	// Default "passport.user".
	Owner string
	// OwnerIsNumber: a login here writes the user as a number where it is one.
	OwnerIsNumber bool
	// Store has the options that all formats share.
	Store *format.Options
}

func (o *Options) settle(cookie string) error {
	o.Keys = slices.Clone(o.Keys)
	if len(o.Keys) == 0 || slices.Contains(o.Keys, "") {
		return fmt.Errorf("koaformat: new: %w: Options.Keys, expected app.keys, none of them empty", sojourn.ErrInvalid)
	}
	if o.Hash == "" {
		o.Hash = "sha1"
	}
	if o.Encoding == "" {
		o.Encoding = "base64"
	}
	if hashes[o.Hash] == nil || o.Encoding != "base64" && o.Encoding != "hex" {
		return fmt.Errorf("koaformat: new: %w: Options.Hash %q and Encoding %q, expected sha1, sha256 or sha512, and base64 or hex", sojourn.ErrInvalid, o.Hash, o.Encoding)
	}
	if err := o.Cookie.Settle(cookie); err != nil {
		return fmt.Errorf("koaformat: new: %w", err)
	}
	if o.MaxAge == 0 {
		o.MaxAge = 24 * time.Hour
	}
	if o.MaxAge < time.Second {
		return fmt.Errorf("koaformat: new: %w: Options.MaxAge is %v, expected at least 1s", sojourn.ErrInvalid, o.MaxAge)
	}
	if o.Owner == "" {
		o.Owner = "passport.user"
	}
	return nil
}

func (o *Options) cookieLife() time.Duration {
	if o.BrowserSession {
		return 0
	}
	return o.MaxAge
}

var hashes = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

// sign is Keygrip's.
func (o *Options) sign(text, key string) string {
	mac := hmac.New(hashes[o.Hash], []byte(key))
	mac.Write([]byte(text))
	if o.Encoding == "hex" {
		return hex.EncodeToString(mac.Sum(nil))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// read returns the value of the cookie, if a key has signed it.
func (o *Options) read(r *http.Request) (value string, p format.Presented) {
	p.Secret = -1
	name := o.Cookie.Name
	value, p.Count = o.Cookie.Find(r, name)
	sig, n := o.Cookie.Find(r, name+".sig")
	switch {
	case p.Count == 0:
		p.Reason = format.NoCookie + ": there is no cookie " + name
		return "", p
	case n == 0:
		p.Reason = format.BadSignature + ": there is no cookie " + name + ".sig, so nothing vouches for the other"
		return "", p
	}
	for i, key := range o.Keys {
		if hmac.Equal([]byte(o.sign(name+"="+value, key)), []byte(sig)) {
			p.Secret = i
			return value, p
		}
	}
	p.Reason = format.BadSignature + ": none of the keys fits the cookie's signature"
	return "", p
}

// write returns the cookie and its signature.
func (o *Options) write(value string, out *format.Outgoing) []string {
	name := o.Cookie.Name
	if out.Drop {
		value = ""
	}
	sig := o.sign(name+"="+value, o.Keys[0])
	if out.Drop {
		sig = ""
	}
	return []string{o.Cookie.Line(name, value, out.Pick(), out.Now), o.Cookie.Line(name+".sig", sig, out.Pick(), out.Now)}
}

func text(id string) bool {
	return id != "" && !strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r > '~' })
}
