package phpformat

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

// A reader reads what serialize() writes. slots are the values that R: and r:
// count: every value but keys and R: itself takes one, in the order they begin.
type reader struct {
	data  []byte
	pos   int
	slots []*value
}

func (r *reader) fail(format string, args ...any) error { return corrupt(r.pos, format, args...) }

// until takes the bytes before the next c, which it skips.
func (r *reader) until(c byte) (string, error) {
	rest := r.data[r.pos:]
	if i := bytes.IndexByte(rest[:min(len(rest), 64)], c); i >= 0 {
		r.pos += i + 1
		return string(rest[:i]), nil
	}
	return "", r.fail("expected %q", c)
}

func (r *reader) expect(s string) error {
	if !bytes.HasPrefix(r.data[r.pos:], []byte(s)) {
		return r.fail("expected %q", s)
	}
	r.pos += len(s)
	return nil
}

// count reads a number without sign, at most as many as bytes are left.
func (r *reader) count(end byte) (int, error) {
	text, err := r.until(end)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || text[0] == '+' || int(n) > len(r.data)-r.pos {
		return 0, r.fail("expected a count that the record has bytes for")
	}
	return int(n), nil
}

// quoted reads LENGTH:"BYTES" and what follows it.
func (r *reader) quoted(after string) (string, error) {
	n, err := r.count(':')
	if err != nil {
		return "", err
	}
	if err := r.expect(`"`); err != nil {
		return "", err
	}
	if n > len(r.data)-r.pos {
		return "", r.fail("the string ends beyond the record")
	}
	s := string(r.data[r.pos : r.pos+n])
	r.pos += n
	return s, r.expect(`"` + after)
}

// value reads one value.
func (r *reader) value(depth int) (*value, error) {
	if len(r.data)-r.pos < 2 {
		return nil, r.fail("expected a value")
	}
	begin, tag := r.pos, r.data[r.pos]
	v := &value{}
	if tag != 'R' {
		r.slots = append(r.slots, v)
	}
	if tag == 'N' {
		v.raw = r.data[begin : begin+2]
		return v, r.expect("N;")
	}
	if r.data[r.pos+1] != ':' {
		return nil, r.fail("expected a value")
	}
	r.pos += 2
	var err error
	switch tag {
	case 'b':
		v.kind = kindBool
		var text string
		if text, err = r.until(';'); err == nil && text != "0" && text != "1" {
			err = r.fail("expected b:0; or b:1;")
		}
		v.num = int64(len(text)) * int64(strings.Count(text, "1"))
	case 'i':
		v.kind = kindInt
		v.num, err = r.integer()
	case 'd':
		v.kind = kindFloat
		v.float, err = r.float()
	case 's':
		v.kind = kindString
		v.text, err = r.quoted(";")
	case 'S':
		v.kind = kindString
		v.text, err = r.escaped()
	case 'a':
		v.kind = kindArray
		err = r.entries(v, depth)
	case 'O':
		v.kind = kindObject
		if v.text, err = r.class(); err == nil {
			err = r.entries(v, depth)
		}
	case 'C':
		v.kind = kindCustom
		err = r.custom(v)
	case 'E':
		v.kind = kindEnum
		if v.text, err = r.quoted(";"); err == nil {
			class, name, ok := strings.Cut(v.text, ":")
			if !ok || class == "" || name == "" {
				err = r.fail("expected an enum's class and case")
			}
		}
	case 'R', 'r':
		err = r.reference(v, tag)
	default:
		err = r.fail("there is no type %q", tag)
	}
	v.raw = r.data[begin:r.pos]
	return v, err
}

func (r *reader) integer() (int64, error) {
	text, err := r.until(';')
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // beyond the range it is the nearest, as in PHP
		return 0, r.fail("expected an integer")
	}
	return n, nil
}

