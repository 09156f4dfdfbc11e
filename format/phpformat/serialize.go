package phpformat

import (
	"bytes"
	"strconv"
)

// A writer writes values as serialize() does. What was read and holds no
// reference keeps its bytes. References are numbered anew: a value that an R: or
// r: meant and that is gone stands in the place of the first of them.
type writer struct {
	buf   []byte
	slots map[*value]int // where R: and r: find it, from 1
	n     int            // slots taken
}

func newWriter() *writer { return &writer{slots: map[*value]int{}} }

// value appends v. linked tells that the record holds references, so that slots
// must be counted.
func (w *writer) value(v *value, linked bool) {
	if !linked && v.raw != nil {
		w.buf = append(w.buf, v.raw...)
		return
	}
	switch v.kind {
	case kindRef:
		if at := w.slots[v.target]; at != 0 {
			w.buf = append(strconv.AppendInt(append(w.buf, "R:"...), int64(at), 10), ';')
		} else {
			w.value(v.target, linked)
		}
		return
	case kindSame:
		if at := w.slots[v.target.object()]; at != 0 {
			w.take(v)
			w.buf = append(strconv.AppendInt(append(w.buf, "r:"...), int64(at), 10), ';')
		} else {
			w.value(v.target.object(), linked)
			w.slots[v] = w.slots[v.target.object()]
		}
		return
	}
	w.take(v)
	if v.raw != nil && v.kind != kindArray && v.kind != kindObject {
		w.buf = append(w.buf, v.raw...)
		return
	}
	switch v.kind {
	case kindNull:
		w.buf = append(w.buf, "N;"...)
	case kindBool:
		w.buf = append(w.buf, 'b', ':', byte('0'+v.num), ';')
	case kindInt:
		w.buf = append(strconv.AppendInt(append(w.buf, "i:"...), v.num, 10), ';')
	case kindFloat:
		w.buf = append(appendFloat(append(w.buf, "d:"...), v.float), ';')
	case kindString:
		w.quoted("s:", v.text, ";")
	case kindEnum:
		w.quoted("E:", v.text, ";")
	case kindCustom:
		w.quoted("C:", v.text, ":")
		w.buf = strconv.AppendInt(w.buf, int64(len(v.data)), 10)
		w.buf = append(append(append(w.buf, ":{"...), v.data...), '}')
	case kindArray:
		w.buf = append(w.buf, "a:"...)
		w.entries(v, linked)
	case kindObject:
		w.quoted("O:", v.text, ":")
		w.entries(v, linked)
	}
}

// take gives v the next slot.
func (w *writer) take(v *value) {
	w.n++
	w.slots[v] = w.n
}

func (w *writer) quoted(before, s, after string) {
	w.buf = strconv.AppendInt(append(w.buf, before...), int64(len(s)), 10)
	w.buf = append(append(append(append(w.buf, ':', '"'), s...), '"'), after...)
}

func (w *writer) entries(v *value, linked bool) {
	w.buf = append(strconv.AppendInt(w.buf, int64(len(v.items)), 10), ":{"...)
	for i, k := range v.keys {
		w.key(k)
		w.value(v.items[i], linked)
	}
	w.buf = append(w.buf, '}')
}

func (w *writer) key(k key) {
	switch {
	case k.raw != nil:
		w.buf = append(w.buf, k.raw...)
	case k.isInt:
		w.buf = append(strconv.AppendInt(append(w.buf, "i:"...), k.num, 10), ';')
	default:
		w.quoted("s:", k.text, ";")
	}
}

// appendFloat writes f as PHP does with serialize_precision -1: the shortest
// digits that read back, 1.0E+25 beyond 17 of them.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, "NAN"...)
	case f-f != 0 && f > 0:
		return append(dst, "INF"...)
	case f-f != 0:
		return append(dst, "-INF"...)
	}
	var short [32]byte
	digits, power, _ := bytes.Cut(strconv.AppendFloat(short[:0], f, 'e', -1, 64), []byte{'e'})
	exponent, _ := strconv.Atoi(string(power))
	if exponent >= -5+1 && exponent < 17 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = append(dst, digits...)
	if !bytes.ContainsRune(digits, '.') {
		dst = append(dst, ".0"...)
	}
	dst = append(dst, 'E')
	if exponent > 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(exponent), 10)
}
