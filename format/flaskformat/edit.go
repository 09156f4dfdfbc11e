package flaskformat

import (
	"fmt"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/rawjson"
)

// permanent is Flask's own member: whether the cookie outlives the browser's.
const permanent = "_permanent"

// document is what the core wants to know of a record.
func document(d *Document, owner rawjson.Owner, life time.Duration) (*format.Document, error) {
	doc := &format.Document{Life: life}
	var all rawjson.Object
	for _, name := range d.Names() {
		raw, err := d.JSON(name)
		if err != nil {
			return nil, err
		}
		if name == permanent {
			if string(raw) == "true" {
				doc.CookieLife = life
			}
			continue
		}
		doc.Members = append(doc.Members, format.Member{Key: name, Value: raw})
		all = append(all, rawjson.Member{Key: name, Value: raw})
	}
	doc.Owner = owner.Read(all)
	return doc, nil
}

// edit applies changes, and makes the record.
func edit(d *Document, e *format.Edit, owner rawjson.Owner, newPermanent bool) ([]byte, error) {
	if newPermanent {
		if err := d.Set(permanent, []byte("true")); err != nil {
			return nil, err
		}
	}
	for _, key := range e.Delete {
		if key == permanent {
			continue
		}
		if err := d.Delete(key); err != nil {
			return nil, err
		}
	}
	for _, m := range e.Set {
		if err := checkKey(m.Key); err != nil {
			return nil, err
		}
		if err := d.Set(m.Key, m.Value); err != nil {
			return nil, err
		}
	}
	if e.Owner != "" {
		var all rawjson.Object
		for _, name := range d.Names() {
			raw, err := d.JSON(name)
			if err != nil {
				return nil, err
			}
			all = append(all, rawjson.Member{Key: name, Value: raw})
		}
		if err := owner.Write(&all, e.Owner); err != nil {
			return nil, fmt.Errorf("%w: %w", sojourn.ErrUnsupported, err)
		}
		for _, m := range all {
			if was, err := d.JSON(m.Key); err != nil || string(was) != string(m.Value) {
				if err := d.Set(m.Key, m.Value); err != nil {
					return nil, err
				}
			}
		}
	}
	return d.Bytes()
}

func checkKey(key string) error {
	if key == permanent {
		return unsupported("member %q is Flask's own", key)
	}
	return nil
}

// check is what Set would say.
func check(form Form, key string, value []byte) error {
	if err := checkKey(key); err != nil || value == nil {
		return err
	}
	v, err := fromJSON(value)
	if err == nil {
		_, err = encode(form, v)
	}
	if err != nil {
		return fmt.Errorf("member %q: %w", key, err)
	}
	return nil
}
