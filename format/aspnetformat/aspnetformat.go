// Package aspnetformat shares sessions with ASP.NET Core applications that use
// AddSession with a distributed cache. It is experimental: it was written after the
// documented formats and checked against published known answers, and has not run
// against a real application yet.
//
//	key, err := aspnetformat.ParseKey(text) // of key-{guid}.xml
//	keeper := rediskeeper.New(client, &rediskeeper.Options{Hash: true})
//	store, err := aspnetformat.New(keeper, side, &aspnetformat.Options{
//		Keys: []aspnetformat.Key{key}, Application: "shop",
//	})
//
// The application must call SetApplicationName, since its name is part of what
// cookies are encrypted for (the default is the path it runs from), and
// PersistKeysToFileSystem with keys that are not wrapped. Whoever holds that key
// ring can also make the application's login cookies: give sessions a ring of their
// own, if you can.
//
// A record is the value of the cache entry: with Redis, the field "data" of a hash.
//
// # Values as JSON
//
//	SetString        a string; an object or array if it is the text of one
//	SetInt32         a number (four bytes that read as text are taken for text)
//	Set (bytes)      {"@bytes":"base64"}
//
// Written are strings, 32-bit integers, {"@bytes":…}, and objects and arrays as
// text; everything else is refused with sojourn.ErrUnsupported.
//
// # What the other system does
//
// It writes the whole session back if a request has changed anything in it, without
// a lock, and so loses what was written here meanwhile. See
// format.Options.ReadMostly and Own.
//
// # Sources
//
// dotnet/aspnetcore: Session (DistributedSession, SessionMiddleware) and
// DataProtection, with its documentation of "context headers" and "subkey
// derivation"; the test ManagedAuthenticatedEncryptorTests.Encrypt_KnownKey.
package aspnetformat

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/rawjson"
)

// Options are those of AddSession and AddDataProtection.
type Options struct {
	// Keys are the key ring. The one that was activated last encrypts.
	Keys []Key
	// Application is SetApplicationName's. Required, unless the application has none.
	Application string
	// Cookie as in SessionOptions.Cookie. Default: .AspNetCore.Session, Path=/,
	// HttpOnly, SameSite=Lax.
	Cookie format.Cookie
	// IdleTimeout is SessionOptions.IdleTimeout. Default 20 minutes.
	IdleTimeout time.Duration
	// Prefix of the keys: the cache's InstanceName. Default "".
	Prefix string
	// Owner is the member where the application writes down its user. Default
	// "UserId".
	Owner string
	// Store has the options that all formats share.
	Store *format.Options
}

// New joins the format with its keeper; see format.New for side.
func New(keeper format.Keeper, side sojourn.Store, opt *Options) (*format.Store, error) {
	f, err := Format(opt)
	if err != nil {
		return nil, err
	}
	return format.New(f, keeper, side, f.(*aspnet).opt.Store)
}

type aspnet struct {
	opt      Options
	purposes []string
	owner    rawjson.Owner
}

// Format is the format without a store, for tools.
func Format(opt *Options) (format.Format, error) {
	a := &aspnet{}
	if opt != nil {
		a.opt = *opt
	}
	o := &a.opt
	o.Keys = slices.Clone(o.Keys)
	for _, k := range o.Keys {
		if len(k.master) == 0 {
			return nil, fmt.Errorf("aspnetformat: new: %w: Options.Keys: expected keys of ParseKey", sojourn.ErrInvalid)
		}
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = 20 * time.Minute
	}
	if o.IdleTimeout < time.Second {
		return nil, fmt.Errorf("aspnetformat: new: %w: Options.IdleTimeout is %v, expected at least 1s", sojourn.ErrInvalid, o.IdleTimeout)
	}
	if err := o.Cookie.Settle(".AspNetCore.Session"); err != nil {
		return nil, fmt.Errorf("aspnetformat: new: %w", err)
	}
	if o.Cookie.SameSite == 0 {
		o.Cookie.SameSite = http.SameSiteLaxMode
	}
	if o.Application != "" {
		a.purposes = append(a.purposes, o.Application)
	}
	a.purposes = append(a.purposes, "SessionMiddleware")
	if o.Owner == "" {
		o.Owner = "UserId"
	}
	a.owner = rawjson.Owner{Path: o.Owner}
	return a, nil
}

func (a *aspnet) Describe() format.Description {
	return format.Description{Name: "aspnetcore", System: "ASP.NET Core", Cookie: a.opt.Cookie.Name, Slides: true, Life: a.opt.IdleTimeout,
		Warning: "a request of ASP.NET Core that changes the session writes all of it back as it read it before"}
}

