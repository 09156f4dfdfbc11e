package flaskformat

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/rawjson"
)

// Options are those of a Flask application whose session is its cookie.
type Options struct {
	// Secrets are SECRET_KEY and then SECRET_KEY_FALLBACKS: the first signs, any of
	// them is accepted. (Flask 3.1.0 signs with a fallback; so all are needed.)
	Secrets []string
	// Cookie as in the application. Default: session, Path=/, HttpOnly.
	Cookie format.Cookie
	// Lifetime is PERMANENT_SESSION_LIFETIME, the age at which Flask refuses a
	// cookie, also one that is not permanent. Default 31 days.
	Lifetime time.Duration
	// Permanent makes new sessions permanent: the cookie outlives the browser's.
	Permanent bool
	// Owner is where the application writes down its user. Default "_user_id", as
	// Flask-Login does.
	Owner string
	// OwnerIsNumber: a login here writes the user as a number where it is one.
	OwnerIsNumber bool
	// Store has the options that all formats share.
	Store *format.Options
}

// New joins the format of the signed cookie with side; see format.New.
func New(side sojourn.Store, opt *Options) (*format.Store, error) {
	f, err := Format(opt)
	if err != nil {
		return nil, err
	}
	return format.New(f, nil, side, opt.Store)
}

type cookie struct {
	opt   Options
	keys  keys
	owner rawjson.Owner
}

// Format is the format of the signed cookie without a store, for tools.
func Format(opt *Options) (format.Format, error) {
	c := &cookie{}
	if opt != nil {
		c.opt = *opt
	}
	o := &c.opt
	o.Secrets = slices.Clone(o.Secrets)
	if len(o.Secrets) == 0 || slices.Contains(o.Secrets, "") {
		return nil, fmt.Errorf("flaskformat: new: %w: Options.Secrets, expected SECRET_KEY of the application", sojourn.ErrInvalid)
	}
	if o.Lifetime == 0 {
		o.Lifetime = 31 * 24 * time.Hour
	}
	if o.Lifetime < 2*time.Second {
		return nil, fmt.Errorf("flaskformat: new: %w: Options.Lifetime is %v, expected at least 2s", sojourn.ErrInvalid, o.Lifetime)
	}
	if err := o.Cookie.Settle("session"); err != nil {
		return nil, fmt.Errorf("flaskformat: new: %w", err)
	}
	c.keys = deriveKeys(o.Secrets, cookieSalt)
	c.owner = rawjson.Owner{Path: or(o.Owner, "_user_id"), Number: o.OwnerIsNumber}
	return c, nil
}

func (c *cookie) Describe() format.Description {
	d := format.Description{Name: "flask", System: "Flask", Cookie: c.opt.Cookie.Name, InCookie: true, Inner: true, Slides: c.opt.Permanent,
		Life: c.life(), Warning: "the session is the cookie: of parallel requests, the last answer wins"}
	if c.opt.Permanent {
		d.CookieLife = c.opt.Lifetime
	}
	return d
}

// life is a second short, so that cookies are signed as of a second ago: Flask refuses
// one from the future, and clocks differ.
func (c *cookie) life() time.Duration { return c.opt.Lifetime - time.Second }

// NewID names a cookie before there is one.
func (c *cookie) NewID() string { return rand.Text() }

func (c *cookie) Key(id string) string { return id }

// A record is the second at which it was signed, in decimal, a dot, and the JSON. A
// second to come tells a deadline that the cookie cannot say.

func splitRecord(record []byte) (signed time.Time, text []byte, err error) {
	second, text, ok := bytes.Cut(record, []byte{'.'})
	n, err := strconv.ParseInt(string(second), 10, 64)
	if !ok || err != nil {
		return signed, nil, corrupt("expected the second and the JSON")
	}
	return time.Unix(n, 0), text, nil
}

func joinRecord(signed time.Time, text []byte) []byte {
	return append(append(strconv.AppendInt(nil, signed.Unix(), 10), '.'), text...)
}

func (c *cookie) Decode(record []byte) (*format.Document, error) {
	signed, text, err := splitRecord(record)
	if err != nil {
		return nil, err
	}
	d, err := Parse(Tagged, text)
	if err != nil {
		return nil, err
	}
	doc, err := document(d, c.owner, c.life())
	if err == nil {
		doc.Expires = signed.Add(c.opt.Lifetime)
	}
	return doc, err
}

