// Package jsontree reads JSON into a tree that keeps what encoding/json's any
// loses: the order of members and the digits of numbers. Formats of other
// languages are written from it.
//
// It also has the two pieces that a view of foreign values in JSON needs: text of
// strings that may be no UTF-8, and marks. A mark is a member name that begins
// with "@", such as "@bytes", and says what JSON has no word for; a real name that
// looks like one is written with one "@" more.
package jsontree

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Kind says what a value is.
type Kind byte

const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// A Value is one JSON value.
type Value struct {
	Kind  Kind
	Bool  bool
	Text  string   // of a String, and the digits of a Number
	Keys  []string // of an Object, beside Items; a repeated name is kept once, with its last value
	Items []Value  // of an Array or Object
}

var errDeep = errors.New("nested too deeply")

// Parse reads one value. Nesting deeper than depth is refused.
func Parse(raw []byte, depth int) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := parse(d, depth)
	if err != nil {
		return Value{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return Value{}, errors.New("expected one JSON value, was given more")
	}
	return v, nil
}

func parse(d *json.Decoder, depth int) (v Value, err error) {
	t, err := d.Token()
	if err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return v, err
	}
	switch t := t.(type) {
	case nil:
		return v, nil
	case bool:
		return Value{Kind: Bool, Bool: t}, nil
	case json.Number:
		return Value{Kind: Number, Text: t.String()}, nil
	case string:
		return Value{Kind: String, Text: t}, nil
	}
	if depth <= 0 {
		return v, errDeep
	}
	v.Kind = Array
	var at map[string]int
	if t == json.Delim('{') {
		v.Kind, at = Object, map[string]int{}
	}
	for d.More() {
		i := len(v.Items)
		if v.Kind == Object {
			t, err := d.Token()
			if err != nil {
				return v, err
			}
			key := t.(string)
			if earlier, ok := at[key]; ok {
				i = earlier
			} else {
				at[key] = i
				v.Keys = append(v.Keys, key)
			}
		}
		item, err := parse(d, depth-1)
		if err != nil {
			return v, err
		}
		if i == len(v.Items) {
			v.Items = append(v.Items, item)
		} else {
			v.Items[i] = item
		}
	}
	_, err = d.Token()
	return v, err
}

// Int is a Number's value if it is a whole one of 64 bits.
func (v Value) Int() (int64, bool) {
	if v.Kind != Number || strings.ContainsAny(v.Text, ".eE") {
		return 0, false
	}
	n, err := strconv.ParseInt(v.Text, 10, 64)
	return n, err == nil
}

// Whole reports whether a Number is written without fraction and exponent.
func (v Value) Whole() bool { return v.Kind == Number && !strings.ContainsAny(v.Text, ".eE") }

// Float is a Number's value, false beyond the range of a float64.
func (v Value) Float() (float64, bool) {
	f, err := strconv.ParseFloat(v.Text, 64)
	return f, v.Kind == Number && err == nil
}

// Mark returns the mark of an object whose only member it is, with that member.
func (v Value) Mark() (mark string, item Value) {
	if v.Kind == Object && len(v.Keys) == 1 && strings.HasPrefix(v.Keys[0], "@") && !strings.HasPrefix(v.Keys[0], "@@") {
		return v.Keys[0], v.Items[0]
	}
	return "", Value{}
}

// AppendString appends s as a JSON string; what is no UTF-8 in it is replaced.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		}
		i++
	}
	return append(dst, '"')
}

// AppendText appends s as a JSON string if it is UTF-8, else as {"@bytes":"…"},
// in standard base64.
func AppendText(dst []byte, s string) []byte {
	if utf8.ValidString(s) {
		return AppendString(dst, s)
	}
	return AppendBytes(dst, s)
}

// AppendBytes appends {"@bytes":"…"}.
func AppendBytes(dst []byte, s string) []byte {
	dst = append(dst, `{"@bytes":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, []byte(s))
	return append(dst, `"}`...)
}

// AppendName appends a member's name: with one "@" more if it looks like a mark,
// and as "@bytes:" and base64 if it is no UTF-8.
func AppendName(dst []byte, name string) []byte {
	switch {
	case !utf8.ValidString(name):
		name = "@bytes:" + base64.StdEncoding.EncodeToString([]byte(name))
	case strings.HasPrefix(name, "@"):
		name = "@" + name
	}
	return AppendString(dst, name)
}

// Name undoes AppendName. It is false for a mark.
func Name(text string) (name string, ok bool) {
	if rest, is := strings.CutPrefix(text, "@bytes:"); is {
		b, err := base64.StdEncoding.DecodeString(rest)
		return string(b), err == nil
	}
	if rest, is := strings.CutPrefix(text, "@"); is {
		return rest, strings.HasPrefix(rest, "@")
	}
	return text, true
}

// Bytes is the content of a {"@bytes":"…"}.
func (v Value) Bytes() (string, error) {
	if v.Kind == String {
		if b, err := base64.StdEncoding.DecodeString(v.Text); err == nil {
			return string(b), nil
		}
	}
	return "", errors.New(`"@bytes": expected a string of standard base64`)
}

// AppendFloat appends f so that it stays a float: 1 as 1.0. What JSON cannot
// write becomes {"@float":"NaN"}, "Infinity" or "-Infinity".
func AppendFloat(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, `{"@float":"NaN"}`...)
	case f > maxFloat:
		return append(dst, `{"@float":"Infinity"}`...)
	case f < -maxFloat:
		return append(dst, `{"@float":"-Infinity"}`...)
	}
	begin := len(dst)
	form := byte('f')
	if f != 0 && (f < 1e-4 && f > -1e-4 || f >= 1e17 || f <= -1e17) {
		form = 'e'
	}
	dst = strconv.AppendFloat(dst, f, form, -1, 64)
	if !bytes.ContainsAny(dst[begin:], ".e") {
		dst = append(dst, '.', '0')
	}
	return dst
}

const maxFloat = 0x1p1023 * (1 + (1 - 0x1p-52))

// SpecialFloat is the content of a {"@float":"…"}.
func (v Value) SpecialFloat() (float64, error) {
	switch {
	case v.Kind == Number:
		if f, ok := v.Float(); ok {
			return f, nil
		}
	case v.Kind == String && (v.Text == "NaN" || v.Text == "Infinity" || v.Text == "-Infinity"):
		return strconv.ParseFloat(v.Text, 64)
	}
	return 0, fmt.Errorf(`"@float": expected "NaN", "Infinity", "-Infinity" or a number`)
}
