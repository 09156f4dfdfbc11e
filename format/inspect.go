package format

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sojournhq/sojourn"
)

// The words with which a Reason begins, for programs; what follows a colon is for
// people.
const (
	NoCookie     = "no_cookie"     // the session's cookie is not there
	BadSignature = "bad_signature" // no secret fits
	Malformed    = "malformed"     // the cookie or the record cannot be read
	Expired      = "expired"       // or not valid yet
	NotFound     = "not_found"     // there is no record
	Unsupported  = "unsupported"   // the other system may take it; it cannot be read here
)

// Word is the word of a Reason, "" for none.
func Word(reason string) string {
	word, _, _ := strings.Cut(reason, ":")
	switch word {
	case "", NoCookie, BadSignature, Malformed, Expired, NotFound, Unsupported:
		return word
	}
	return Malformed
}

// A Report is what a cookie and a stored record say together: what the other system
// would make of them at a moment.
type Report struct {
	ID      string // "" if the cookie does not vouch for one
	Key     string // of the record in its store, "" where the cookie is the record
	Valid   bool   // the other system would take it for a live session
	Reason  string // why it would not: a Word and more
	Secret  int    // which secret fits, from 0; -1 if none does or none is needed
	Owner   string
	Members []Member // also of an invalid session; nil if they cannot be read
	Expires time.Time
}

// Inspect reads a session without any store. cookie is the value of a cookie, or
// whole pairs as in a Cookie header ("koa.sess=…; koa.sess.sig=…"); record is what
// the store holds under Report.Key, nil if that is not known. The deadline is the
// one inside the record: the store's own is not part of its bytes. It returns an
// error only where record is given although the cookie is the record.
func Inspect(f Format, cookie string, record []byte, at time.Time) (*Report, error) {
	d := f.Describe()
	if d.InCookie && record != nil {
		return nil, fmt.Errorf("%w: the cookie of %s is its record; there is no other", sojourn.ErrInvalid, d.System)
	}
	p := f.ReadCookies(requestWith(d.Cookie, cookie), at)
	r := &Report{ID: p.ID, Secret: p.Secret, Reason: p.Reason}
	if p.ID != "" && !d.InCookie {
		r.Key = f.Key(p.ID)
	}
	if d.InCookie {
		record = p.Record
	}
	if p.ID == "" && r.Reason == "" {
		r.Reason = NoCookie + ": there is no session cookie"
	}
	if record == nil {
		if r.Reason == "" {
			r.Reason = NotFound + ": no record is given"
		}
		return r, nil
	}
	r.read(f, record, at, p.Expires)
	return r, nil
}

// InspectRecord reads a stored record without its cookie.
func InspectRecord(f Format, record []byte, at time.Time) *Report {
	r := &Report{Secret: -1}
	r.read(f, record, at, time.Time{})
	return r
}

func (r *Report) read(f Format, record []byte, at, expires time.Time) {
	doc, err := f.Decode(record)
	if err != nil {
		if r.Reason == "" {
			r.Reason = Malformed + ": " + strings.TrimPrefix(err.Error(), sojourn.ErrCorrupt.Error()+": ")
			if errors.Is(err, sojourn.ErrUnsupported) {
				r.Reason = Unsupported + ": " + err.Error()
			}
		}
		return
	}
	r.Owner, r.Members, r.Expires = doc.Owner, doc.Members, doc.Expires
	if r.Members == nil {
		r.Members = []Member{}
	}
	if r.Expires.IsZero() {
		r.Expires = expires
	}
	if d := f.Describe(); (d.Inner || d.InCookie) && !r.Expires.IsZero() && at.After(r.Expires) && r.Reason == "" {
		r.Reason = Expired + ": at " + r.Expires.UTC().Format(time.RFC3339)
	}
	r.Valid = r.Reason == ""
}

// Compose writes a session without any store: the values for Set-Cookie, and the
// record to be stored under the returned key, both empty where the cookie is the
// record. An empty id draws a new one.
func Compose(f Format, id, owner string, members []Member, at time.Time) (cookies []string, key string, record []byte, err error) {
	d := f.Describe()
	for _, m := range members {
		if err := f.Check(m.Key, m.Value); err != nil {
			return nil, "", nil, err
		}
	}
	expires := at.Add(d.Life)
	record, err = f.Encode(nil, &Edit{Set: members, Owner: owner, Now: at, Expires: expires})
	if err != nil {
		return nil, "", nil, err
	}
	if id == "" {
		id = f.NewID()
	}
	o := &Outgoing{ID: id, Life: d.CookieLife, Expires: expires, Now: at}
	if d.InCookie {
		o.Record, record = record, nil
	} else {
		key = f.Key(id)
	}
	cookies, err = f.WriteCookies(o)
	if errors.Is(err, sojourn.ErrTooLarge) {
		err = fmt.Errorf("the session does not fit into its cookie: %w", err)
	}
	return cookies, key, record, err
}

// requestWith makes a request whose cookies are text: pairs, or the value of the
// cookie of that name.
func requestWith(name, text string) *http.Request {
	if !strings.HasPrefix(text, name+"=") && !strings.Contains(text, "; "+name+"=") {
		text = name + "=" + text
	}
	return &http.Request{Header: http.Header{"Cookie": {text}}}
}

// cookieHeader is what a client sends after it was sent these cookies.
func cookieHeader(f Format, o *Outgoing) string {
	lines, err := f.WriteCookies(o)
	if err != nil {
		return ""
	}
	for i, line := range lines {
		lines[i], _, _ = strings.Cut(line, ";")
	}
	return strings.Join(lines, "; ")
}
