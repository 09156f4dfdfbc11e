package flaskformat

import (
	"errors"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

// readMsgpack reads the one value that record is: what msgspec, Flask-Session's
// library, decodes.
func readMsgpack(record []byte) (*value, error) {
	v, rest, err := nextMsgpack(record, MaxDepth)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, corrupt("%d bytes after the msgpack value", len(rest))
	}
	return v, nil
}

func nextMsgpack(b []byte, depth int) (v *value, rest []byte, err error) {
	if len(b) == 0 || depth < 0 {
		return nil, nil, corrupt("the msgpack ends too early or is nested too deeply")
	}
	v = &value{}
	switch msgp.NextType(b) {
	case msgp.NilType:
		rest, err = msgp.ReadNilBytes(b)
	case msgp.BoolType:
		v.kind = kindBool
		v.bool, rest, err = msgp.ReadBoolBytes(b)
	case msgp.IntType:
		var n int64
		v.kind = kindInt
		n, rest, err = msgp.ReadInt64Bytes(b)
		v.text = strconv.FormatInt(n, 10)
	case msgp.UintType:
		var n uint64
		v.kind = kindInt
		n, rest, err = msgp.ReadUint64Bytes(b)
		v.text = strconv.FormatUint(n, 10)
	case msgp.Float64Type:
		v.kind = kindFloat
		v.float, rest, err = msgp.ReadFloat64Bytes(b)
	case msgp.Float32Type:
		var f float32
		v.kind = kindFloat
		f, rest, err = msgp.ReadFloat32Bytes(b)
		v.float = float64(f)
	case msgp.StrType:
		var s []byte
		v.kind = kindStr
		s, rest, err = msgp.ReadStringZC(b)
		v.text = string(s)
		if err == nil && !utf8.ValidString(v.text) {
			err = errors.New("a str that is no UTF-8")
		}
	case msgp.BinType:
		var s []byte
		v.kind = kindBytes
		s, rest, err = msgp.ReadBytesZC(b)
		v.text = string(s)
	case msgp.ArrayType:
		v.kind = kindList
		return v, rest, msgpackItems(v, b, &rest, depth)
	case msgp.MapType:
		v.kind = kindDict
		return v, rest, msgpackItems(v, b, &rest, depth)
	case msgp.TimeType:
		var t time.Time
		v.kind = kindDatetime
		t, rest, err = msgp.ReadTimeUTCBytes(b)
		v.text = t.Format(time.RFC3339Nano)
	case msgp.ExtensionType:
		v.kind = kindDatetime
		v.text, rest, err = msgpackTime(b)
	default:
		err = errors.New("a type that Flask-Session does not write")
	}
	if err != nil {
		return nil, nil, corrupt("msgpack: %v", err)
	}
	v.raw = b[:len(b)-len(rest)]
	return v, rest, nil
}

// msgpackTime reads the extension -1, a time.
func msgpackTime(b []byte) (string, []byte, error) {
	raw := msgp.RawExtension{Type: -1}
	rest, err := msgp.ReadExtensionBytes(b, &raw)
	if err != nil {
		return "", nil, errors.New("an extension that is no time")
	}
	t, _, err := msgp.ReadTimeUTCBytes(b)
	return t.Format(time.RFC3339Nano), rest, err
}

func msgpackItems(v *value, b []byte, rest *[]byte, depth int) error {
	read := msgp.ReadArrayHeaderBytes
	if v.kind == kindDict {
		read = msgp.ReadMapHeaderBytes
	}
	n, left, err := read(b)
	if err != nil || uint64(n) > uint64(len(left)) { // each needs a byte
		return corrupt("msgpack: a count that the record has no bytes for")
	}
	for range n {
		if v.kind == kindDict {
			var k *value
			if k, left, err = nextMsgpack(left, depth-1); err != nil {
				return err
			}
			v.keys = append(v.keys, k)
		}
		var item *value
		if item, left, err = nextMsgpack(left, depth-1); err != nil {
			return err
		}
		v.items = append(v.items, item)
	}
	v.raw = b[:len(b)-len(left)]
	*rest = left
	return nil
}

func appendMapHeader(dst []byte, n int) []byte { return msgp.AppendMapHeader(dst, uint32(n)) }

func appendMsgpackStr(dst []byte, s string) []byte { return msgp.AppendString(dst, s) }

// appendMsgpack writes a value as msgspec does.
func appendMsgpack(dst []byte, v *value) (_ []byte, err error) {
	switch v.kind {
	case kindNone:
		return msgp.AppendNil(dst), nil
	case kindBool:
		return msgp.AppendBool(dst, v.bool), nil
	case kindInt:
		if n, err := strconv.ParseInt(v.text, 10, 64); err == nil {
			return msgp.AppendInt64(dst, n), nil
		}
		n, err := strconv.ParseUint(v.text, 10, 64)
		if err != nil {
			return dst, unsupported("an integer beyond 64 bits; msgpack has none")
		}
		return msgp.AppendUint64(dst, n), nil
	case kindFloat:
		return msgp.AppendFloat64(dst, v.float), nil
	case kindStr:
		if !utf8.ValidString(v.text) {
			return dst, unsupported("a lone surrogate; msgpack's text is UTF-8")
		}
		return msgp.AppendString(dst, v.text), nil
	case kindBytes:
		return msgp.AppendBytes(dst, []byte(v.text)), nil
	case kindDatetime:
		t, err := time.Parse(time.RFC3339Nano, v.text)
		if err != nil {
			return dst, invalid(`"@datetime": expected RFC 3339, as in 2006-01-02T15:04:05Z`)
		}
		return msgp.AppendTimeExt(dst, t), nil
	case kindList:
		dst = msgp.AppendArrayHeader(dst, uint32(len(v.items)))
	case kindDict:
		dst = msgp.AppendMapHeader(dst, uint32(len(v.items)))
	default:
		return dst, unsupported("Flask-Session's msgpack has no type for what %q marks", or(marks[v.kind], "@tuple"))
	}
	for i, item := range v.items {
		if v.kind == kindDict {
			dst = msgp.AppendString(dst, v.keys[i].text)
		}
		if dst, err = appendMsgpack(dst, item); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
