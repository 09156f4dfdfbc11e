package flaskformat

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/jsontree"
)

type kind byte

const (
	kindNone kind = iota
	kindBool
	kindInt   // text: digits, of any number
	kindFloat // number
	kindStr   // text: UTF-8, lone surrogates as three bytes
	kindBytes
	kindList
	kindTuple
	kindDict
	kindSet
	kindFrozenSet
	kindUUID      // text: with hyphens
	kindDatetime  // text: RFC 3339; without a zone if it has none
	kindDate      // text: 2006-01-02
	kindTimedelta // text: seconds
	kindDecimal   // text
	kindMarkup    // text
)

// A value is one Python value.
type value struct {
	kind  kind
	text  string
	float float64
	bool  bool
	keys  []*value // of a Dict
	items []*value
	raw   []byte // how the record has it, where it does
	at    int    // where that begins
}

// marks name what JSON has no word for.
var marks = map[kind]string{
	kindBytes: "@bytes", kindSet: "@set", kindFrozenSet: "@frozenset", kindUUID: "@uuid", kindDatetime: "@datetime",
	kindDate: "@date", kindTimedelta: "@timedelta", kindDecimal: "@decimal",
}

// A viewer writes values as JSON: the mapping is in the package's comment.
type viewer struct {
	buf  []byte
	most int
	err  error
}

// view is v as JSON of at most that many bytes: in a pickle, a short record may
// mean much.
func view(v *value, most int) ([]byte, error) {
	w := &viewer{most: most}
	w.value(v, MaxDepth)
	return w.buf, w.err
}

func (w *viewer) value(v *value, depth int) {
	if w.err == nil && (len(w.buf) > w.most || depth < 0) {
		w.err = fmt.Errorf("%w: the record means much more than it has bytes, or is deeper than %d levels", sojourn.ErrTooLarge, MaxDepth)
	}
	if w.err != nil {
		return
	}
	switch v.kind {
	case kindNone:
		w.buf = append(w.buf, "null"...)
	case kindBool:
		w.buf = strconv.AppendBool(w.buf, v.bool)
	case kindInt:
		w.buf = append(w.buf, v.text...)
	case kindFloat:
		w.buf = jsontree.AppendFloat(w.buf, v.float)
	case kindStr, kindMarkup:
		w.buf = appendStr(w.buf, v.text)
	case kindList, kindTuple:
		w.list(v.items, depth)
	case kindDict:
		w.dict(v, depth)
	case kindBytes:
		w.buf = jsontree.AppendBytes(w.buf, v.text)
	case kindSet, kindFrozenSet:
		w.mark(v)
		w.list(v.items, depth)
		w.buf = append(w.buf, '}')
	default:
		w.mark(v)
		w.buf = append(appendStr(w.buf, v.text), '}')
	}
}

func (w *viewer) mark(v *value) {
	w.buf = append(append(append(w.buf, `{"`...), marks[v.kind]...), `":`...)
}

func (w *viewer) list(items []*value, depth int) {
	w.buf = append(w.buf, '[')
	for i, item := range items {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.value(item, depth-1)
	}
	w.buf = append(w.buf, ']')
}

func (w *viewer) dict(v *value, depth int) {
	w.buf = append(w.buf, '{')
	for n, i := range distinct(v.keys) {
		if n > 0 {
			w.buf = append(w.buf, ',')
		}
		name := keyName(v.keys[i])
		if strings.HasPrefix(name, "@") && v.keys[i].kind == kindStr {
			name = "@" + name
		}
		w.buf = append(appendStr(w.buf, name), ':')
		w.value(v.items[i], depth-1)
	}
	w.buf = append(w.buf, '}')
}

// distinct gives the positions of a dict's entries: of a repeated key, the place
// of the first with the value of the last.
func distinct(keys []*value) []int {
	seen := make(map[string]int, len(keys))
	order := make([]int, 0, len(keys))
	for i, k := range keys {
		name := string(rune(k.kind)) + keyName(k)
		if place, ok := seen[name]; ok {
			order[place] = i
			continue
		}
		seen[name] = len(order)
		order = append(order, i)
	}
	return order
}

// keyName is a dict's key as text: as Python's json writes it.
func keyName(k *value) string {
	switch k.kind {
	case kindStr, kindInt, kindMarkup, kindUUID, kindDecimal, kindDatetime, kindDate, kindTimedelta:
		return k.text
	case kindBytes:
		return "@bytes:" + string(jsontree.AppendString(nil, k.text))
	}
	text, err := view(k, 1000)
	if err != nil {
		return "?"
	}
	return string(text)
}

