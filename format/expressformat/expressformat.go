// Package expressformat shares sessions with Express applications that use
// express-session, with connect-redis or connect-pg-simple:
//
//	store, err := expressformat.New(rediskeeper.New(client, nil), side, &expressformat.Options{
//		Secrets: []string{os.Getenv("SESSION_SECRET")},
//	})
//	...
//	sessions, err := sojourn.New(store, nil)
//
// Set each option as it is in the application: session({ secret, name, rolling,
// cookie: { … } }). The user is the one of Passport, unless Options.Owner says
// otherwise.
//
// # What the other system does
//
// Express writes the whole session back if a request has changed anything in it, and
// so loses what was written here meanwhile; with resave, its deprecated default, it
// does so with every request. It re-creates a session that ended during such a
// request: here it stays ended. See format.Options.ReadMostly and Own.
//
// A key that Express's Session has itself ("save", "toString" and so on) is dropped
// by it, and a number beyond 2^53 rounded: both are refused with
// [sojourn.ErrUnsupported]. Flash messages of connect-flash are the member "flash".
package expressformat

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/rawjson"
)

// Options are those of express-session and its store.
type Options struct {
	// Secrets of the application: the first signs, any of them is accepted.
	Secrets []string
	// Cookie as in the application. Default: connect.sid, Path=/, HttpOnly.
	Cookie format.Cookie
	// MaxAge is cookie.maxAge. Default 0: a cookie that ends with the browser.
	MaxAge time.Duration
	// TTL of sessions without MaxAge, as in the store's options. Default 24 h.
	TTL time.Duration
	// Prefix of keys in Redis. Default "sess:".
	Prefix string
	// NoPrefix is for connect-pg-simple, whose keys have none.
	NoPrefix bool
	// Rolling and Resave as in the application, whose default of resave is true:
	// set it unless the application says resave: false.
	Rolling, Resave bool
	// Owner is where the application writes down its user, a string or a number.
	// Default "passport.user".
	Owner string
	// OwnerIsNumber: a login here writes the user as a number where it is one.
	OwnerIsNumber bool
	// Store has the options that all formats share.
	Store *format.Options
}

type express struct {
	opt   Options
	owner rawjson.Owner
}

// New joins the format with its keeper; see format.New for side.
func New(keeper format.Keeper, side sojourn.Store, opt *Options) (*format.Store, error) {
	f, err := Format(opt)
	if err != nil {
		return nil, err
	}
	return format.New(f, keeper, side, opt.Store)
}

// Format is the format without a store, for tools.
func Format(opt *Options) (format.Format, error) {
	e := &express{}
	if opt != nil {
		e.opt = *opt
	}
	o := &e.opt
	o.Secrets = slices.Clone(o.Secrets)
	if len(o.Secrets) == 0 || slices.Contains(o.Secrets, "") {
		return nil, fmt.Errorf("expressformat: new: %w: Options.Secrets, expected those of the application, none of them empty", sojourn.ErrInvalid)
	}
	if err := o.Cookie.Settle("connect.sid"); err != nil {
		return nil, fmt.Errorf("expressformat: new: %w", err)
	}
	if o.TTL == 0 {
		o.TTL = 24 * time.Hour
	}
	if o.MaxAge < 0 || o.TTL < time.Second {
		return nil, fmt.Errorf("expressformat: new: %w: MaxAge %v and TTL %v, expected no negative MaxAge and a TTL of at least 1s", sojourn.ErrInvalid, o.MaxAge, o.TTL)
	}
	if o.Prefix == "" {
		o.Prefix = "sess:"
	}
	if o.NoPrefix {
		o.Prefix = ""
	}
	if o.Owner == "" {
		o.Owner = "passport.user"
	}
	e.owner = rawjson.Owner{Path: o.Owner, Number: o.OwnerIsNumber}
	return e, nil
}

func (e *express) Describe() format.Description {
	d := format.Description{Name: "express", System: "express-session", Cookie: e.opt.Cookie.Name,
		Slides: true, Rolling: e.opt.Rolling, Life: e.opt.TTL, CookieLife: e.opt.MaxAge,
		Warning: "a request of Express that changes the session writes all of it back as it read it before"}
	if e.opt.MaxAge > 0 {
		d.Life = e.opt.MaxAge
	}
	if e.opt.Resave {
		d.Warning = "with resave, every request of Express writes the whole session back as it read it before"
	}
	return d
}

