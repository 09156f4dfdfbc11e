package aspnetformat

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/jsontree"
)

// MaxSize bounds a record, read or written.
const MaxSize = 4 << 20

// A record of DistributedSession: the revision 2, the count of entries in three
// bytes, the session's GUID, and for each entry the lengths of key and value, in
// two and four bytes, with these. All numbers are big-endian.
type record struct {
	guid    [16]byte // Session.Id, another than the key
	entries []entry
}

type entry struct {
	key   string
	value []byte
}

const revision = 2

func corrupt(what string) error { return fmt.Errorf("%w: %s", sojourn.ErrCorrupt, what) }

func parse(data []byte) (*record, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%w: a record of %d bytes, expected at most %d", sojourn.ErrTooLarge, len(data), MaxSize)
	}
	if len(data) < 20 || data[0] != revision {
		return nil, corrupt("expected revision 2 of DistributedSession")
	}
	r := &record{}
	n := int(data[1])<<16 | int(data[2])<<8 | int(data[3])
	copy(r.guid[:], data[4:])
	at := map[string]int{}
	take := func(size int) (b []byte, err error) {
		if size > len(data) {
			return nil, corrupt("the record ends too early")
		}
		b, data = data[:size], data[size:]
		return b, nil
	}
	number := func(size int) (int, error) {
		b, err := take(size)
		n := 0
		for _, c := range b {
			n = n<<8 | int(c)
		}
		return n, err
	}
	data = data[20:]
	for range n {
		size, err := number(2)
		if err != nil {
			return nil, err
		}
		key, err := take(size)
		if err != nil {
			return nil, err
		}
		if size, err = number(4); err != nil {
			return nil, err
		}
		value, err := take(size)
		if err != nil {
			return nil, err
		}
		if !utf8.Valid(key) {
			return nil, corrupt("a key that is no UTF-8")
		}
		e := entry{string(key), value}
		if i, ok := at[e.key]; ok {
			r.entries[i] = e
			continue
		}
		at[e.key] = len(r.entries)
		r.entries = append(r.entries, e)
	}
	return r, nil // what follows is not read there either
}

func (r *record) bytes() ([]byte, error) {
	if len(r.entries) >= 1<<24 {
		return nil, fmt.Errorf("%w: %d members, a record holds fewer than 2^24", sojourn.ErrTooLarge, len(r.entries))
	}
	n := len(r.entries)
	out := append([]byte{revision, byte(n >> 16), byte(n >> 8), byte(n)}, r.guid[:]...)
	for _, e := range r.entries {
		out = binary.BigEndian.AppendUint16(out, uint16(len(e.key)))
		out = binary.BigEndian.AppendUint32(append(out, e.key...), uint32(len(e.value)))
		out = append(out, e.value...)
	}
	if len(out) > MaxSize {
		return nil, fmt.Errorf("%w: a record of %d bytes, expected at most %d", sojourn.ErrTooLarge, len(out), MaxSize)
	}
	return out, nil
}

func (r *record) set(key string, value []byte) {
	if i := slices.IndexFunc(r.entries, func(e entry) bool { return e.key == key }); i >= 0 {
		r.entries[i].value = value
		return
	}
	r.entries = append(r.entries, entry{key, value})
}

// view is a value as JSON: the mapping is in the package's comment.
func view(value []byte) []byte {
	if len(value) > 1 && (value[0] == '{' || value[0] == '[') && json.Valid(value) {
		return slices.Clone(value)
	}
	if text(value) {
		return jsontree.AppendString(nil, string(value))
	}
	if len(value) == 4 {
		return strconv.AppendInt(nil, int64(int32(binary.BigEndian.Uint32(value))), 10)
	}
	return jsontree.AppendBytes(nil, string(value))
}

// text reports whether bytes were probably written by SetString.
func text(value []byte) bool {
	if !utf8.Valid(value) {
		return false
	}
	for _, c := range string(value) {
		if !unicode.IsPrint(c) && !unicode.IsSpace(c) && c != 0x200d && c != 0xfe0f {
			return false
		}
	}
	return true
}

// fromJSON is the way back.
func fromJSON(key string, raw []byte) ([]byte, error) {
	v, err := jsontree.Parse(raw, 512)
	if err != nil {
		return nil, fmt.Errorf("%w: member %q: expected JSON: %w", sojourn.ErrInvalid, key, err)
	}
	refuse := func(kind string) ([]byte, error) {
		return nil, fmt.Errorf("%w: member %q is %s; ASP.NET Core's session holds strings, 32-bit integers and bytes, and JSON objects and arrays as strings", sojourn.ErrUnsupported, key, kind)
	}
	switch v.Kind {
	case jsontree.String:
		return []byte(v.Text), nil
	case jsontree.Number:
		n, ok := v.Int()
		if !ok || n < math.MinInt32 || n > math.MaxInt32 {
			return refuse("a number that is no 32-bit integer")
		}
		b := binary.BigEndian.AppendUint32(nil, uint32(int32(n)))
		if text(b) {
			return refuse("an integer that reads as text")
		}
		return b, nil
	case jsontree.Array, jsontree.Object:
		if mark, item := v.Mark(); mark == "@bytes" {
			s, err := item.Bytes()
			if err != nil {
				return nil, fmt.Errorf("%w: member %q: %w", sojourn.ErrInvalid, key, err)
			}
			return []byte(s), nil
		}
		return slices.Clone(raw), nil
	case jsontree.Bool:
		return refuse("a boolean")
	}
	return refuse("null")
}

// encodeCookie is base64 without padding, as SessionMiddleware writes it.
func encodeCookie(b []byte) string { return base64.RawStdEncoding.EncodeToString(b) }
