package koaformat

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/rawjson"
)

// generic is koa-generic-session.
type generic struct {
	opt   Options
	owner rawjson.Owner
}

// NewGeneric shares sessions with koa-generic-session. See format.New for side.
func NewGeneric(keeper format.Keeper, side sojourn.Store, opt *Options) (*format.Store, error) {
	f, err := GenericFormat(opt)
	if err != nil {
		return nil, err
	}
	return format.New(f, keeper, side, opt.Store)
}

// GenericFormat is the format of koa-generic-session without a store, for tools.
func GenericFormat(opt *Options) (format.Format, error) {
	g := &generic{}
	if opt != nil {
		g.opt = *opt
	}
	if err := g.opt.settle("koa.sid"); err != nil {
		return nil, err
	}
	if g.opt.Prefix == "" {
		g.opt.Prefix = "koa:sess:"
	}
	g.owner = rawjson.Owner{Path: g.opt.Owner, Number: g.opt.OwnerIsNumber}
	return g, nil
}

func (g *generic) Describe() format.Description {
	return format.Description{Name: "koa-generic", System: "koa-generic-session", Cookie: g.opt.Cookie.Name,
		Slides: g.opt.Rolling, Rolling: g.opt.Rolling, Resigns: true,
		Life: g.opt.MaxAge, CookieLife: g.opt.cookieLife(),
		Warning: "a request of Koa that changes the session writes all of it back as it read it before"}
}

func (g *generic) NewID() string {
	var b [24]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (g *generic) Key(id string) string { return g.opt.Prefix + id }

const cookieMember = "cookie" // of koa-generic-session's own

// parse reads a record. Without the member "cookie" koa-generic-session would store
// it for ever and send its cookie unsigned.
func (g *generic) parse(record []byte) (o, cookie rawjson.Object, err error) {
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

func (g *generic) Decode(record []byte) (*format.Document, error) {
	o, cookie, err := g.parse(record)
	if err != nil {
		return nil, err
	}
	doc := &format.Document{Owner: g.owner.Read(o), Life: g.opt.MaxAge}
	if life, ok := milliseconds(cookie, "maxAge"); ok && life > 0 {
		doc.Life = time.Duration(life) * time.Millisecond
		doc.CookieLife = doc.Life
	} else {
		doc.Unending = true
	}
	for _, m := range o {
		if m.Key != cookieMember {
			doc.Members = append(doc.Members, format.Member(m))
		}
	}
	return doc, nil
}

func (g *generic) Encode(record []byte, edit *format.Edit) ([]byte, error) {
	var o rawjson.Object
	var err error
	if record == nil {
		o.Set(cookieMember, g.newCookie())
	} else if o, _, err = g.parse(record); err != nil {
		return nil, err
	}
	for _, key := range edit.Delete {
		if key != cookieMember {
			o.Delete(key)
		}
	}
	for _, m := range edit.Set {
		if m.Key == cookieMember {
			return nil, errCookie
		}
		o.Set(m.Key, m.Value)
	}
	if edit.Owner != "" {
		if err := g.owner.Write(&o, edit.Owner); err != nil {
			return nil, fmt.Errorf("%w: %w", sojourn.ErrUnsupported, err)
		}
	}
	return o.Append(nil), nil
}

var errCookie = fmt.Errorf("%w: member \"cookie\": koa-generic-session keeps its own settings under that name", sojourn.ErrUnsupported)

func (g *generic) newCookie() []byte {
	c := &g.opt.Cookie
	var cookie rawjson.Object
	cookie.Set("httpOnly", strconv.AppendBool(nil, !c.Scripts))
	cookie.Set("path", rawjson.Quote(nil, c.Path))
	cookie.Set("overwrite", []byte("true"))
	cookie.Set("signed", []byte("true"))
	if g.opt.BrowserSession {
		cookie.Set("maxAge", []byte("null"))
	} else {
		cookie.Set("maxAge", strconv.AppendInt(nil, g.opt.MaxAge.Milliseconds(), 10))
	}
	if c.Domain != "" {
		cookie.Set("domain", rawjson.Quote(nil, c.Domain))
	}
	if c.Secure {
		cookie.Set("secure", []byte("true"))
	}
	switch c.SameSite {
	case http.SameSiteLaxMode:
		cookie.Set("sameSite", []byte(`"lax"`))
	case http.SameSiteStrictMode:
		cookie.Set("sameSite", []byte(`"strict"`))
	case http.SameSiteNoneMode:
		cookie.Set("sameSite", []byte(`"none"`))
	}
	return cookie.Append(nil)
}

func (g *generic) Check(key string, value []byte) error {
	if key == cookieMember {
		return errCookie
	}
	return checkNumbers(key, value)
}

func (g *generic) ReadCookies(r *http.Request, _ time.Time) format.Presented {
	value, p := g.opt.read(r)
	if p.Reason == "" {
		if p.ID = value; !text(value) {
			p.ID, p.Reason = "", format.Malformed+": the cookie is no ID"
		}
	}
	return p
}

func (g *generic) WriteCookies(o *format.Outgoing) ([]string, error) {
	return g.opt.write(o.ID, o), nil
}