func (c *cookie) Encode(record []byte, e *format.Edit) ([]byte, error) {
	signed, text := e.Now, []byte("{}")
	if record != nil {
		var err error
		if signed, text, err = splitRecord(record); err != nil {
			return nil, err
		}
	}
	was, spaced := signed, bytes.HasSuffix(text, []byte{' '})
	if !e.Expires.IsZero() {
		signed = e.Expires.Add(-c.opt.Lifetime).Truncate(time.Second)
		if record != nil && !signed.After(was) && e.Expires.After(was.Add(c.opt.Lifetime)) {
			signed = was.Add(time.Second) // later is later, if only by a part of a second
		}
	}
	d, err := Parse(Tagged, text)
	if err != nil {
		return nil, err
	}
	if text, err = edit(d, e, c.owner, record == nil && c.opt.Permanent); err != nil {
		return nil, err
	}
	if record != nil && signed.After(was) && signed.After(e.Now) {
		// The cookie will be signed as of now, and so perhaps be the one that it
		// replaces: a space, which means nothing, tells them apart.
		if text = bytes.TrimRight(text, " "); !spaced {
			text = append(text, ' ')
		}
	}
	return joinRecord(signed, text), nil
}

func (c *cookie) Check(key string, value []byte) error { return check(Tagged, key, value) }

func (c *cookie) ReadCookies(r *http.Request, now time.Time) format.Presented {
	p := format.Presented{Secret: -1}
	var text string
	if text, p.Count = c.opt.Cookie.Find(r, c.opt.Cookie.Name); p.Count == 0 {
		p.Reason = format.NoCookie + ": there is no cookie " + c.opt.Cookie.Name
		return p
	}
	signed, at := c.keys.unsign(text)
	dot := strings.LastIndexByte(signed, '.')
	if at < 0 {
		p.Reason = format.BadSignature + ": none of the secrets fits"
		return p
	}
	p.Secret = at
	if dot < 0 {
		p.Reason = format.BadSignature + ": it is signed, but without a time"
		return p
	}
	when, ok := unstamp(signed[dot+1:])
	age := now.Unix() - when.Unix()
	switch {
	case !ok:
		p.Reason = format.BadSignature + ": its time cannot be read"
		return p
	case age < 0:
		p.Reason = fmt.Sprintf("%s: it was signed %d s in the future: the clocks of the machines disagree", format.Expired, -age)
	case time.Duration(age) > c.opt.Lifetime/time.Second:
		p.Reason = format.Expired + ": it was signed at " + when.UTC().Format(time.RFC3339)
	}
	text, err := unpack(signed[:dot])
	if err != nil {
		p.Reason = format.Malformed + ": " + err.Error()
		return p
	}
	p.Record, p.Expires = joinRecord(when, []byte(text)), when.Add(c.opt.Lifetime)
	if p.Reason == "" {
		p.ID = c.nameOf(signed, p.Record)
	}
	return p
}

// nameOf is the ID of a cookie, which has none of its own: a hash of it. Cookies of
// visitors are alike if they hold the same and are of the same second, and the end
// of one must not be that of others; so they get a name for this request only.
func (c *cookie) nameOf(signed string, record []byte) string {
	if doc, err := c.Decode(record); err == nil && doc.Owner == "" {
		return rand.Text()
	}
	sum := sha256.Sum256([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

var errTooLong = errors.New("what it holds is longer than a session may be")

// unpack is the payload: base64, and compressed if it begins with a dot. It is to
// be called only for what is signed.
func unpack(payload string) (string, error) {
	packed, compressed := strings.CutPrefix(payload, ".")
	b, err := pythonBase64(packed)
	if err != nil || !compressed {
		return string(b), err
	}
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return "", fmt.Errorf("decompressing: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, MaxSize+1))
	if err != nil {
		return "", fmt.Errorf("decompressing: %w", err)
	}
	if len(text) > MaxSize {
		return "", errTooLong
	}
	return string(text), nil
}

// pack compresses where that is shorter.
func pack(text []byte) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(text)
	z.Close()
	if b.Len() < len(text)-1 {
		return "." + base64.RawURLEncoding.EncodeToString(b.Bytes())
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// maxCookie is what browsers keep of one cookie, its name and attributes included.
const maxCookie = 4096

func (c *cookie) WriteCookies(o *format.Outgoing) ([]string, error) {
	if o.Drop {
		return []string{c.opt.Cookie.Line(c.opt.Cookie.Name, "", -1, o.Now)}, nil
	}
	signed, text, err := splitRecord(o.Record)
	if err != nil {
		return nil, err
	}
	if signed.After(o.Now) {
		signed = o.Now
	}
	line := c.opt.Cookie.Line(c.opt.Cookie.Name, c.keys.sign(pack(text)+"."+stamp(signed)), o.Life, o.Now)
	if len(line) > maxCookie {
		return nil, fmt.Errorf("flaskformat: %w: the cookie would have %d bytes, browsers keep %d", sojourn.ErrTooLarge, len(line), maxCookie)
	}
	return []string{line}, nil
}
