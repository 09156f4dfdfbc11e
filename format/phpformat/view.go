package phpformat

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/jsontree"
)

// maxView bounds the JSON of all members of a record of n bytes that hold
// references: these make a short record mean much.
func maxView(n int) int { return 64<<10 + 8*n }

// A viewer writes values as JSON: the mapping is in the package's comment.
type viewer struct {
	buf  []byte
	open map[*value]bool // being written, to see a circle
	most int             // bytes
	err  error
}

// view is v as JSON of at most that many bytes.
func view(v *value, most int) ([]byte, error) {
	w := &viewer{open: map[*value]bool{}, most: most}
	w.value(v, MaxDepth)
	return w.buf, w.err
}

func (w *viewer) value(v *value, depth int) {
	for v.kind == kindRef || v.kind == kindSame {
		v = v.target
	}
	if w.err == nil && (len(w.buf) > w.most || depth < 0) {
		w.err = fmt.Errorf("%w: references make this record mean much more than it has bytes, or deeper than %d levels", sojourn.ErrTooLarge, MaxDepth)
	}
	if w.err != nil {
		return
	}
	switch v.kind {
	case kindNull:
		w.buf = append(w.buf, "null"...)
	case kindBool:
		w.buf = strconv.AppendBool(w.buf, v.num != 0)
	case kindInt:
		w.buf = strconv.AppendInt(w.buf, v.num, 10)
	case kindFloat:
		w.buf = jsontree.AppendFloat(w.buf, v.float)
	case kindString:
		w.buf = jsontree.AppendText(w.buf, v.text)
	case kindEnum:
		w.marked("@enum", v.text)
	case kindCustom:
		w.buf = jsontree.AppendText(append(w.buf, `{"@class":`...), v.text)
		w.buf = jsontree.AppendText(append(w.buf, `,"@data":`...), v.data)
		w.buf = append(w.buf, '}')
	case kindArray, kindObject:
		if w.open[v] {
			w.marked("@circle", v.text)
			return
		}
		w.open[v] = true
		w.entries(v, depth)
		delete(w.open, v)
	}
}

func (w *viewer) marked(mark, text string) {
	w.buf = append(append(append(w.buf, `{"`...), mark...), `":`...)
	w.buf = append(jsontree.AppendText(w.buf, text), '}')
}

func (w *viewer) entries(v *value, depth int) {
	order := distinct(v.keys)
	if v.kind == kindArray && isList(v.keys, order) {
		w.buf = append(w.buf, '[')
		for i, at := range order {
			if i > 0 {
				w.buf = append(w.buf, ',')
			}
			w.value(v.items[at], depth-1)
		}
		w.buf = append(w.buf, ']')
		return
	}
	w.buf = append(w.buf, '{')
	if v.kind == kindObject {
		w.buf = jsontree.AppendText(append(w.buf, `"@class":`...), v.text)
	}
	for i, at := range order {
		if i > 0 || v.kind == kindObject {
			w.buf = append(w.buf, ',')
		}
		name := v.keys[at].name()
		if v.kind == kindObject {
			name = property(name)
		}
		w.buf = append(jsontree.AppendName(w.buf, name), ':')
		w.value(v.items[at], depth-1)
	}
	w.buf = append(w.buf, '}')
}

// isList reports whether the keys are 0, 1, 2, … in order.
func isList(keys []key, order []int) bool {
	for i, at := range order {
		if !keys[at].isInt || keys[at].num != int64(i) {
			return false
		}
	}
	return true
}

// name is the key as text.
func (k key) name() string {
	if k.isInt {
		return strconv.FormatInt(k.num, 10)
	}
	return k.text
}

// property writes a property's mangled name as print_r does: "name",
// "name:protected" and "name:Class:private".
func property(mangled string) string {
	if !strings.HasPrefix(mangled, "\x00") {
		return mangled
	}
	class, name, ok := strings.Cut(mangled[1:], "\x00")
	switch {
	case !ok:
		return mangled
	case class == "*":
		return name + ":protected"
	}
	return name + ":" + class + ":private"
}

// mangle undoes property.
func mangle(name string) string {
	if rest, ok := strings.CutSuffix(name, ":protected"); ok {
		return "\x00*\x00" + rest
	}
	if rest, ok := strings.CutSuffix(name, ":private"); ok {
		if i := strings.LastIndexByte(rest, ':'); i >= 0 {
			return "\x00" + rest[i+1:] + "\x00" + rest[:i]
		}
	}
	return name
}

