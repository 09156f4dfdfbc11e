package flaskformat

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A pyReader reads what Python's json.loads reads: JSON, and NaN, Infinity,
// -Infinity, integers of up to 4300 digits, lone surrogates.
type pyReader struct {
	data []byte
	pos  int
}

func (r *pyReader) fail(what string) error { return corrupt("at byte %d: %s", r.pos, what) }

func (r *pyReader) space() {
	for r.pos < len(r.data) && strings.IndexByte(" \t\n\r", r.data[r.pos]) >= 0 {
		r.pos++
	}
}

// readJSON reads the one value that data is.
func readJSON(data []byte) (*value, error) {
	if !utf8.Valid(data) {
		return nil, corrupt("the JSON is no UTF-8")
	}
	r := &pyReader{data: data}
	v, err := r.value(MaxDepth)
	if err != nil {
		return nil, err
	}
	if r.space(); r.pos < len(data) {
		return nil, r.fail("more than one JSON value")
	}
	return v, nil
}

func (r *pyReader) value(depth int) (*value, error) {
	r.space()
	v := &value{at: r.pos}
	if r.pos >= len(r.data) {
		return nil, r.fail("expected a value")
	}
	var err error
	switch c := r.data[r.pos]; {
	case c == '"':
		v.kind = kindStr
		v.text, err = r.str()
	case c == '[' || c == '{':
		if depth <= 0 {
			return nil, r.fail("nested too deeply")
		}
		r.pos++
		v.kind = kindList
		if c == '{' {
			v.kind = kindDict
		}
		err = r.items(v, c+2, depth-1)
	case c == '-' || c >= '0' && c <= '9':
		err = r.number(v)
	default:
		err = r.word(v)
	}
	v.raw = r.data[v.at:r.pos]
	return v, err
}

// items reads up to the bracket that ends an array or object.
func (r *pyReader) items(v *value, end byte, depth int) error {
	for first := true; ; first = false {
		r.space()
		if r.pos >= len(r.data) {
			return r.fail("the JSON ends too early")
		}
		if c := r.data[r.pos]; c == end && first {
			r.pos++
			return nil
		} else if !first {
			r.pos++
			if c == end {
				return nil
			}
			if c != ',' {
				return r.fail("expected a comma")
			}
			r.space()
		}
		if v.kind == kindDict {
			if r.pos >= len(r.data) || r.data[r.pos] != '"' {
				return r.fail("expected a name")
			}
			k := &value{kind: kindStr, at: r.pos}
			var err error
			if k.text, err = r.str(); err != nil {
				return err
			}
			k.raw = r.data[k.at:r.pos]
			if r.space(); r.pos >= len(r.data) || r.data[r.pos] != ':' {
				return r.fail("expected a colon")
			}
			r.pos++
			v.keys = append(v.keys, k)
		}
		item, err := r.value(depth)
		if err != nil {
			return err
		}
		v.items = append(v.items, item)
	}
}

func (r *pyReader) word(v *value) error {
	for word, is := range map[string]value{
		"null": {}, "true": {kind: kindBool, bool: true}, "false": {kind: kindBool},
		"NaN": {kind: kindFloat, float: nan}, "Infinity": {kind: kindFloat, float: inf},
	} {
		if bytes.HasPrefix(r.data[r.pos:], []byte(word)) {
			v.kind, v.bool, v.float = is.kind, is.bool, is.float
			r.pos += len(word)
			return nil
		}
	}
	return r.fail("expected a value")
}

var (
	inf = func() float64 { f, _ := strconv.ParseFloat("inf", 64); return f }()
	nan = inf - inf
)

func (r *pyReader) digits() int {
	begin := r.pos
	for r.pos < len(r.data) && r.data[r.pos] >= '0' && r.data[r.pos] <= '9' {
		r.pos++
	}
	return r.pos - begin
}

