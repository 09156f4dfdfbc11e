package formattest

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/rawjson"
)

// toy is a format that keeps the rules, unless broken says otherwise.
type toy struct{ broken string }

func (f toy) Describe() format.Description {
	d := format.Description{Name: "toy", System: "toys", Cookie: "toy", Inner: true, Life: time.Hour}
	if f.broken == "undescribed" {
		d.Life = 0
	}
	return d
}

func (f toy) NewID() string {
	var b [18]byte
	if f.broken != "guessable IDs" {
		rand.Read(b[:])
	}
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (f toy) Key(id string) string {
	if f.broken == "one key" {
		return "toy"
	}
	return "toy:" + id
}

func (f toy) sign(id string) string {
	mac := hmac.New(sha256.New, []byte("secret"))
	mac.Write([]byte(id))
	return id + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (f toy) ReadCookies(r *http.Request, _ time.Time) format.Presented {
	var c format.Cookie
	value, n := c.Find(r, "toy")
	if f.broken == "last cookie counts" && n > 0 {
		value = r.CookiesNamed("toy")[n-1].Value
	}
	p := format.Presented{Count: n, Secret: -1}
	id, _, _ := strings.Cut(value, ".")
	switch {
	case f.broken == "no signature" && id != "", hmac.Equal([]byte(f.sign(id)), []byte(value)) && id != "":
		p.ID, p.Secret = id, 0
	case f.broken != "no reason":
		p.Reason = "not signed"
	}
	return p
}

func (f toy) WriteCookies(o *format.Outgoing) ([]string, error) {
	c := format.Cookie{Path: "/"}
	value, life := f.sign(o.ID), o.Pick()
	if o.Drop && f.broken != "does not drop" {
		value = ""
	}
	if f.broken == "does not drop" && o.Drop || f.broken == "cookie of no life" && life > 0 {
		life = 0
	}
	return []string{c.Line("toy", value, life, o.Now)}, nil
}

func (f toy) Decode(record []byte) (*format.Document, error) {
	o, err := rawjson.Parse(record)
	if err != nil {
		if f.broken == "other errors" {
			return nil, err
		}
		if f.broken == "broken is empty" {
			return &format.Document{}, nil
		}
		return nil, fmt.Errorf("%w: %w", sojourn.ErrCorrupt, err)
	}
	doc := &format.Document{Owner: rawjson.Owner{Path: "_user"}.Read(o)}
	if raw, ok := o.Get("_until"); ok {
		ms, _ := strconv.ParseFloat(string(raw), 64)
		doc.Expires = time.UnixMilli(int64(math.Round(ms)))
	}
	for _, m := range o {
		if !strings.HasPrefix(m.Key, "_") {
			if f.broken == "aliases" {
				if at := bytes.Index(record, m.Value); at >= 0 {
					m.Value = record[at : at+len(m.Value)]
				}
			}
			doc.Members = append(doc.Members, format.Member(m))
		}
	}
	return doc, nil
}

func (f toy) Encode(record []byte, e *format.Edit) ([]byte, error) {
	var o rawjson.Object
	if record != nil {
		var err error
		if o, err = rawjson.Parse(record); err != nil {
			if f.broken != "writes over what is broken" {
				return nil, fmt.Errorf("%w: %w", sojourn.ErrCorrupt, err)
			}
		}
		if f.broken == "writes into its input" {
			record[0] = ' '
		}
	}
	for _, m := range e.Set {
		if err := f.Check(m.Key, m.Value); err != nil && f.broken != "checks only in Check" {
			return nil, err
		}
		if f.broken == "drops on write" && len(o) > 0 {
			o = o[:1]
		}
		o.Set(m.Key, m.Value)
	}
	for _, key := range e.Delete {
		if f.broken != "does not delete" {
			o.Delete(key)
		}
	}
	if e.Owner != "" && f.broken != "forgets the user" {
		if err := (rawjson.Owner{Path: "_user"}).Write(&o, e.Owner); err != nil {
			return nil, err
		}
	}
	if !e.Expires.IsZero() && f.broken != "forgets the deadline" {
		o.Set("_until", strconv.AppendInt(nil, e.Expires.UnixMilli(), 10))
	}
	if f.broken == "writes anew" {
		for i := range o {
			o[i].Value = bytes.ReplaceAll(o[i].Value, []byte("1.0"), []byte("1"))
		}
	}
	return o.Append(nil), nil
}

func (f toy) Check(key string, _ []byte) error {
	if strings.HasPrefix(key, "_") && f.broken != "refuses nothing" {
		return fmt.Errorf("%w: member %q", sojourn.ErrUnsupported, key)
	}
	return nil
}

var toyOptions = &FormatOptions{
	Records: []string{`{"a":1.0,"b":"\ud800","_until":1795315616320}`, `{"z":{"y":12345678901234567890}}`},
	Refused: []string{"_user"},
	Broken:  []string{"", "{", "[]", "null"},
}

func TestFormatSuitePasses(t *testing.T) { Run(t, toy{}, toyOptions) }

func TestFormatSuiteFindsBrokenOnes(t *testing.T) {
	for _, broken := range []string{"undescribed", "guessable IDs", "one key", "last cookie counts", "no signature", "no reason", "does not drop",
		"cookie of no life", "other errors", "broken is empty", "aliases", "writes over what is broken", "writes into its input", "checks only in Check",
		"drops on write", "does not delete", "forgets the user", "forgets the deadline", "writes anew", "refuses nothing"} {
		failed := false
		for _, r := range formatRules {
			failed = failures(t, func(f TB) { r.check(f, newSubject(toy{broken}, toyOptions)) }) > 0 || failed
		}
		if !failed {
			t.Errorf("a format of %q passes", broken)
		}
	}
}