// fromJSON makes a PHP value: the view's way back. Objects of a class make PHP run
// that class's code, and an enum that PHP does not have destroys the session, so
// they come only from whoever is trusted with that.
func fromJSON(raw []byte, trusted bool) (*value, error) {
	t, err := jsontree.Parse(raw, MaxDepth)
	if err != nil {
		return nil, fmt.Errorf("%w: expected JSON: %w", sojourn.ErrInvalid, err)
	}
	return maker{trusted}.value(t)
}

type maker struct{ trusted bool }

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: %s", sojourn.ErrUnsupported, fmt.Sprintf(format, args...))
}

func (m maker) value(t jsontree.Value) (*value, error) {
	switch t.Kind {
	case jsontree.Null:
		return &value{}, nil
	case jsontree.Bool:
		v := &value{kind: kindBool}
		if t.Bool {
			v.num = 1
		}
		return v, nil
	case jsontree.String:
		return &value{kind: kindString, text: t.Text}, nil
	case jsontree.Number:
		if n, ok := t.Int(); ok {
			return &value{kind: kindInt, num: n}, nil
		}
		if t.Whole() {
			return nil, unsupported("a PHP integer has 64 bits, this number does not fit; send it as text")
		}
		f, ok := t.Float()
		if !ok {
			return nil, unsupported("a PHP float has 64 bits, this number does not fit")
		}
		return &value{kind: kindFloat, float: f}, nil
	case jsontree.Array:
		v := &value{kind: kindArray}
		for i, item := range t.Items {
			one, err := m.value(item)
			if err != nil {
				return nil, err
			}
			v.keys, v.items = append(v.keys, key{num: int64(i), isInt: true}), append(v.items, one)
		}
		return v, nil
	}
	return m.object(t)
}

// fromObject makes an array, an object or what a mark says.
func (m maker) object(t jsontree.Value) (*value, error) {
	if len(t.Keys) > 0 && t.Keys[0] == "@class" {
		return m.class(t)
	}
	switch mark, item := t.Mark(); mark {
	case "@bytes":
		s, err := item.Bytes()
		return &value{kind: kindString, text: s}, invalid(err)
	case "@float":
		f, err := item.SpecialFloat()
		return &value{kind: kindFloat, float: f}, invalid(err)
	case "@enum":
		if class, name, ok := strings.Cut(item.Text, ":"); !ok || class == "" || name == "" {
			return nil, invalid(errors.New(`"@enum": expected "Class:Case"`))
		}
		if !m.trusted {
			return nil, unsupported("enums are kept but not written: one that the PHP application does not have would destroy the session")
		}
		return &value{kind: kindEnum, text: item.Text}, nil
	}
	v := &value{kind: kindArray}
	return v, m.fill(v, t.Keys, t.Items)
}

func (m maker) class(t jsontree.Value) (*value, error) {
	v := &value{kind: kindObject, text: t.Items[0].Text}
	check := reader{data: []byte(strconv.Itoa(len(v.text)) + `:"` + v.text + `":`)}
	if _, err := check.class(); err != nil || t.Items[0].Kind != jsontree.String {
		return nil, invalid(errors.New(`"@class": expected the name of a class`))
	}
	if !m.trusted && v.text != "stdClass" {
		return nil, unsupported("objects of a class are kept but not written: they would run its code in the PHP application; only stdClass may be")
	}
	if len(t.Keys) == 2 && t.Keys[1] == "@data" {
		v.kind, v.data = kindCustom, t.Items[1].Text
		if t.Items[1].Kind == jsontree.Object {
			_, item := t.Items[1].Mark()
			var err error
			if v.data, err = item.Bytes(); err != nil {
				return nil, invalid(err)
			}
		}
		return v, nil
	}
	return v, m.fill(v, t.Keys[1:], t.Items[1:])
}

func (m maker) fill(v *value, names []string, items []jsontree.Value) error {
	for i, name := range names {
		real, ok := jsontree.Name(name)
		if !ok {
			return invalid(fmt.Errorf("the name %q is a mark that is not known here; a real name of that kind is written with one more @ before it", name))
		}
		item, err := m.value(items[i])
		if err != nil {
			return err
		}
		k := key{text: mangle(real)}
		if v.kind == kindArray {
			k = textKey(real)
		}
		v.keys, v.items = append(v.keys, k), append(v.items, item)
	}
	return nil
}

func invalid(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", sojourn.ErrInvalid, err)
}
