package flaskformat

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/rawjson"
)

// SessionOptions are those of an application that uses Flask-Session with Redis.
type SessionOptions struct {
	// Secrets are SECRET_KEY, with SESSION_USE_SIGNER; Flask-Session knows of no
	// fallbacks, so the first counts, and others are for a change of it. Default
	// none: the cookie is not signed.
	Secrets []string
	// Cookie as in the application. Default: session, Path=/, HttpOnly.
	Cookie format.Cookie
	// Prefix is SESSION_KEY_PREFIX. Default "session:".
	Prefix string
	// Lifetime is PERMANENT_SESSION_LIFETIME. Default 31 days.
	Lifetime time.Duration
	// Browser makes new sessions end with the browser: SESSION_PERMANENT=False.
	Browser bool
	// Form in which new records are written: SESSION_SERIALIZATION_FORMAT of
	// Flask-Session 0.8, Msgpack or JSON; Pickle for older versions. Others are
	// read and kept all the same. Default Msgpack.
	Form Form
	// Pickle allows records that are pickles. They are only read: nothing in them is
	// ever run. Default false: such a record is sojourn.ErrUnsupported.
	Pickle bool
	// WritePickle allows to append to and to replace in pickles. It implies Pickle.
	// Default false.
	WritePickle bool
	// Owner is where the application writes down its user. Default "_user_id", as
	// Flask-Login does.
	Owner string
	// OwnerIsNumber: a login here writes the user as a number where it is one.
	OwnerIsNumber bool
	// Store has the options that all formats share.
	Store *format.Options
}

// NewSession joins the format of Flask-Session with its keeper, which is usually a
// rediskeeper; see format.New for side.
func NewSession(keeper format.Keeper, side sojourn.Store, opt *SessionOptions) (*format.Store, error) {
	f, err := SessionFormat(opt)
	if err != nil {
		return nil, err
	}
	return format.New(f, keeper, side, f.(*session).opt.Store)
}

type session struct {
	opt   SessionOptions
	keys  keys
	owner rawjson.Owner
}

// SessionFormat is the format of Flask-Session without a store, for tools.
func SessionFormat(opt *SessionOptions) (format.Format, error) {
	s := &session{}
	if opt != nil {
		s.opt = *opt
	}
	o := &s.opt
	if slices.Contains(o.Secrets, "") {
		return nil, fmt.Errorf("flaskformat: new: %w: SessionOptions.Secrets has an empty one", sojourn.ErrInvalid)
	}
	o.Prefix, o.Form, o.Owner = or(o.Prefix, "session:"), Form(or(string(o.Form), string(Msgpack))), or(o.Owner, "_user_id")
	switch o.Form {
	case JSON, Msgpack:
	case Pickle:
		o.Pickle, o.WritePickle = true, true
	default:
		return nil, fmt.Errorf("flaskformat: new: %w: SessionOptions.Form %q, expected msgpack, json or pickle", sojourn.ErrInvalid, string(o.Form))
	}
	o.Pickle = o.Pickle || o.WritePickle
	if o.Lifetime == 0 {
		o.Lifetime = 31 * 24 * time.Hour
	}
	if o.Lifetime < time.Second {
		return nil, fmt.Errorf("flaskformat: new: %w: SessionOptions.Lifetime is %v, expected at least 1s", sojourn.ErrInvalid, o.Lifetime)
	}
	if err := o.Cookie.Settle("session"); err != nil {
		return nil, fmt.Errorf("flaskformat: new: %w", err)
	}
	s.keys = deriveKeys(o.Secrets, sessionSalt)
	s.owner = rawjson.Owner{Path: o.Owner, Number: o.OwnerIsNumber}
	return s, nil
}

func (s *session) Describe() format.Description {
	d := format.Description{Name: "flask-session", System: "Flask-Session", Cookie: s.opt.Cookie.Name, Slides: true, Rolling: !s.opt.Browser, Life: s.opt.Lifetime,
		Warning: "every request of Flask writes the whole session back as it read it before, even one that does not use it"}
	if !s.opt.Browser {
		d.CookieLife = s.opt.Lifetime
	}
	return d
}

// NewID draws an ID as Flask-Session 0.8 does, or, for pickles, as older versions.
func (s *session) NewID() string {
	var b [32]byte
	rand.Read(b[:])
	if s.opt.Form != Pickle {
		return base64.RawURLEncoding.EncodeToString(b[:])
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

func (s *session) Key(id string) string { return s.opt.Prefix + id }

func (s *session) parse(record []byte) (*Document, error) {
	form := Detect(record)
	switch {
	case form == "":
		return nil, corrupt("expected msgpack, JSON or a pickle")
	case form == Pickle && !s.opt.Pickle:
		return nil, unsupported("the record is a pickle, as before Flask-Session 0.8; see SessionOptions.Pickle")
	}
	return Parse(form, record)
}

func (s *session) Decode(record []byte) (*format.Document, error) {
	d, err := s.parse(record)
	if err != nil {
		return nil, err
	}
	return document(d, s.owner, s.opt.Lifetime)
}

func (s *session) Encode(record []byte, e *format.Edit) ([]byte, error) {
	var d *Document
	var err error
	if record == nil {
		d, err = Parse(s.opt.Form, map[Form][]byte{JSON: []byte("{}"), Msgpack: {0x80}, Pickle: emptyPickle}[s.opt.Form])
	} else {
		d, err = s.parse(record)
	}
	if err != nil {
		return nil, err
	}
	if d.form == Pickle && !s.opt.WritePickle && (len(e.Set) > 0 || len(e.Delete) > 0 || e.Owner != "") {
		return nil, unsupported("the record is a pickle, which is only read; see SessionOptions.WritePickle")
	}
	return edit(d, e, s.owner, record == nil && !s.opt.Browser)
}

func (s *session) Check(key string, value []byte) error { return check(s.opt.Form, key, value) }

func (s *session) ReadCookies(r *http.Request, _ time.Time) format.Presented {
	p := format.Presented{Secret: -1}
	var text string
	if text, p.Count = s.opt.Cookie.Find(r, s.opt.Cookie.Name); p.Count == 0 {
		p.Reason = format.NoCookie + ": there is no cookie " + s.opt.Cookie.Name
		return p
	}
	if len(s.keys) > 0 {
		if text, p.Secret = s.keys.unsign(text); p.Secret < 0 {
			p.Reason = format.BadSignature + ": none of the secrets fits, or the application has no SESSION_USE_SIGNER"
			return p
		}
	}
	if text == "" || len(text) > 256 || strings.ContainsAny(text, " \x00\r\n") {
		p.Reason = format.Malformed + ": the ID"
		return p
	}
	p.ID = text
	return p
}

func (s *session) WriteCookies(o *format.Outgoing) ([]string, error) {
	value := ""
	if !o.Drop {
		if value = o.ID; len(s.keys) > 0 {
			value = s.keys.sign(o.ID)
		}
	}
	return []string{s.opt.Cookie.Line(s.opt.Cookie.Name, value, o.Pick(), o.Now)}, nil
}
