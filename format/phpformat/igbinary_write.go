package phpformat

import (
	"encoding/binary"
	"math"
	"strings"
)

// An igWriter writes igbinary as the extension does with its defaults: every
// string once, later ones by number.
type igWriter struct {
	buf     []byte
	strings map[string]int
	values  map[*value]int
	n       int // arrays, objects and shared values so far
}

// writeIgbinary writes a record. all is the array it was, for references to it.
func writeIgbinary(all *value, members []member) []byte {
	w := &igWriter{buf: append([]byte(nil), igHeader...), strings: map[string]int{}, values: map[*value]int{}}
	w.number(all)
	w.sized(igArray8, uint64(len(members)))
	for _, m := range members {
		w.key(textKey(m.name))
		w.value(m.val)
	}
	return w.buf
}

func (w *igWriter) number(v *value) {
	if v != nil {
		w.values[v] = w.n
	}
	w.n++
}

// sized appends a type in the width that n needs, and n.
func (w *igWriter) sized(tag byte, n uint64) {
	switch {
	case n <= math.MaxUint8:
		w.buf = append(w.buf, tag, byte(n))
	case n <= math.MaxUint16:
		w.buf = binary.BigEndian.AppendUint16(append(w.buf, tag+1), uint16(n))
	default:
		w.buf = binary.BigEndian.AppendUint32(append(w.buf, tag+2), uint32(n))
	}
}

func (w *igWriter) text(fresh, again byte, s string) {
	if id, ok := w.strings[s]; ok {
		w.sized(again, uint64(id))
		return
	}
	w.strings[s] = len(w.strings)
	w.sized(fresh, uint64(len(s)))
	w.buf = append(w.buf, s...)
}

func (w *igWriter) string(s string) {
	if s == "" {
		w.buf = append(w.buf, igEmpty)
		return
	}
	w.text(igString8, igStringID8, s)
}

func (w *igWriter) integer(n int64) {
	tag, u := byte(igPositive8), uint64(n)
	if n < 0 {
		tag, u = igNegative8, -u
	}
	switch {
	case u <= math.MaxUint8:
		w.buf = append(w.buf, tag, byte(u))
	case u <= math.MaxUint16:
		w.buf = binary.BigEndian.AppendUint16(append(w.buf, tag+2), uint16(u))
	case u <= math.MaxUint32:
		w.buf = binary.BigEndian.AppendUint32(append(w.buf, tag+4), uint32(u))
	default:
		w.buf = binary.BigEndian.AppendUint64(append(w.buf, tag-igPositive8+igPositive64), u)
	}
}

func (w *igWriter) key(k key) {
	if k.isInt {
		w.integer(k.num)
		return
	}
	w.string(k.text)
}

// value appends v. What another value referred to and that is gone stands in the
// place of the first reference to it.
func (w *igWriter) value(v *value) {
	if v.shared {
		w.buf = append(w.buf, igReference)
	}
	real := v
	for real.kind == kindRef || real.kind == kindSame {
		real = real.target
	}
	at, known := w.values[real]
	switch {
	case real == v || !known:
		w.body(real, v.shared)
	case real.object() != nil:
		w.sized(igObjectRef8, uint64(at))
	default:
		w.sized(igArrayRef8, uint64(at))
	}
}

func (w *igWriter) body(v *value, shared bool) {
	class := v.text
	switch v.kind {
	case kindArray:
		w.number(v)
		w.entries(v)
	case kindObject:
		w.text(igObject8, igObjectID8, class)
		w.number(v)
		w.entries(v)
	case kindCustom:
		w.text(igObject8, igObjectID8, class)
		w.number(v)
		w.sized(igCustom8, uint64(len(v.data)))
		w.buf = append(w.buf, v.data...)
	case kindEnum:
		class, name, _ := strings.Cut(v.text, ":")
		w.text(igObject8, igObjectID8, class)
		w.number(v)
		w.buf = append(w.buf, igEnum)
		w.string(name)
	default:
		if shared {
			w.number(v)
		}
		w.scalar(v)
	}
}

func (w *igWriter) scalar(v *value) {
	switch v.kind {
	case kindNull:
		w.buf = append(w.buf, igNull)
	case kindBool:
		w.buf = append(w.buf, igFalse+byte(v.num))
	case kindInt:
		w.integer(v.num)
	case kindFloat:
		w.buf = binary.BigEndian.AppendUint64(append(w.buf, igFloat), math.Float64bits(v.float))
	case kindString:
		w.string(v.text)
	}
}

func (w *igWriter) entries(v *value) {
	w.sized(igArray8, uint64(len(v.items)))
	for i, k := range v.keys {
		w.key(k)
		w.value(v.items[i])
	}
}
