package rawjson

import (
	"fmt"
	"strconv"
	"strings"
)

// Lookup follows a path of names through objects.
func (o Object) Lookup(path string) ([]byte, bool) {
	key, rest, more := strings.Cut(path, ".")
	value, ok := o.Get(key)
	if !ok || !more {
		return value, ok
	}
	inner, err := Parse(value)
	if err != nil {
		return nil, false
	}
	return inner.Lookup(rest)
}

// SetPath sets a value at a path, making objects where there are none.
func (o *Object) SetPath(path string, value []byte) {
	key, rest, more := strings.Cut(path, ".")
	if !more {
		o.Set(key, value)
		return
	}
	var inner Object
	if raw, ok := o.Get(key); ok {
		inner, _ = Parse(raw) // else there is no object yet
	}
	inner.SetPath(rest, value)
	o.Set(key, inner.Append(nil))
}

// An Owner says where the user is written down.
type Owner struct {
	Path   string // "passport.user"; "" for nowhere
	Number bool   // as a number, where the name is one
}

// Read returns the user, "" for nobody.
func (w Owner) Read(o Object) string {
	if w.Path == "" {
		return ""
	}
	raw, ok := o.Lookup(w.Path)
	if !ok {
		return ""
	}
	owner, _ := Scalar(raw)
	if len(owner) > 255 || strings.ContainsRune(owner, 0) {
		return ""
	}
	return owner
}

// Write notes the user, unless that is what is there.
func (w Owner) Write(o *Object, owner string) error {
	if w.Read(*o) == owner {
		return nil
	}
	if w.Path == "" {
		return fmt.Errorf("no place for the user %q", owner)
	}
	raw := Quote(nil, owner)
	if n, err := strconv.ParseInt(owner, 10, 64); w.Number && err == nil && strconv.FormatInt(n, 10) == owner {
		raw = []byte(owner)
	}
	o.SetPath(w.Path, raw)
	return nil
}
