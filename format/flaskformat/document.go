package flaskformat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn"
)

// A Form is how a record is written.
type Form string

const (
	Tagged  Form = "tagged"  // of Flask's cookie: JSON with tags for Python's types
	JSON    Form = "json"    // of Flask-Session 0.8
	Msgpack Form = "msgpack" // of Flask-Session 0.8, its default
	Pickle  Form = "pickle"  // of Flask-Session before 0.8
)

// A Document is the record of one session, taken apart into its members. What is
// not replaced keeps its bytes. It is not safe for parallel use.
type Document struct {
	form    Form
	members []member
	record  []byte
	left    int    // bytes of JSON that may still be made
	added   []byte // Pickle: what is appended
	changed bool
}

type member struct {
	key *value // its raw: as the record has it
	val *value
	raw []byte // as it will be written
}

// Parse takes a record apart. Errors are sojourn.ErrCorrupt: Flask would fail or
// begin a new session; sojourn.ErrTooLarge; and sojourn.ErrUnsupported for a
// pickle of what is not in a closed list of types.
func Parse(form Form, record []byte) (*Document, error) {
	if len(record) > MaxSize {
		return nil, fmt.Errorf("%w: a record of %d bytes, expected at most %d", sojourn.ErrTooLarge, len(record), MaxSize)
	}
	d := &Document{form: form, record: record, left: 64<<10 + 8*len(record)}
	var all *value
	var err error
	switch form {
	case Tagged:
		if all, err = readJSON(record); err == nil && all.kind == kindDict {
			return d, d.tagged(all)
		}
	case JSON:
		all, err = readJSON(record)
	case Msgpack:
		all, err = readMsgpack(record)
	case Pickle:
		all, err = readPickle(record)
	default:
		err = invalid("form %q: expected tagged, json, msgpack or pickle", string(form))
	}
	if err != nil {
		return nil, err
	}
	if all.kind != kindDict {
		return nil, corrupt("expected a dict")
	}
	return d, d.addAll(all.keys, all.items)
}

// Detect tells the form of a stored record by its first bytes, as Flask-Session
// 0.8 does by trying; "" if it is none.
func Detect(record []byte) Form {
	switch {
	case len(record) == 0:
		return ""
	case record[0] == '{' || bytes.HasPrefix(bytes.TrimLeft(record, " \t\r\n"), []byte("{")):
		return JSON
	case len(record) > 1 && record[0] == 0x80 && record[1] >= 2 && record[1] <= 5:
		return Pickle
	case record[0]&0xf0 == 0x80 || record[0] == 0xde || record[0] == 0xdf:
		return Msgpack
	}
	return ""
}

// tagged takes the members of a cookie.
func (d *Document) tagged(all *value) error {
	if one := distinct(all.keys); len(one) == 1 && isTag(all.keys[0].text) {
		real, err := untag(all)
		if err != nil {
			return err
		}
		if real.kind != kindDict {
			return corrupt("expected a dict, found another tagged value")
		}
		all = real
	} else {
		for i, item := range all.items {
			raw := item.raw
			item, err := untag(item)
			if err != nil {
				return err
			}
			one := *item
			one.raw = raw
			all.items[i] = &one
		}
	}
	return d.addAll(all.keys, all.items)
}

func (d *Document) addAll(keys, items []*value) error {
	for _, i := range distinct(keys) {
		if keys[i].kind != kindStr {
			return unsupported("a member whose name is no string")
		}
		d.members = append(d.members, member{key: keys[i], val: items[i], raw: items[i].raw})
	}
	return nil
}

// Names are the members' names in the order of the record.
func (d *Document) Names() []string {
	names := make([]string, len(d.members))
	for i, m := range d.members {
		names[i] = m.key.text
	}
	return names
}

func (d *Document) at(name string) int {
	return slices.IndexFunc(d.members, func(m member) bool { return m.key.text == name })
}