func (e *express) NewID() string {
	var b [24]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (e *express) Key(id string) string { return e.opt.Prefix + id }

// cookieMember is express-session's own.
const cookieMember = "cookie"

func (e *express) Decode(record []byte) (*format.Document, error) {
	o, cookie, err := parse(record)
	if err != nil {
		return nil, err
	}
	doc := &format.Document{Owner: e.owner.Read(o)}
	if raw, ok := cookie.Get("originalMaxAge"); ok {
		if ms, err := strconv.ParseFloat(string(raw), 64); err == nil && ms >= 1 && ms < 1e14 {
			doc.Life = time.Duration(ms) * time.Millisecond
			doc.CookieLife = doc.Life
		}
	}
	if doc.Life == 0 {
		doc.Life = e.opt.TTL
	}
	if raw, ok := cookie.Get("expires"); ok {
		if text, ok := rawjson.String(raw); ok {
			doc.Expires, _ = time.Parse(time.RFC3339, text) // what is no date is no deadline, as there
		}
	}
	for _, m := range o {
		if !reserved[m.Key] {
			doc.Members = append(doc.Members, format.Member(m))
		}
	}
	return doc, nil
}

// parse reads a record. One without a cookie makes Express answer 500.
func parse(record []byte) (o, cookie rawjson.Object, err error) {
	if o, err = rawjson.Parse(record); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", sojourn.ErrCorrupt, err)
	}
	raw, ok := o.Get(cookieMember)
	if !ok {
		return nil, nil, fmt.Errorf("%w: no member \"cookie\"", sojourn.ErrCorrupt)
	}
	if cookie, err = rawjson.Parse(raw); err != nil {
		return nil, nil, fmt.Errorf("%w: the member \"cookie\": %w", sojourn.ErrCorrupt, err)
	}
	return o, cookie, nil
}

func (e *express) Encode(record []byte, edit *format.Edit) ([]byte, error) {
	var o, cookie rawjson.Object
	var err error
	if record == nil {
		cookie = e.newCookie()
		o.Set(cookieMember, nil) // first, as there
	} else if o, cookie, err = parse(record); err != nil {
		return nil, err
	}
	for _, key := range edit.Delete {
		if !reserved[key] {
			o.Delete(key)
		}
	}
	for _, m := range edit.Set {
		if err := checkKey(m.Key); err != nil {
			return nil, err
		}
		o.Set(m.Key, m.Value)
	}
	if edit.Owner != "" {
		if err := e.owner.Write(&o, edit.Owner); err != nil {
			return nil, fmt.Errorf("%w: %w", sojourn.ErrUnsupported, err)
		}
	}
	if !edit.Expires.IsZero() {
		if raw, _ := cookie.Get("originalMaxAge"); len(raw) > 0 && raw[0] != 'n' {
			cookie.Set("expires", rawjson.Quote(nil, edit.Expires.UTC().Format("2006-01-02T15:04:05.000Z")))
		}
	}
	o.Set(cookieMember, cookie.Append(nil))
	return o.Append(nil), nil
}

func (e *express) newCookie() (cookie rawjson.Object) {
	c := &e.opt.Cookie
	null := []byte("null")
	cookie.Set("originalMaxAge", null)
	cookie.Set("expires", null)
	if e.opt.MaxAge > 0 {
		cookie.Set("originalMaxAge", strconv.AppendInt(nil, e.opt.MaxAge.Milliseconds(), 10))
	}
	set := func(key string, value any) {
		switch v := value.(type) {
		case bool:
			cookie.Set(key, strconv.AppendBool(nil, v))
		case string:
			if v != "" {
				cookie.Set(key, rawjson.Quote(nil, v))
			}
		}
	}
	if c.Partitioned {
		set("partitioned", true)
	}
	if c.Secure {
		set("secure", true)
	}
	set("httpOnly", !c.Scripts)
	set("domain", c.Domain)
	set("path", c.Path)
	set("sameSite", sameSite[c.SameSite])
	return cookie
}