// float reads what PHP reads: "1", "1.5", ".5", "2.", "1e+21", "INF", "-INF", "NAN".
func (r *reader) float() (float64, error) {
	rest := r.data[r.pos:]
	i := bytes.IndexByte(rest[:min(len(rest), 2000)], ';')
	if i < 0 {
		return 0, r.fail("expected a float")
	}
	text := string(rest[:i])
	r.pos += i + 1
	switch text {
	case "INF", "-INF", "NAN":
		f, _ := strconv.ParseFloat(text, 64)
		return f, nil
	}
	if strings.Trim(text, "0123456789+-.eE") != "" {
		return 0, r.fail("expected a float")
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && f == 0 { // beyond the range it is infinite, as in PHP
		return 0, r.fail("expected a float")
	}
	return f, nil
}

// escaped reads the older S: form, in which bytes may stand as \XX.
func (r *reader) escaped() (string, error) {
	n, err := r.count(':')
	if err != nil {
		return "", err
	}
	if err := r.expect(`"`); err != nil {
		return "", err
	}
	var s strings.Builder
	for range n {
		if r.pos >= len(r.data) {
			return "", r.fail("the string ends beyond the record")
		}
		c := r.data[r.pos]
		r.pos++
		if c == '\\' {
			if len(r.data)-r.pos < 2 {
				return "", r.fail("the string ends beyond the record")
			}
			b, err := strconv.ParseUint(string(r.data[r.pos:r.pos+2]), 16, 8)
			if err != nil {
				return "", r.fail("expected two hexadecimal digits")
			}
			c = byte(b)
			r.pos += 2
		}
		s.WriteByte(c)
	}
	return s.String(), r.expect(`";`)
}

func (r *reader) class() (string, error) {
	name, err := r.quoted(":")
	if err != nil {
		return "", err
	}
	for i := range len(name) {
		c := name[i]
		if c < 0x80 && c != '_' && c != '\\' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return "", r.fail("expected the name of a class")
		}
	}
	if name == "" {
		return "", r.fail("expected the name of a class")
	}
	return name, nil
}

// entries reads the keys and values of an array or object.
func (r *reader) entries(v *value, depth int) error {
	if depth <= 0 {
		return r.fail("more than %d levels", MaxDepth)
	}
	n, err := r.count(':')
	if err != nil {
		return err
	}
	if err := r.expect("{"); err != nil {
		return err
	}
	room := min(n, (len(r.data)-r.pos)/6) // the shortest entry is i:0;N;
	v.keys, v.items = make([]key, 0, room), make([]*value, 0, room)
	for range n {
		k, err := r.key()
		if err != nil {
			return err
		}
		if !k.isInt && v.kind == kindArray { // "5" is the key 5, as in any array of PHP
			raw := k.raw
			k = textKey(k.text)
			k.raw = raw
		}
		item, err := r.value(depth - 1)
		if err != nil {
			return err
		}
		v.keys, v.items = append(v.keys, k), append(v.items, item)
		v.linked = v.linked || item.linked
	}
	return r.expect("}")
}

func (r *reader) key() (k key, err error) {
	begin := r.pos
	if len(r.data)-r.pos < 2 || r.data[r.pos+1] != ':' {
		return k, r.fail("expected a key")
	}
	tag := r.data[r.pos]
	r.pos += 2
	switch tag {
	case 'i':
		k.isInt = true
		k.num, err = r.integer()
	case 's':
		k.text, err = r.quoted(";")
	case 'S':
		k.text, err = r.escaped()
	default:
		err = r.fail("expected a key, an integer or a string")
	}
	k.raw = r.data[begin:r.pos]
	return k, err
}

// custom reads the bytes that an object wrote about itself.
func (r *reader) custom(v *value) (err error) {
	if v.text, err = r.class(); err != nil {
		return err
	}
	n, err := r.count(':')
	if err != nil {
		return err
	}
	if err := r.expect("{"); err != nil {
		return err
	}
	if n > len(r.data)-r.pos {
		return r.fail("the object ends beyond the record")
	}
	v.data = string(r.data[r.pos : r.pos+n])
	r.pos += n
	return r.expect("}")
}

func (r *reader) reference(v *value, tag byte) error {
	text, err := r.until(';')
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(text, 10, 31)
	earlier := len(r.slots)
	if tag == 'r' {
		earlier-- // it took a slot itself
	}
	if err != nil || text[0] == '+' || n < 1 || int(n) > earlier {
		return r.fail("the reference leads nowhere")
	}
	v.linked, v.target, v.kind = true, r.slots[n-1], kindRef
	if tag == 'r' {
		v.kind = kindSame
		if t := v.target.object(); t == nil {
			return r.fail("r: leads to what is no object")
		}
	}
	return nil
}

// object is the object that v is, perhaps by way of an r:, nil if it is none.
func (v *value) object() *value {
	for v.kind == kindSame || v.kind == kindRef {
		v = v.target
	}
	if v.kind == kindObject || v.kind == kindCustom || v.kind == kindEnum {
		return v
	}
	return nil
}