// JSON is the view of a member, nil if there is none. The error is
// sojourn.ErrTooLarge where a pickle means much more than it has bytes.
func (d *Document) JSON(name string) (json.RawMessage, error) {
	i := d.at(name)
	if i < 0 {
		return nil, nil
	}
	text, err := view(d.members[i].val, d.left)
	if d.form == Pickle {
		d.left -= len(text)
	}
	return text, err
}

// Raw is a member as the record holds it, nil for one that is absent.
func (d *Document) Raw(name string) []byte {
	if i := d.at(name); i >= 0 {
		return d.members[i].raw
	}
	return nil
}

// Set replaces or appends a member. What the form cannot hold is
// sojourn.ErrUnsupported, what is no JSON sojourn.ErrInvalid; the document is
// then as before.
func (d *Document) Set(name string, raw json.RawMessage) error {
	v, err := fromJSON(raw)
	if err == nil {
		v.raw, err = encode(d.form, v)
	}
	if err != nil {
		return fmt.Errorf("member %q: %w", name, err)
	}
	d.changed = true
	if i := d.at(name); i >= 0 {
		d.members[i].val, d.members[i].raw = v, v.raw
	} else {
		d.members = append(d.members, member{key: &value{kind: kindStr, text: name}, val: v, raw: v.raw})
	}
	if d.form == Pickle {
		d.added = append(appendPickleStr(d.added, name), v.raw...)
		d.added = append(d.added, opSetItem)
	}
	return nil
}

// Delete removes a member, if it is there. A pickle's cannot be removed.
func (d *Document) Delete(name string) error {
	i := d.at(name)
	if i < 0 {
		return nil
	}
	if d.form == Pickle {
		return unsupported("member %q: nothing can be deleted from a pickle; set it to null", name)
	}
	d.members, d.changed = slices.Delete(d.members, i, i+1), true
	return nil
}

func encode(form Form, v *value) ([]byte, error) {
	switch form {
	case Tagged:
		return appendTagged(nil, v)
	case JSON:
		return appendPlain(nil, v)
	case Msgpack:
		return appendMsgpack(nil, v)
	}
	return appendPickle(nil, v)
}

// Bytes is the record. It has been read back.
func (d *Document) Bytes() ([]byte, error) {
	if !d.changed {
		return bytes.Clone(d.record), nil
	}
	var record []byte
	switch d.form {
	case Tagged, JSON:
		record = d.object()
	case Msgpack:
		record = appendMapHeader(nil, len(d.members))
		for _, m := range d.members {
			if record = append(record, m.key.raw...); m.key.raw == nil {
				record = appendMsgpackStr(record, m.key.text)
			}
			record = append(record, m.raw...)
		}
	case Pickle:
		var err error
		if record, err = splicePickle(d.record, d.added); err != nil {
			return nil, err
		}
	}
	back, err := Parse(d.form, record)
	if err != nil {
		return nil, fmt.Errorf("flaskformat: what was to be written cannot be read: %w", err)
	}
	if !slices.Equal(back.Names(), d.Names()) {
		return nil, fmt.Errorf("flaskformat: members %q would be read back as %q", d.Names(), back.Names())
	}
	for i, m := range d.members {
		if !bytes.Equal(back.members[i].raw, m.raw) && d.form != Pickle {
			return nil, fmt.Errorf("flaskformat: member %q would be read back differently", m.key.text)
		}
	}
	return record, nil
}

// object is the record as JSON.
func (d *Document) object() []byte {
	escaped := d.form == Tagged && len(d.members) == 1 && isTag(d.members[0].key.text)
	out := []byte{'{'}
	for i, m := range d.members {
		if i > 0 {
			out = append(out, ',')
		}
		switch {
		case escaped:
			out = appendASCII(append(out, `" di":{`...), m.key.text+"__")
		case m.key.raw != nil:
			out = append(out, m.key.raw...)
		default:
			out = appendASCII(out, m.key.text)
		}
		out = append(append(out, ':'), m.raw...)
	}
	if escaped {
		out = append(out, '}')
	}
	return append(out, '}')
}
