package koaformat

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/rawjson"
)

// session is koa-session.
type session struct {
	opt      Options
	owner    rawjson.Owner
	inCookie bool
}

// New shares sessions with koa-session: kept in its cookie without a keeper, else in
// its store, whose keys are the cookie's value. See format.New for side.
func New(keeper format.Keeper, side sojourn.Store, opt *Options) (*format.Store, error) {
	f, err := Format(opt, keeper == nil)
	if err != nil {
		return nil, err
	}
	return format.New(f, keeper, side, opt.Store)
}

// Format is the format of koa-session without a store, for tools: inCookie tells
// where the application keeps its records.
func Format(opt *Options, inCookie bool) (format.Format, error) {
	s := &session{inCookie: inCookie}
	if opt != nil {
		s.opt = *opt
	}
	if err := s.opt.settle("koa.sess"); err != nil {
		return nil, err
	}
	s.owner = rawjson.Owner{Path: s.opt.Owner, Number: s.opt.OwnerIsNumber}
	return s, nil
}

func (s *session) Describe() format.Description {
	d := format.Description{Name: "koa-session", System: "koa-session", Cookie: s.opt.Cookie.Name, InCookie: s.inCookie,
		Inner: true, Slides: s.opt.Rolling || s.opt.Renew, Rolling: s.opt.Rolling, Resigns: true,
		Life: s.opt.MaxAge, CookieLife: s.opt.cookieLife(),
		Warning: "a request of Koa that changes the session writes all of it back as it read it before"}
	if !s.inCookie {
		d.Slack = 10 * time.Second // as its stores do
	}
	return d
}

func (s *session) NewID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // UUID version 4
	return s.opt.Prefix + fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (s *session) Key(id string) string { return id }

func (s *session) Decode(record []byte) (*format.Document, error) {
	o, err := rawjson.Parse(record)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", sojourn.ErrCorrupt, err)
	}
	doc := &format.Document{Owner: s.owner.Read(o), Life: s.opt.MaxAge}
	expire, has := milliseconds(o, "_expire")
	_, browser := o.Get("_session")
	switch {
	case has:
		doc.Expires = time.UnixMilli(expire)
		if life, ok := milliseconds(o, "_maxAge"); ok && life > 0 {
			doc.Life = time.Duration(life) * time.Millisecond
		}
		if !s.opt.BrowserSession {
			doc.CookieLife = doc.Life
		}
	case browser:
		doc.Unending = true
	default: // koa-session would take it for ever
		return nil, errNoExpire
	}
	for _, m := range o {
		if checkName(m.Key) == nil {
			doc.Members = append(doc.Members, format.Member(m))
		}
	}
	return doc, nil
}

var errNoExpire = fmt.Errorf("%w: no member \"_expire\"", sojourn.ErrCorrupt)

func milliseconds(o rawjson.Object, key string) (int64, bool) {
	raw, ok := o.Get(key)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	return int64(f), err == nil && math.Abs(f) < 1e15
}

func (s *session) Encode(record []byte, edit *format.Edit) ([]byte, error) {
	var o rawjson.Object
	var err error
	if record != nil {
		if o, err = rawjson.Parse(record); err != nil {
			return nil, fmt.Errorf("%w: %w", sojourn.ErrCorrupt, err)
		}
	}
	for _, key := range edit.Delete {
		if checkName(key) == nil {
			o.Delete(key)
		}
	}
	for _, m := range edit.Set {
		if err := checkName(m.Key); err != nil {
			return nil, err
		}
		o.Set(m.Key, m.Value)
	}
	if edit.Owner != "" {
		if err := s.owner.Write(&o, edit.Owner); err != nil {
			return nil, fmt.Errorf("%w: %w", sojourn.ErrUnsupported, err)
		}
	}
	_, browser := o.Get("_session")
	switch _, had := o.Get("_expire"); {
	case record != nil && !had && !browser:
		return nil, errNoExpire
	case browser:
	case record == nil && s.opt.BrowserSession:
		o.Set("_session", []byte("true"))
	case !edit.Expires.IsZero() || record == nil:
		life, ok := milliseconds(o, "_maxAge")
		if !ok {
			life = s.opt.MaxAge.Milliseconds()
		}
		expires := edit.Expires
		if expires.IsZero() {
			expires = edit.Now.Add(time.Duration(life) * time.Millisecond)
		}
		o.Set("_expire", strconv.AppendInt(nil, expires.UnixMilli(), 10))
		o.Set("_maxAge", strconv.AppendInt(nil, life, 10))
	}
	raw := o.Append(nil)
	if n := len(s.opt.Cookie.Name) + 1 + base64.StdEncoding.EncodedLen(len(raw)); s.inCookie && n > maxCookie {
		return nil, fmt.Errorf("%w: name and value of the cookie have %d bytes, of which browsers keep %d", sojourn.ErrTooLarge, n, maxCookie)
	}
	return raw, nil
}

const maxCookie = 4096 // RFC 6265bis §5.7, without the attributes

// names that koa-session's Session has itself. It runs those that are functions,
// and sets those that are properties.
const names = " isNew maxAge externalKey length populated toJSON save regenerate manuallyCommit commit constructor __proto__ "

func checkName(key string) error {
	if strings.HasPrefix(key, "_") || key != "" && strings.Contains(names, " "+key+" ") {
		return fmt.Errorf("%w: member %q: koa-session has something of its own under that name and would drop it", sojourn.ErrUnsupported, key)
	}
	return nil
}

func (s *session) Check(key string, value []byte) error {
	if err := checkName(key); err != nil {
		return err
	}
	return checkNumbers(key, value)
}

func checkNumbers(key string, value []byte) error {
	if _, ok := rawjson.Survives(value); !ok {
		return fmt.Errorf("%w: member %q holds a number that JavaScript cannot hold exactly; store it as a string", sojourn.ErrUnsupported, key)
	}
	return nil
}

func (s *session) ReadCookies(r *http.Request, now time.Time) format.Presented {
	value, p := s.opt.read(r)
	switch {
	case p.Reason != "":
		return p
	case !s.inCookie && !text(value):
		p.Reason = format.Malformed + ": the cookie is no key"
		return p
	case !s.inCookie:
		p.ID = value
		return p
	}
	record, err := decode(value)
	if err != nil {
		p.Reason = format.Malformed + ": the cookie is no base64"
		return p
	}
	p.Record = record
	sum := sha256.Sum256(record)
	p.ID = base64.RawURLEncoding.EncodeToString(sum[:18])
	return p
}

// decode takes every base64 that Node.js takes.
func decode(value string) ([]byte, error) {
	value = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(value, "="))
	return base64.RawStdEncoding.DecodeString(value)
}

func (s *session) WriteCookies(o *format.Outgoing) ([]string, error) {
	value := o.ID
	if s.inCookie {
		value = base64.StdEncoding.EncodeToString(o.Record)
	}
	return s.opt.write(value, o), nil
}
