// Package rawjson changes members of a JSON object and leaves every other byte of
// the values as it is: numbers beyond 2^53, lone surrogates and the order of
// members stay what another program wrote.
package rawjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A Member is one member; Value is raw JSON.
type Member struct {
	Key   string
	Value []byte
}

// An Object is a JSON object, in order.
type Object []Member

// ErrSyntax: the bytes are not what was expected; the text says more and holds
// nothing of them.
var ErrSyntax = errors.New("not a JSON object")

// MaxDepth bounds how deep values may lie in one another.
const MaxDepth = 256

// Parse reads an object. Of members of one name the last value counts, in the place
// of the first, as in JavaScript. The values alias nothing of p.
func Parse(p []byte) (Object, error) {
	if !shallow(p) {
		return nil, fmt.Errorf("%w: more than %d levels deep", ErrSyntax, MaxDepth)
	}
	if !json.Valid(p) {
		return nil, fmt.Errorf("%w: a syntax error", ErrSyntax)
	}
	p = bytes.TrimSpace(p)
	if p[0] != '{' {
		return nil, fmt.Errorf("%w: another value", ErrSyntax)
	}
	p = bytes.Clone(p)
	var o Object
	place := map[string]int{}
	for i := space(p, 1); p[i] != '}'; {
		end := text(p, i)
		key, err := unquote(p[i:end])
		if err != nil {
			return nil, err
		}
		i = space(p, space(p, end)+1) // the colon
		end = value(p, i)
		if at, ok := place[key]; ok {
			o[at].Value = p[i:end:end]
		} else {
			place[key] = len(o)
			o = append(o, Member{key, p[i:end:end]})
		}
		if i = space(p, end); p[i] == ',' {
			i = space(p, i+1)
		}
	}
	return o, nil
}

// shallow bounds the recursion of the decoders that follow.
func shallow(p []byte) bool {
	depth := 0
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '"':
			i = text(p, i) - 1
		case '{', '[':
			if depth++; depth > MaxDepth {
				return false
			}
		case '}', ']':
			depth--
		}
	}
	return true
}

func space(p []byte, i int) int {
	for i < len(p) && (p[i] == ' ' || p[i] == '\t' || p[i] == '\n' || p[i] == '\r') {
		i++
	}
	return i
}

// text returns the end of the string that begins at i.
func text(p []byte, i int) int {
	for i++; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(p)
}

// value returns the end of the value that begins at i.
func value(p []byte, i int) int {
	depth := 0
	for i < len(p) {
		switch p[i] {
		case '"':
			if i = text(p, i); depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return i
}

// unquote reads a key. One that is not Unicode cannot be told from others.
func unquote(p []byte) (string, error) {
	var key string
	if err := json.Unmarshal(p, &key); err != nil {
		return "", fmt.Errorf("%w: the name of a member", ErrSyntax)
	}
	if strings.ContainsRune(key, utf8.RuneError) && !bytes.ContainsRune(p, utf8.RuneError) {
		return "", fmt.Errorf("%w: the name of a member has half a surrogate pair", ErrSyntax)
	}
	return key, nil
}

// Get returns a member's value.
func (o Object) Get(key string) ([]byte, bool) {
	for i := range o {
		if o[i].Key == key {
			return o[i].Value, true
		}
	}
	return nil, false
}

// Set replaces a value in its place, or appends a member.
func (o *Object) Set(key string, value []byte) {
	for i := range *o {
		if (*o)[i].Key == key {
			(*o)[i].Value = value
			return
		}
	}
	*o = append(*o, Member{key, value})
}

// Delete removes a member.
func (o *Object) Delete(key string) {
	for i := range *o {
		if (*o)[i].Key == key {
			*o = append((*o)[:i:i], (*o)[i+1:]...)
			return
		}
	}
}

// Append writes the object without spaces between members.
func (o Object) Append(b []byte) []byte {
	b = append(b, '{')
	for i := range o {
		if i > 0 {
			b = append(b, ',')
		}
		b = Quote(b, o[i].Key)
		b = append(b, ':')
		b = append(b, o[i].Value...)
	}
	return append(b, '}')
}

// Quote appends a JSON string as JavaScript writes it: <, > and & as they are.
func Quote(b []byte, s string) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // never fails for a string
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}

// String reads a raw value that is a string.
func String(raw []byte) (s string, ok bool) {
	return s, len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) == nil
}

// Scalar reads a raw value that is a string or a number, as text: how systems name
// their users.
func Scalar(raw []byte) (s string, ok bool) {
	if s, ok = String(raw); ok {
		return s, s != ""
	}
	if len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9') {
		return string(raw), true
	}
	return "", false
}
