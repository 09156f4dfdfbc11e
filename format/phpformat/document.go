package phpformat

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/sojournhq/sojourn"
)

// A Document is the record of one session, taken apart into its members. What is
// not replaced keeps its bytes. It is not safe for parallel use.
type Document struct {
	handler Handler
	members []member
	all     *value // the array that the record is, where it is one
	linked  bool   // R: or r: somewhere
	opaque  bool   // C: somewhere: nobody knows how many slots it takes
	shifted bool   // a member before others was replaced or deleted
	left    int    // bytes of JSON that may still be made of references
	views   map[*value][]byte
}

type member struct {
	name string
	val  *value
	raw  []byte // the key as php_serialize had it, nil for new ones
}

// Parse takes a record apart. No bytes are an empty session. Errors are
// sojourn.ErrCorrupt: PHP would destroy the session; and sojourn.ErrTooLarge.
func Parse(h Handler, record []byte) (*Document, error) {
	if len(record) > MaxSize {
		return nil, fmt.Errorf("%w: a record of %d bytes, expected at most %d", sojourn.ErrTooLarge, len(record), MaxSize)
	}
	d := &Document{handler: h, left: maxView(len(record)), views: map[*value][]byte{}}
	if len(record) == 0 {
		return d, h.check()
	}
	if err := h.read(d, record); err != nil {
		return nil, err
	}
	for _, m := range d.members {
		d.linked = d.linked || m.val.linked
		d.opaque = d.opaque || opaque(m.val)
	}
	return d, nil
}

func opaque(v *value) bool { return v.kind == kindCustom || slices.ContainsFunc(v.items, opaque) }

// add takes a member that was read: a repeated one replaces the earlier in its place.
func (d *Document) add(seen map[string]int, m member) {
	if at, ok := seen[m.name]; ok {
		d.members[at] = m
		d.shifted = true // the record has more values than we shall write
		return
	}
	seen[m.name] = len(d.members)
	d.members = append(d.members, m)
}

// Names are the members' names in the order of the record. They are bytes, not
// always UTF-8.
func (d *Document) Names() []string {
	names := make([]string, len(d.members))
	for i, m := range d.members {
		names[i] = m.name
	}
	return names
}

func (d *Document) at(name string) int {
	return slices.IndexFunc(d.members, func(m member) bool { return m.name == name })
}

// JSON is the view of a member, nil if there is none. The error is
// sojourn.ErrTooLarge where references make little mean too much.
func (d *Document) JSON(name string) (json.RawMessage, error) {
	i := d.at(name)
	if i < 0 {
		return nil, nil
	}
	return d.view(d.members[i].val)
}

func (d *Document) view(v *value) (text []byte, err error) {
	if !v.linked {
		return view(v, math.MaxInt)
	}
	if text, ok := d.views[v]; ok {
		return text, nil
	}
	if text, err = view(v, d.left); err == nil {
		d.left -= len(text)
		d.views[v] = text
	}
	return text, err
}

// Raw is a member as the record holds it: serialize()'s text, nil for igbinary
// and for a member that is absent or was set.
func (d *Document) Raw(name string) []byte {
	if i := d.at(name); i >= 0 {
		return d.members[i].val.raw
	}
	return nil
}

// Set replaces or appends a member. What PHP or the handler cannot hold is
// sojourn.ErrUnsupported, what is no JSON sojourn.ErrInvalid; the document is
// then as before.
func (d *Document) Set(name string, raw json.RawMessage) error { return d.set(name, raw, false) }

// SetTrusted is Set for values from the PHP application's own owner: they may be
// objects of any class and enums. Never give it what came from a client.
func (d *Document) SetTrusted(name string, raw json.RawMessage) error { return d.set(name, raw, true) }

func (d *Document) set(name string, raw json.RawMessage, trusted bool) error {
	if err := d.handler.allows(name); err != nil {
		return err
	}
	v, err := fromJSON(raw, trusted)
	if err != nil {
		return fmt.Errorf("member %q: %w", name, err)
	}
	if i := d.at(name); i >= 0 {
		if err := d.movable(); err != nil {
			return fmt.Errorf("member %q: %w", name, err)
		}
		d.members[i].val, d.shifted = v, true
		return nil
	}
	d.members = append(d.members, member{name: name, val: v})
	return nil
}

// Delete removes a member, if it is there.
func (d *Document) Delete(name string) error {
	i := d.at(name)
	if i < 0 {
		return nil
	}
	if err := d.movable(); err != nil {
		return fmt.Errorf("member %q: %w", name, err)
	}
	d.members, d.shifted = slices.Delete(d.members, i, i+1), true
	return nil
}

// movable refuses to change what stands before references that cannot be
// numbered anew.
func (d *Document) movable() error {
	if d.linked && d.opaque && d.handler != Igbinary {
		return fmt.Errorf("%w: %w", sojourn.ErrUnsupported, errReferences)
	}
	return nil
}

// Bytes is the record. It has been read back and compared: PHP destroys a
// session whose record it cannot read.
func (d *Document) Bytes() ([]byte, error) {
	if d.shifted {
		if err := d.movable(); err != nil {
			return nil, err
		}
	}
	record := d.handler.write(d)
	if len(record) > MaxSize {
		return nil, fmt.Errorf("%w: a record of %d bytes, expected at most %d", sojourn.ErrTooLarge, len(record), MaxSize)
	}
	back, err := Parse(d.handler, record)
	if err != nil {
		return nil, fmt.Errorf("phpformat: what was to be written cannot be read: %w", err)
	}
	if len(back.members) != len(d.members) {
		return nil, fmt.Errorf("phpformat: of %d members, %d would be read back", len(d.members), len(back.members))
	}
	for i, m := range d.members {
		if back.members[i].name != m.name {
			return nil, fmt.Errorf("phpformat: member %q would be read back under another name", m.name)
		}
		if !d.linked && m.val.raw != nil { // written as it was
			continue
		}
		before, err := d.view(m.val)
		if err != nil {
			return nil, err
		}
		if after, err := back.view(back.members[i].val); err != nil || string(after) != string(before) {
			return nil, fmt.Errorf("phpformat: member %q would be read back differently", m.name)
		}
	}
	return record, nil
}
