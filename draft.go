package sojourn

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// An op is one recorded change. Commits replay ops, never differences between
// objects, so that they mean the same on whatever record they land.
type op struct {
	kind opKind
	key  string
	raw  []byte             // opSet: the value
	n    int64              // opAdd: the addend
	fn   func(*draft) error // opFunc
}

type opKind uint8

const (
	opSet    opKind = iota
	opDelete        // idempotent, as opSet: a repeated commit needs no nonce
	opAdd           // must happen exactly once
	opFunc          // must happen exactly once; changes members
	opMeta          // idempotent; changes the head only
)

func (k opKind) once() bool { return k == opAdd || k == opFunc }

// callers reports whether fn may be a caller's, which must not use the session.
func (o *op) callers() bool { return o.kind == opFunc || o.kind == opMeta && o.key == metaBind }

// A draft is a record being changed: its decoded head, and the members that
// differ from it.
type draft struct {
	head   head
	dirty  []change // newest last; at most one per key
	limits *Options
	now    int64
	extend bool // an op moves the idle deadline
}

type change struct {
	key     string
	raw     []byte
	deleted bool
}

func (d *draft) get(key string) ([]byte, bool) {
	for i := len(d.dirty) - 1; i >= 0; i-- {
		if d.dirty[i].key == key {
			return d.dirty[i].raw, !d.dirty[i].deleted
		}
	}
	return d.head.member(key)
}

func (d *draft) put(c change) {
	for i := range d.dirty {
		if d.dirty[i].key == c.key {
			d.dirty = append(append(d.dirty[:i:i], d.dirty[i+1:]...), c)
			return
		}
	}
	d.dirty = append(d.dirty, c)
}

func (d *draft) set(key string, raw []byte) error {
	if err := d.limits.checkKey(key); err != nil {
		return err
	}
	if len(raw) > d.limits.MaxRecord {
		return fmt.Errorf("%w: member %q has %d bytes, the session may have %d", ErrTooLarge, key, len(raw), d.limits.MaxRecord)
	}
	if d.limits.check != nil {
		if err := d.limits.check(key, raw); err != nil {
			return err
		}
	}
	d.put(change{key: key, raw: raw})
	return nil
}

func (d *draft) delete(key string) {
	if _, ok := d.get(key); ok {
		d.put(change{key: key, deleted: true})
	}
}

func (d *draft) add(key string, n int64) (int64, error) {
	v := int64(0)
	if raw, ok := d.get(key); ok {
		var err error
		if v, err = decodeInt(key, raw); err != nil {
			return 0, err
		}
	}
	sum := v + n
	if (sum > v) != (n > 0) && n != 0 {
		return 0, fmt.Errorf("%w: counter %q would overflow 64 bits", ErrInvalid, key)
	}
	return sum, d.set(key, strconv.AppendInt(nil, sum, 10))
}

func decodeInt(key string, raw []byte) (int64, error) {
	v, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is %s, expected a whole number of 64 bits", ErrType, key, jsonKind(raw))
	}
	return v, nil
}

func (d *draft) apply(o *op) error {
	switch o.kind {
	case opSet:
		return d.set(o.key, o.raw)
	case opDelete:
		d.delete(o.key)
		return nil
	case opAdd:
		_, err := d.add(o.key, o.n)
		return err
	default:
		return o.fn(d)
	}
}

// encode writes the whole payload.
func (d *draft) encode() ([]byte, error) {
	count := int(d.head.count)
	for i := range d.dirty {
		c := &d.dirty[i]
		if _, had := d.head.member(c.key); had != !c.deleted {
			if had {
				count--
			} else {
				count++
			}
		}
	}
	if count > max(d.limits.MaxMembers, int(d.head.count)) {
		return nil, fmt.Errorf("%w: %d members, the session may have %d", ErrTooLarge, count, d.limits.MaxMembers)
	}
	scratch := scratches.Get().(*[]byte)
	defer scratches.Put(scratch)
	b := d.head.appendTo((*scratch)[:0])
	b = binary.AppendUvarint(b, uint64(count))
	own := len(b) // not bounded, so that the core's upkeep never fails a full session
	for k, v := range d.head.entries() {
		if !d.changed(k) {
			b = appendBytes(b, k)
			b = appendBytes(b, v)
		}
	}
	for i := range d.dirty {
		if c := &d.dirty[i]; !c.deleted {
			b = appendBytes(b, c.key)
			b = appendBytes(b, c.raw)
		}
	}
	if size := len(b) - own; size > max(d.limits.MaxRecord, len(d.head.members())) { // one beyond a lowered limit may shrink
		return nil, fmt.Errorf("%w: the session would have %d bytes, it may have %d", ErrTooLarge, size, d.limits.MaxRecord)
	}
	*scratch = b[:0]
	exact := make([]byte, len(b)) // a store may keep it for long
	copy(exact, b)
	return exact, nil
}

// scratches hold payloads while they are written and their size is not known.
var scratches = sync.Pool{New: func() any { return new([]byte) }}

// nearFull reports whether only encoding can tell if the limits hold.
func (d *draft) nearFull() bool {
	size := len(d.head.rest)
	for i := range d.dirty {
		size += len(d.dirty[i].key) + len(d.dirty[i].raw) + 8
	}
	return size > d.limits.MaxRecord || int(d.head.count)+len(d.dirty) > d.limits.MaxMembers
}

func (d *draft) changed(key []byte) bool {
	for i := range d.dirty {
		if d.dirty[i].key == string(key) {
			return true
		}
	}
	return false
}

// members copies all of them out.
func (d *draft) members() map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, int(d.head.count)+len(d.dirty))
	for k, v := range d.head.entries() {
		out[string(k)] = append(json.RawMessage(nil), v...)
	}
	for i := range d.dirty {
		if c := &d.dirty[i]; c.deleted {
			delete(out, c.key)
		} else {
			out[c.key] = append(json.RawMessage(nil), c.raw...)
		}
	}
	return out
}

func (o *Options) checkKey(key string) error {
	if len(key) > o.MaxKey {
		return fmt.Errorf("%w: member name of %d bytes, expected at most %d", ErrTooLarge, len(key), o.MaxKey)
	}
	if key == "" || !utf8.ValidString(key) {
		return fmt.Errorf("%w: member name %q, expected UTF-8 text that is not empty", ErrInvalid, key)
	}
	return nil
}

// jsonKind names what a raw value is, for errors that must not show it.
func jsonKind(raw []byte) string {
	if len(raw) == 0 {
		return "empty"
	}
	switch raw[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// deadline is the idle deadline of a session that is used now.
func (d *draft) deadline(m *Manager) time.Time {
	p := m.policyOf(&d.head)
	return time.UnixMilli(min(d.now+p.Idle.Milliseconds(), d.head.absolute))
}
