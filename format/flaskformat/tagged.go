package flaskformat

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/internal/jsontree"
)

// Flask's TaggedJSONSerializer writes what JSON has no word for as an object with
// one member, a tag; a dict that looks like one is escaped by " di".
const (
	tagDict     = " di"
	tagTuple    = " t"
	tagBytes    = " b"
	tagMarkup   = " m"
	tagUUID     = " u"
	tagDatetime = " d"
)

func isTag(name string) bool {
	switch name {
	case tagDict, tagTuple, tagBytes, tagMarkup, tagUUID, tagDatetime:
		return true
	}
	return false
}

// untag turns tags into values, innermost first, as Flask does.
func untag(v *value) (*value, error) {
	if len(v.items) == 0 {
		return v, nil
	}
	out := &value{kind: v.kind, keys: v.keys, raw: v.raw, at: v.at, items: make([]*value, len(v.items))}
	for i, item := range v.items {
		one, err := untag(item)
		if err != nil {
			return nil, err
		}
		out.items[i] = one
	}
	order := distinct(v.keys)
	if v.kind != kindDict || len(order) != 1 || !isTag(v.keys[0].text) {
		return out, nil
	}
	real, err := tagged(v.keys[0].text, out.items[order[0]])
	if err != nil {
		return nil, err
	}
	real.raw, real.at = v.raw, v.at
	return real, nil
}

// tagged is what a tag makes of its member.
func tagged(tag string, item *value) (*value, error) {
	switch tag {
	case tagTuple:
		if item.kind == kindList || item.kind == kindTuple {
			return &value{kind: kindTuple, items: item.items}, nil
		}
	case tagDict:
		if item.kind == kindDict && len(item.keys) > 0 {
			name := []rune(item.keys[0].text)
			key := &value{kind: kindStr, text: string(name[:max(0, len(name)-2)])}
			return &value{kind: kindDict, keys: []*value{key}, items: item.items[:1]}, nil
		}
	case tagBytes:
		if b, err := pythonBase64(item.text); err == nil && item.kind == kindStr && len(item.text)%4 == 0 {
			return &value{kind: kindBytes, text: string(b)}, nil
		}
	case tagMarkup:
		if item.kind == kindStr {
			return &value{kind: kindMarkup, text: item.text}, nil
		}
	case tagUUID:
		if s, ok := uuidText(item.text); ok && item.kind == kindStr {
			return &value{kind: kindUUID, text: s}, nil
		}
	case tagDatetime:
		if item.kind != kindStr {
			return &value{}, nil
		}
		t, err := http.ParseTime(item.text)
		if err != nil {
			return &value{}, nil // None, as in Flask
		}
		return &value{kind: kindDatetime, text: t.UTC().Format(time.RFC3339)}, nil
	}
	return nil, corrupt("the tag %q has a value of another kind", tag)
}

// uuidText writes 32 hexadecimal digits with hyphens.
func uuidText(s string) (string, bool) {
	s = strings.ToLower(strings.Trim(strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(s, "urn:", ""), "uuid:", ""), "-", ""), "{}"))
	if b, err := hex.DecodeString(s); err != nil || len(b) != 16 {
		return "", false
	}
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], true
}

// appendTagged writes a value as Flask does.
func appendTagged(dst []byte, v *value) ([]byte, error) {
	switch v.kind {
	case kindNone:
		return append(dst, "null"...), nil
	case kindBool:
		return strconv.AppendBool(dst, v.bool), nil
	case kindInt:
		return append(dst, v.text...), nil
	case kindFloat:
		return appendPythonFloat(dst, v.float), nil
	case kindStr:
		return appendASCII(dst, v.text), nil
	case kindBytes:
		return appendTag(dst, tagBytes, base64.StdEncoding.EncodeToString([]byte(v.text))), nil
	case kindUUID:
		s, ok := uuidText(v.text)
		if !ok {
			return dst, invalid(`"@uuid": expected 32 hexadecimal digits`)
		}
		return appendTag(dst, tagUUID, strings.ReplaceAll(s, "-", "")), nil
	case kindDatetime:
		t, err := time.Parse(time.RFC3339, v.text)
		if err != nil {
			return dst, invalid(`"@datetime": expected RFC 3339, as in 2006-01-02T15:04:05Z`)
		}
		if t.Nanosecond() != 0 {
			return dst, unsupported("Flask's cookie keeps a datetime to the second only")
		}
		return appendTag(dst, tagDatetime, t.UTC().Format(http.TimeFormat)), nil
	case kindList:
		return appendItems(dst, v)
	case kindTuple:
		dst, err := appendItems(append(dst, `{" t":`...), v)
		return append(dst, '}'), err
	case kindDict:
		return appendDict(dst, v)
	}
	return dst, unsupported("Flask's cookie cannot hold a Python value of the kind %s", strings.TrimPrefix(marks[v.kind], "@"))
}

func appendTag(dst []byte, tag, text string) []byte {
	dst = append(append(append(dst, `{"`...), tag...), `":`...)
	return append(jsontree.AppendString(dst, text), '}')
}

func appendItems(dst []byte, v *value) (_ []byte, err error) {
	dst = append(dst, '[')
	for i, item := range v.items {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendTagged(dst, item); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendDict(dst []byte, v *value) (_ []byte, err error) {
	escaped := len(v.keys) == 1 && isTag(v.keys[0].text)
	if escaped {
		dst = append(dst, `{" di":`...)
	}
	dst = append(dst, '{')
	for i, k := range v.keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		name := k.text
		if escaped {
			name += "__"
		}
		dst = append(appendASCII(dst, name), ':')
		if dst, err = appendTagged(dst, v.items[i]); err != nil {
			return dst, err
		}
	}
	if dst = append(dst, '}'); escaped {
		dst = append(dst, '}')
	}
	return dst, nil
}

// appendPythonFloat writes a float as Python's json.dumps does.
func appendPythonFloat(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, "NaN"...)
	case f == inf:
		return append(dst, "Infinity"...)
	case f == -inf:
		return append(dst, "-Infinity"...)
	}
	return jsontree.AppendFloat(dst, f)
}
