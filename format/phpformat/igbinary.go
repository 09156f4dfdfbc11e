package phpformat

import (
	"encoding/binary"
	"math"
)

// The types of igbinary's format, version 2. Numbers and lengths are big-endian;
// where there are three or four of one kind, they have 8, 16, 32 and 64 bits.
const (
	igNull       = 0x00
	igArrayRef8  = 0x01 // …03: an array or a referenced value that was before
	igFalse      = 0x04
	igTrue       = 0x05
	igPositive8  = 0x06 // and 08, 0a: a positive integer; 07, 09, 0b: a negative one
	igNegative8  = 0x07
	igFloat      = 0x0c
	igEmpty      = 0x0d
	igStringID8  = 0x0e // …10: a string that was before
	igString8    = 0x11 // …13
	igArray8     = 0x14 // …16
	igObject8    = 0x17 // …19: an object, with the name of its class
	igObjectID8  = 0x1a // …1c: an object, its class a string that was before
	igCustom8    = 0x1d // …1f: what an object wrote about itself
	igPositive64 = 0x20
	igNegative64 = 0x21
	igObjectRef8 = 0x22 // …24: an object that was before
	igReference  = 0x25 // the next value is one that several variables share
	igString64   = 0x26
	igEnum       = 0x27
)

var igHeader = []byte{0, 0, 0, 2}

// An igReader reads igbinary. Every new string, key and class name gets the next
// number in strings; every array, object and shared value the next in values.
type igReader struct {
	data    []byte
	pos     int
	strings []string
	values  []*value
}

// readIgbinary reads a record: one array.
func readIgbinary(record []byte) (*value, error) {
	r := &igReader{data: record}
	header, err := r.take(4)
	if err != nil || binary.BigEndian.Uint32(header) != 1 && binary.BigEndian.Uint32(header) != 2 {
		return nil, corrupt(0, "expected igbinary's header, version 2")
	}
	v, err := r.value(MaxDepth)
	if err == nil && v.kind != kindArray {
		err = corrupt(4, "expected an array")
	}
	return v, err
}

func (r *igReader) fail(what string) error { return corrupt(r.pos, "%s", what) }

func (r *igReader) take(n int) ([]byte, error) {
	if n < 0 || n > len(r.data)-r.pos {
		return nil, r.fail("the record ends too early")
	}
	r.pos += n
	return r.data[r.pos-n : r.pos], nil
}

// number reads an unsigned number of 1 << size bytes.
func (r *igReader) number(size byte) (uint64, error) {
	b, err := r.take(1 << size)
	if err != nil {
		return 0, err
	}
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n, nil
}

// count reads a number that so many bytes are left for.
func (r *igReader) count(size byte) (int, error) {
	n, err := r.number(size)
	if err == nil && n > uint64(len(r.data)-r.pos) {
		err = r.fail("a count that the record has no bytes for")
	}
	return int(n), err
}

