package phpformat

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"github.com/sojournhq/sojourn"
)

// A Handler is how PHP writes the members of a session one after the other: its
// setting session.serialize_handler.
type Handler string

const (
	PHP       Handler = "php"           // name|value…, the default
	Serialize Handler = "php_serialize" // serialize($_SESSION)
	Binary    Handler = "php_binary"    // length, name, value…
	Igbinary  Handler = "igbinary"      // igbinary_serialize($_SESSION)
)

// Handlers are all that are known.
var Handlers = []Handler{PHP, Serialize, Binary, Igbinary}

func (h Handler) check() error {
	switch h {
	case PHP, Serialize, Binary, Igbinary:
		return nil
	}
	return fmt.Errorf("%w: session.serialize_handler %q: expected php, php_serialize, php_binary or igbinary", sojourn.ErrInvalid, string(h))
}

// allows refuses names that the handler would lose, and with them, in one case,
// the whole session.
func (h Handler) allows(name string) error {
	_, number := canonicalInt(name)
	switch {
	case h == PHP && strings.Contains(name, "|"):
		return unsupported("member %q: with session.serialize_handler=php a name must not contain %q: PHP would write the whole session empty", name, "|")
	case h == Binary && len(name) > 127:
		return unsupported("member %q: with session.serialize_handler=php_binary a name must not be longer than 127 bytes: PHP would drop it", name)
	case (h == PHP || h == Binary) && number:
		return unsupported("member %q: with session.serialize_handler=%s a name must not be a number: PHP would drop it", name, h)
	}
	return nil
}

func (h Handler) read(d *Document, record []byte) error {
	r := &reader{data: record}
	seen := map[string]int{}
	switch h {
	case PHP:
		for r.pos < len(record) {
			i := bytes.IndexByte(record[r.pos:], '|')
			if i < 0 {
				return r.fail("expected a name and %q", "|")
			}
			name := string(record[r.pos : r.pos+i])
			r.pos += i + 1
			v, err := r.value(MaxDepth)
			if err != nil {
				return err
			}
			d.add(seen, member{name: name, val: v})
		}
		return nil
	case Binary:
		for r.pos < len(record) {
			n := int(record[r.pos] & 127) // the eighth bit once meant "not set"
			r.pos++
			if r.pos-1+n >= len(record) {
				return r.fail("expected the length of a name")
			}
			name := string(record[r.pos : r.pos+n])
			r.pos += n
			v, err := r.value(MaxDepth)
			if err != nil {
				return err
			}
			d.add(seen, member{name: name, val: v})
		}
		return nil
	case Serialize:
		all, err := r.value(MaxDepth)
		if err != nil {
			return err
		}
		if all.kind != kindArray {
			return corrupt(0, "expected an array")
		}
		return d.addAll(all)
	case Igbinary:
		all, err := readIgbinary(record)
		if err != nil {
			return err
		}
		return d.addAll(all)
	}
	return h.check()
}

// addAll takes the entries of the one array that is the record.
func (d *Document) addAll(all *value) error {
	d.all = all
	seen := make(map[string]int, len(all.keys))
	for i, k := range all.keys {
		d.add(seen, member{name: k.name(), val: all.items[i], raw: k.raw})
	}
	return nil
}

func (h Handler) write(d *Document) []byte {
	// Appending shifts nothing; then everything keeps its bytes.
	linked := d.linked && d.shifted
	w := newWriter()
	switch h {
	case PHP:
		for _, m := range d.members {
			w.buf = append(append(w.buf, m.name...), '|')
			w.value(m.val, linked)
		}
	case Binary:
		for _, m := range d.members {
			w.buf = append(append(w.buf, byte(len(m.name))), m.name...)
			w.value(m.val, linked)
		}
	case Serialize:
		w.take(d.all)
		w.buf = append(strconv.AppendInt(append(w.buf, "a:"...), int64(len(d.members)), 10), ":{"...)
		for _, m := range d.members {
			k := textKey(m.name)
			k.raw = m.raw
			w.key(k)
			w.value(m.val, linked)
		}
		w.buf = append(w.buf, '}')
	case Igbinary:
		return writeIgbinary(d.all, d.members)
	}
	return w.buf
}
