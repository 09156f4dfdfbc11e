package webapi

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// maxDepth bounds how deep a value may be nested. What is deeper is more likely
// an attack on some other reader of the session than data.
const maxDepth = 32

// checkJSON accepts exactly one JSON value (RFC 8259) that every reader will
// understand alike: UTF-8, no name twice in an object, no lone surrogate, at
// most maxDepth levels. The value is returned without needless whitespace.
func checkJSON(b []byte) (json.RawMessage, error) {
	if !utf8.Valid(b) {
		return nil, problemf(codeMalformedJSON, "The body is not valid UTF-8.")
	}
	if !json.Valid(b) {
		return nil, problemf(codeMalformedJSON, "The body is not one JSON value, with nothing before or after it.")
	}
	if deeper(b, maxDepth) {
		return nil, problemf(codeMalformedJSON, "Values may be nested %d levels deep.", maxDepth)
	}
	if loneSurrogate(b) {
		return nil, problemf(codeMalformedJSON, "A string holds half of a surrogate pair.")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber() // a float64 would refuse numbers out of its range
	unique, err := uniqueNames(d)
	if err != nil {
		return nil, problemf(codeMalformedJSON, "The body cannot be decoded.")
	}
	if !unique {
		return nil, problemf(codeMalformedJSON, "An object holds the same name twice.")
	}
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return nil, problemf(codeMalformedJSON, "The body cannot be decoded.")
	}
	return out.Bytes(), nil
}

// checkObject is checkJSON for an object, which it takes apart at its top level.
func checkObject(b []byte) (map[string]json.RawMessage, error) {
	b, err := checkJSON(b)
	if err != nil {
		return nil, err
	}
	if b[0] != '{' {
		return nil, problemf(codeInvalidRequest, "The body must be a JSON object.")
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, problemf(codeMalformedJSON, "The body cannot be decoded.")
	}
	return m, nil
}

// deeper reports whether valid JSON has more than limit levels.
func deeper(b []byte, limit int) bool {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth > limit {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// loneSurrogate reports whether valid JSON has a \u escape of a surrogate that
// is not half of a pair: decoders disagree on what it means.
func loneSurrogate(b []byte) bool {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' { // outside of strings there is none
			continue
		}
		i++
		if b[i] != 'u' {
			continue
		}
		switch u := hex4(b[i+1:]); {
		case u>>10 == 0xD800>>10: // high: the low half must follow
			if i+11 > len(b) || b[i+5] != '\\' || b[i+6] != 'u' || hex4(b[i+7:])>>10 != 0xDC00>>10 {
				return true
			}
			i += 10
		case u>>10 == 0xDC00>>10:
			return true
		default:
			i += 4
		}
	}
	return false
}

func hex4(b []byte) (u uint16) {
	for _, c := range b[:4] {
		switch {
		case c <= '9':
			c -= '0'
		default:
			c = c&^0x20 - 'A' + 10
		}
		u = u<<4 | uint16(c)
	}
	return u
}

// uniqueNames reads one value and reports whether all names in each of its
// objects differ. The caller has bounded the depth.
func uniqueNames(d *json.Decoder) (bool, error) {
	t, err := d.Token()
	if err != nil {
		return false, err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return true, nil
	}
	seen := map[string]struct{}{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return false, err
			}
			before := len(seen)
			if seen[name.(string)] = struct{}{}; len(seen) == before {
				return false, nil
			}
		}
		if unique, err := uniqueNames(d); err != nil || !unique {
			return false, err
		}
	}
	_, err = d.Token()
	return true, err
}
