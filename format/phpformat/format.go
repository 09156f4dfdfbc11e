package phpformat

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/rawjson"
)

// Prefixes of the keys under which PHP's save handlers keep records.
const (
	PrefixRedis     = "PHPREDIS_SESSION:" // redis, with rediskeeper: LockSuffix "_LOCK"
	PrefixMemcached = "memc.sess.key."    // memcached, with memcachekeeper
	PrefixFiles     = "sess_"             // files, with filekeeper
)

// Options are settings of PHP, as in php.ini.
type Options struct {
	// Handler is session.serialize_handler. Default PHP.
	Handler Handler
	// Cookie has session.name, cookie_path and so on. Default: PHPSESSID, Path=/,
	// HttpOnly.
	Cookie format.Cookie
	// Prefix of the keys. Default PrefixRedis.
	Prefix string
	// Lifetime is session.gc_maxlifetime. Default 24 minutes.
	Lifetime time.Duration
	// CookieLifetime is session.cookie_lifetime. Default 0: as long as the browser.
	CookieLifetime time.Duration
	// Locked says that PHP locks its sessions while a request lasts, as it does with
	// files and memcached, and with redis.session.locking_enabled: then nobody
	// overwrites anybody. Default false.
	Locked bool
	// Owner is the member where the application writes down its user: "user_id", or
	// "user.id" for a key of an array. Default "user_id".
	Owner string
	// OwnerIsNumber: a login here writes the user as an integer where it is one.
	OwnerIsNumber bool
	// Trusted allows members to be set to objects of any class and to enums. PHP
	// would run code of these classes: never with values that clients have sent.
	// Default false.
	Trusted bool
	// Store has the options that all formats share.
	Store *format.Options
}

// New joins the format with its keeper; see format.New for side.
func New(keeper format.Keeper, side sojourn.Store, opt *Options) (*format.Store, error) {
	f, err := Format(opt)
	if err != nil {
		return nil, err
	}
	return format.New(f, keeper, side, f.(*php).opt.Store)
}

type php struct {
	opt   Options
	owner rawjson.Owner
}

// Format is the format without a store, for tools.
func Format(opt *Options) (format.Format, error) {
	p := &php{}
	if opt != nil {
		p.opt = *opt
	}
	o := &p.opt
	if o.Handler == "" {
		o.Handler = PHP
	}
	if err := o.Handler.check(); err != nil {
		return nil, fmt.Errorf("phpformat: new: %w", err)
	}
	if o.Prefix == "" {
		o.Prefix = PrefixRedis
	}
	if o.Lifetime == 0 {
		o.Lifetime = 1440 * time.Second
	}
	if o.Lifetime < time.Second || o.CookieLifetime < 0 {
		return nil, fmt.Errorf("phpformat: new: %w: Lifetime %v and CookieLifetime %v, expected at least 1s and no negative one", sojourn.ErrInvalid, o.Lifetime, o.CookieLifetime)
	}
	if err := o.Cookie.Settle("PHPSESSID"); err != nil {
		return nil, fmt.Errorf("phpformat: new: %w", err)
	}
	if o.Owner == "" {
		o.Owner = "user_id"
	}
	p.owner = rawjson.Owner{Path: o.Owner, Number: o.OwnerIsNumber}
	return p, nil
}

func (p *php) Describe() format.Description {
	name := string(p.opt.Handler)
	d := format.Description{Name: name, System: "PHP", Cookie: p.opt.Cookie.Name, Slides: true, Life: p.opt.Lifetime, CookieLife: p.opt.CookieLifetime}
	if !p.opt.Locked {
		d.Warning = "without locks, a request of PHP that changes the session writes all of it back as it read it before"
	}
	return d
}

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ,-"

// NewID draws an ID as PHP does on Debian: 26 characters of five bits.
func (p *php) NewID() string {
	var b [26]byte
	rand.Read(b[:])
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return string(b[:])
}

func (p *php) Key(id string) string { return p.opt.Prefix + id }

func (p *php) Decode(record []byte) (*format.Document, error) {
	d, err := Parse(p.opt.Handler, record)
	if err != nil {
		return nil, err
	}
	all, err := members(d)
	if err != nil {
		return nil, err
	}
	doc := &format.Document{Owner: p.owner.Read(all)}
	for _, m := range all {
		doc.Members = append(doc.Members, format.Member(m))
	}
	return doc, nil
}

func members(d *Document) (all rawjson.Object, err error) {
	for _, name := range d.Names() {
		raw, err := d.JSON(name)
		if err != nil {
			return nil, err
		}
		all = append(all, rawjson.Member{Key: name, Value: raw})
	}
	return all, nil
}

func (p *php) Encode(record []byte, e *format.Edit) ([]byte, error) {
	d, err := Parse(p.opt.Handler, record)
	if err != nil {
		return nil, err
	}
	for _, key := range e.Delete {
		if err := d.Delete(key); err != nil {
			return nil, err
		}
	}
	for _, m := range e.Set {
		if err := d.set(m.Key, m.Value, p.opt.Trusted); err != nil {
			return nil, err
		}
	}
	if e.Owner != "" {
		all, err := members(d)
		if err != nil {
			return nil, err
		}
		if err := p.owner.Write(&all, e.Owner); err != nil {
			return nil, unsupported("%v", err)
		}
		for _, m := range all {
			if was, err := d.JSON(m.Key); err != nil || string(was) != string(m.Value) {
				if err := d.set(m.Key, m.Value, p.opt.Trusted); err != nil {
					return nil, err
				}
			}
		}
	}
	return d.Bytes()
}

func (p *php) Check(key string, value []byte) error {
	if err := p.opt.Handler.allows(key); err != nil || value == nil {
		return err
	}
	if _, err := fromJSON(value, p.opt.Trusted); err != nil {
		return fmt.Errorf("member %q: %w", key, err)
	}
	return nil
}

func (p *php) ReadCookies(r *http.Request, _ time.Time) format.Presented {
	out := format.Presented{Secret: -1}
	var text string
	if text, out.Count = p.opt.Cookie.Find(r, p.opt.Cookie.Name); out.Count == 0 {
		out.Reason = format.NoCookie + ": there is no cookie " + p.opt.Cookie.Name
		return out
	}
	if id, err := url.QueryUnescape(text); err == nil { // as PHP does
		text = id
	}
	if !p.validID(text) {
		out.Reason = format.Malformed + ": the ID: PHP would begin a new session"
		return out
	}
	out.ID = text
	return out
}

// validID tells whether PHP would look for the ID at all. Files are pickier.
func (p *php) validID(id string) bool {
	if id == "" || len(id) > 256 || strings.ContainsAny(id, "\r\n\t <>'\"\\\x00") {
		return false
	}
	return p.opt.Prefix != PrefixFiles || strings.Trim(id, alphabet) == ""
}

func (p *php) WriteCookies(o *format.Outgoing) ([]string, error) {
	value := ""
	if !o.Drop {
		value = url.QueryEscape(o.ID)
	}
	return []string{p.opt.Cookie.Line(p.opt.Cookie.Name, value, o.Pick(), o.Now)}, nil
}