func (r *pyReader) number(v *value) error {
	begin := r.pos
	if r.data[r.pos] == '-' {
		r.pos++
		if bytes.HasPrefix(r.data[r.pos:], []byte("Infinity")) {
			r.pos += len("Infinity")
			v.kind, v.float = kindFloat, -inf
			return nil
		}
	}
	if r.pos < len(r.data) && r.data[r.pos] == '0' {
		r.pos++
	} else if n := r.digits(); n == 0 {
		return r.fail("expected a number")
	} else if n > maxDigits {
		return r.fail("an integer with more digits than Python reads")
	}
	v.kind = kindInt
	// A point or an e without digits is not of the number: the next reader sees it.
	if rest := r.data[r.pos:]; len(rest) > 1 && rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9' {
		v.kind = kindFloat
		r.pos++
		r.digits()
	}
	if rest := r.data[r.pos:]; len(rest) > 1 && rest[0]|0x20 == 'e' {
		at := r.pos
		if r.pos++; rest[1] == '+' || rest[1] == '-' {
			r.pos++
		}
		if r.digits() > 0 {
			v.kind = kindFloat
		} else {
			r.pos = at
		}
	}
	v.text = string(r.data[begin:r.pos])
	if v.kind == kindFloat {
		v.float, _ = strconv.ParseFloat(v.text, 64) // beyond the range it is infinite
	} else if v.text == "-0" {
		v.text = "0"
	}
	return nil
}

// str reads a string.
func (r *pyReader) str() (string, error) {
	begin := r.pos
	r.pos++
	plain := true
	for ; ; r.pos++ {
		if r.pos >= len(r.data) {
			return "", r.fail("the string does not end")
		}
		c := r.data[r.pos]
		if c < 0x20 {
			return "", r.fail("a control character in a string")
		}
		if c == '"' {
			break
		}
		if c == '\\' {
			plain = false
			r.pos++
		}
	}
	r.pos++
	quoted := r.data[begin:r.pos]
	if plain {
		return string(quoted[1 : len(quoted)-1]), nil
	}
	if !bytes.Contains(quoted, []byte(`\ud`)) && !bytes.Contains(quoted, []byte(`\uD`)) {
		var s string
		if err := json.Unmarshal(quoted, &s); err != nil {
			return "", r.fail("an escape that is none")
		}
		return s, nil
	}
	return r.surrogates(quoted)
}

// surrogates reads a string with escapes of surrogates: pairs join, lone ones
// become the three bytes that UTF-8 would have for them.
func (r *pyReader) surrogates(quoted []byte) (string, error) {
	var out []byte
	for s := quoted[1 : len(quoted)-1]; len(s) > 0; {
		hi, is := escape(s)
		if !is {
			n := 1
			if s[0] == '\\' && len(s) > 1 {
				if n = 2; s[1] == 'u' {
					n = 6
				}
			}
			var part string
			if n > len(s) || json.Unmarshal([]byte(`"`+string(s[:n])+`"`), &part) != nil && s[0] == '\\' {
				return "", r.fail("an escape that is none")
			}
			if s[0] != '\\' {
				part = string(s[:1])
			}
			out, s = append(out, part...), s[n:]
			continue
		}
		s = s[6:]
		if lo, is := escape(s); is && hi < 0xdc00 && lo >= 0xdc00 {
			out, s = utf8.AppendRune(out, (hi-0xd800)<<10|(lo-0xdc00)+0x10000), s[6:]
			continue
		}
		out = append(out, 0xed, 0x80|byte(hi>>6&0x3f), 0x80|byte(hi&0x3f))
	}
	return string(out), nil
}

// escape reads \uD800 to \uDFFF.
func escape(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s[2:6]), 16, 16)
	return rune(n), err == nil && n >= 0xd800 && n < 0xe000
}

// appendASCII appends a string as Python's json.dumps does.
func appendASCII(dst []byte, s string) []byte {
	for _, c := range string(appendStr(nil, s)) {
		switch {
		case c < 0x7f:
			dst = append(dst, byte(c))
		case c == 0x7f:
			dst = append(dst, 0x7f)
		case c > 0xffff:
			c -= 0x10000
			dst = appendEscape(appendEscape(dst, 0xd800|c>>10), 0xdc00|c&0x3ff)
		default:
			dst = appendEscape(dst, c)
		}
	}
	return dst
}

func appendEscape(dst []byte, c rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15])
}