func (r *igReader) tag() (byte, error) {
	b, err := r.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (r *igReader) newString(size byte) (string, error) {
	n, err := r.count(size)
	if err != nil {
		return "", err
	}
	b, err := r.take(n)
	if err != nil {
		return "", err
	}
	s := string(b)
	r.strings = append(r.strings, s)
	return s, nil
}

func (r *igReader) oldString(size byte) (string, error) {
	n, err := r.number(size)
	if err == nil && n >= uint64(len(r.strings)) {
		err = r.fail("a string that was not there")
	}
	if err != nil {
		return "", err
	}
	return r.strings[n], nil
}

// text reads a string by its type, false if the type is another.
func (r *igReader) text(tag byte) (s string, is bool, err error) {
	switch {
	case tag == igEmpty:
		return "", true, nil
	case tag >= igStringID8 && tag < igStringID8+3:
		s, err = r.oldString(tag - igStringID8)
		return s, true, err
	case tag >= igString8 && tag < igString8+3:
		s, err = r.newString(tag - igString8)
		return s, true, err
	case tag == igString64:
		s, err = r.newString(3)
		return s, true, err
	}
	return "", false, nil
}

// integer reads an integer by its type, false if the type is another.
func (r *igReader) integer(tag byte) (n int64, is bool, err error) {
	size := byte(3)
	negative := tag == igNegative64
	switch {
	case tag >= igPositive8 && tag < igFloat:
		size, negative = (tag-igPositive8)/2, tag&1 == 1
	case tag != igPositive64 && tag != igNegative64:
		return 0, false, nil
	}
	u, err := r.number(size)
	if u > math.MaxInt64 && !(negative && u == 1<<63) {
		u = 0 // as in PHP
	}
	if n = int64(u); negative {
		n = -n
	}
	return n, true, err
}

func (r *igReader) value(depth int) (*value, error) {
	tag, err := r.tag()
	if err != nil {
		return nil, err
	}
	return r.typed(tag, depth, false)
}

// typed reads the value of a type. shared tells that igReference was before it.
func (r *igReader) typed(tag byte, depth int, shared bool) (*value, error) {
	v := &value{}
	if n, is, err := r.integer(tag); is {
		v.kind, v.num = kindInt, n
		return r.note(v, shared), err
	}
	if s, is, err := r.text(tag); is {
		v.kind, v.text = kindString, s
		return r.note(v, shared), err
	}
	switch {
	case tag == igNull:
	case tag == igFalse:
		v.kind = kindBool
	case tag == igTrue:
		v.kind, v.num = kindBool, 1
	case tag == igFloat:
		n, err := r.number(3)
		if err != nil {
			return nil, err
		}
		v.kind, v.float = kindFloat, math.Float64frombits(n)
	case tag >= igArray8 && tag < igArray8+3:
		v.kind = kindArray
		r.values = append(r.values, v)
		return v, r.entries(v, tag-igArray8, depth)
	case tag >= igObject8 && tag < igObject8+3, tag >= igObjectID8 && tag < igObjectID8+3:
		return v, r.object(v, tag, depth)
	case tag >= igArrayRef8 && tag < igArrayRef8+3:
		return v, r.earlier(v, kindRef, tag-igArrayRef8)
	case tag >= igObjectRef8 && tag < igObjectRef8+3:
		v.kind = kindSame
		if shared {
			v.kind = kindRef
		}
		return v, r.earlier(v, v.kind, tag-igObjectRef8)
	case tag == igReference && !shared:
		tag, err := r.tag()
		if err != nil {
			return nil, err
		}
		v, err := r.typed(tag, depth, true)
		if v != nil {
			v.shared = true
		}
		return v, err
	default:
		return nil, r.fail("there is no such type")
	}
	return r.note(v, shared), nil
}

// note numbers a shared value that is neither array nor object.
func (r *igReader) note(v *value, shared bool) *value {
	if shared {
		r.values = append(r.values, v)
	}
	return v
}

func (r *igReader) earlier(v *value, k kind, size byte) error {
	n, err := r.number(size)
	if err == nil && n >= uint64(len(r.values)) {
		err = r.fail("a value that was not there")
	}
	if err != nil {
		return err
	}
	v.kind, v.target, v.linked = k, r.values[n], true
	return nil
}

func (r *igReader) object(v *value, tag byte, depth int) (err error) {
	if tag >= igObjectID8 {
		v.text, err = r.oldString(tag - igObjectID8)
	} else {
		v.text, err = r.newString(tag - igObject8)
	}
	if err != nil {
		return err
	}
	v.kind = kindObject
	r.values = append(r.values, v)
	inner, err := r.tag()
	if err != nil {
		return err
	}
	switch {
	case inner >= igArray8 && inner < igArray8+3:
		return r.entries(v, inner-igArray8, depth)
	case inner >= igCustom8 && inner < igCustom8+3:
		v.kind = kindCustom
		n, err := r.count(inner - igCustom8)
		if err != nil {
			return err
		}
		b, err := r.take(n)
		v.data = string(b)
		return err
	case inner == igEnum:
		tag, err := r.tag()
		if err != nil {
			return err
		}
		name, is, err := r.text(tag)
		if err == nil && !is {
			err = r.fail("expected the case of an enum")
		}
		v.kind, v.text = kindEnum, v.text+":"+name
		return err
	}
	return r.fail("expected the properties of an object")
}

func (r *igReader) entries(v *value, size byte, depth int) error {
	if depth <= 0 {
		return r.fail("nested too deeply")
	}
	n, err := r.count(size)
	if err != nil {
		return err
	}
	room := min(n, (len(r.data)-r.pos)/2)
	v.keys, v.items = make([]key, 0, room), make([]*value, 0, room)
	for range n {
		tag, err := r.tag()
		if err != nil {
			return err
		}
		if tag == igNull { // a hole
			continue
		}
		var k key
		var is bool
		if k.num, k.isInt, err = r.integer(tag); !k.isInt && err == nil {
			k.text, is, err = r.text(tag)
		}
		if err == nil && !k.isInt && !is {
			err = r.fail("expected a key, an integer or a string")
		}
		if err != nil {
			return err
		}
		if !k.isInt && v.kind == kindArray {
			k = textKey(k.text)
		}
		item, err := r.value(depth - 1)
		if err != nil {
			return err
		}
		v.keys, v.items = append(v.keys, k), append(v.items, item)
		v.linked = v.linked || item.linked
	}
	return nil
}