// appendStr appends a JSON string; lone surrogates keep their escapes.
func appendStr(dst []byte, s string) []byte {
	if utf8.ValidString(s) {
		return jsontree.AppendString(dst, s)
	}
	dst = append(dst, '"')
	for len(s) > 0 {
		i := strings.IndexByte(s, 0xed)
		for i >= 0 && !surrogate(s[i:]) {
			next := strings.IndexByte(s[i+1:], 0xed)
			if next < 0 {
				i = -1
				break
			}
			i += 1 + next
		}
		if i < 0 {
			i = len(s)
		}
		part := jsontree.AppendString(nil, s[:i])
		dst = append(dst, part[1:len(part)-1]...)
		if s = s[i:]; s != "" {
			dst = fmt.Appendf(dst, `\u%04x`, 0xd000|uint16(s[1]&0x3f)<<6|uint16(s[2]&0x3f))
			s = s[3:]
		}
	}
	return append(dst, '"')
}

// surrogate reports whether s begins with the three bytes of a lone surrogate.
func surrogate(s string) bool {
	return len(s) >= 3 && s[0] == 0xed && s[1] >= 0xa0 && s[1] <= 0xbf && s[2] >= 0x80 && s[2] <= 0xbf
}

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", sojourn.ErrUnsupported, fmt.Sprintf(format, args...))
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", sojourn.ErrInvalid, fmt.Sprintf(format, args...))
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s", sojourn.ErrCorrupt, fmt.Sprintf(format, args...))
}

// fromJSON makes a Python value: the view's way back.
func fromJSON(raw []byte) (*value, error) {
	t, err := jsontree.Parse(raw, MaxDepth)
	if err != nil {
		return nil, invalid("expected JSON: %v", err)
	}
	return fromTree(t)
}

func fromTree(t jsontree.Value) (*value, error) {
	switch t.Kind {
	case jsontree.Null:
		return &value{}, nil
	case jsontree.Bool:
		return &value{kind: kindBool, bool: t.Bool}, nil
	case jsontree.String:
		return &value{kind: kindStr, text: t.Text}, nil
	case jsontree.Number:
		if t.Whole() {
			if len(t.Text) > maxDigits {
				return nil, unsupported("an integer of %d digits; Python reads at most %d", len(t.Text), maxDigits)
			}
			return &value{kind: kindInt, text: t.Text}, nil
		}
		f, ok := t.Float()
		if !ok {
			return nil, unsupported("a Python float has 64 bits, this number does not fit")
		}
		return &value{kind: kindFloat, float: f}, nil
	case jsontree.Array:
		return all(kindList, t.Items)
	}
	if mark, item := t.Mark(); mark != "" {
		return fromMark(mark, item)
	}
	v, err := all(kindDict, t.Items)
	if err != nil {
		return nil, err
	}
	for _, name := range t.Keys {
		real, ok := jsontree.Name(name)
		if !ok {
			return nil, invalid("the name %q is a mark that is not known here; a real name of that kind is written with one more @ before it", name)
		}
		v.keys = append(v.keys, &value{kind: kindStr, text: real})
	}
	return v, nil
}

// maxDigits is Python's limit for reading integers.
const maxDigits = 4300

func all(k kind, items []jsontree.Value) (*value, error) {
	v := &value{kind: k, items: make([]*value, 0, len(items))}
	for _, item := range items {
		one, err := fromTree(item)
		if err != nil {
			return nil, err
		}
		v.items = append(v.items, one)
	}
	return v, nil
}

func fromMark(mark string, item jsontree.Value) (*value, error) {
	switch mark {
	case "@bytes":
		s, err := item.Bytes()
		if err != nil {
			return nil, invalid("%v", err)
		}
		return &value{kind: kindBytes, text: s}, nil
	case "@float":
		f, err := item.SpecialFloat()
		if err != nil {
			return nil, invalid("%v", err)
		}
		return &value{kind: kindFloat, float: f}, nil
	case "@tuple":
		if item.Kind == jsontree.Array {
			return all(kindTuple, item.Items)
		}
		return nil, invalid(`"@tuple": expected an array`)
	}
	for k, name := range marks {
		if name != mark {
			continue
		}
		if k == kindSet || k == kindFrozenSet {
			if item.Kind == jsontree.Array {
				return all(k, item.Items)
			}
			return nil, invalid("%q: expected an array", mark)
		}
		if item.Kind != jsontree.String {
			return nil, invalid("%q: expected a string", mark)
		}
		return &value{kind: k, text: item.Text}, nil
	}
	return nil, invalid("the mark %q is not known here; a real name of that kind is written with one more @ before it", mark)
}