// NewID draws an ID as SessionMiddleware does: a GUID of random bytes.
func (a *aspnet) NewID() string {
	var b [16]byte
	rand.Read(b[:])
	return guidText(b[:])
}

func guidText(b []byte) string {
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

func (a *aspnet) Key(id string) string { return a.opt.Prefix + id }

func (a *aspnet) Decode(data []byte) (*format.Document, error) {
	r, err := parse(data)
	if err != nil {
		return nil, err
	}
	doc := &format.Document{}
	all := r.members()
	for _, m := range all {
		doc.Members = append(doc.Members, format.Member(m))
	}
	doc.Owner = a.owner.Read(all)
	return doc, nil
}

func (r *record) members() (all rawjson.Object) {
	for _, e := range r.entries {
		all = append(all, rawjson.Member{Key: e.key, Value: view(e.value)})
	}
	return all
}

func (a *aspnet) Encode(data []byte, e *format.Edit) ([]byte, error) {
	r := &record{}
	if data == nil {
		rand.Read(r.guid[:])
	} else {
		var err error
		if r, err = parse(data); err != nil {
			return nil, err
		}
	}
	for _, key := range e.Delete {
		r.entries = slices.DeleteFunc(r.entries, func(e entry) bool { return e.key == key })
	}
	for _, m := range e.Set {
		value, err := checked(m.Key, m.Value)
		if err != nil {
			return nil, err
		}
		r.set(m.Key, value)
	}
	if e.Owner != "" {
		all := r.members()
		before := slices.Clone(all)
		if err := a.owner.Write(&all, e.Owner); err != nil {
			return nil, fmt.Errorf("%w: %w", sojourn.ErrUnsupported, err)
		}
		for _, m := range all {
			if was, _ := before.Get(m.Key); !bytes.Equal(was, m.Value) {
				value, err := checked(m.Key, m.Value)
				if err != nil {
					return nil, err
				}
				r.set(m.Key, value)
			}
		}
	}
	return r.bytes()
}

func checked(key string, raw []byte) ([]byte, error) {
	if len(key) > 65535 {
		return nil, fmt.Errorf("%w: member %q: a key has at most 65535 bytes", sojourn.ErrUnsupported, key)
	}
	if raw == nil {
		return nil, nil
	}
	return fromJSON(key, raw)
}

func (a *aspnet) Check(key string, value []byte) error {
	_, err := checked(key, value)
	return err
}

func (a *aspnet) ReadCookies(r *http.Request, _ time.Time) format.Presented {
	p := format.Presented{Secret: -1}
	var text string
	if text, p.Count = a.opt.Cookie.Find(r, a.opt.Cookie.Name); p.Count == 0 {
		p.Reason = format.NoCookie + ": there is no cookie " + a.opt.Cookie.Name
		return p
	}
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(b) < 20 || !bytes.Equal(b[:4], magic) {
		p.Reason = format.Malformed + ": the cookie is nothing that Data Protection has made"
		return p
	}
	for i, k := range a.opt.Keys {
		head, aad := header(k.ID, a.purposes)
		if !bytes.Equal(b[:20], head) {
			continue
		}
		p.Secret = i
		id, err := decrypt(k.master, aad, b[20:])
		switch {
		case err != nil:
			p.Secret = -1
			p.Reason = format.BadSignature + ": its key is in the ring, but the cookie was changed or made for an application of another name"
		case len(id) != 36:
			p.Reason = format.Malformed + ": what the cookie holds is no ID"
		default:
			p.ID = string(id)
		}
		return p
	}
	p.Reason = format.BadSignature + ": its key is not in the ring"
	return p
}

func (a *aspnet) WriteCookies(o *format.Outgoing) ([]string, error) {
	if o.Drop {
		return []string{a.opt.Cookie.Line(a.opt.Cookie.Name, "", -1, o.Now)}, nil
	}
	var key *Key
	for i, k := range a.opt.Keys {
		if !k.Activated.After(o.Now) && (key == nil || k.Activated.After(key.Activated)) {
			key = &a.opt.Keys[i]
		}
	}
	if key == nil {
		return nil, fmt.Errorf("aspnetformat: %w: there is no key that is active", sojourn.ErrInvalid)
	}
	var random [modifierSize + ivSize]byte
	rand.Read(random[:])
	head, aad := header(key.ID, a.purposes)
	value := encodeCookie(append(head, encrypt(key.master, aad, []byte(o.ID), random[:])...))
	return []string{a.opt.Cookie.Line(a.opt.Cookie.Name, url.QueryEscape(value), o.Life, o.Now)}, nil
}
