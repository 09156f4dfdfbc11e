package phpformat

import (
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn"
)

// Bounds of every record, read or written. PHP itself allows 4096 levels and any
// size; a session near these is out of hand.
const (
	MaxSize  = 4 << 20 // bytes
	MaxDepth = 512     // levels of arrays and objects
)

type kind byte

const (
	kindNull kind = iota
	kindBool
	kindInt
	kindFloat
	kindString
	kindArray
	kindObject
	kindCustom // an object that wrote its own bytes: C:
	kindEnum
	kindRef  // the same variable as an earlier one: R:
	kindSame // the same object as an earlier one: r:
)

// A value is one PHP value. The tree of a record is never changed once it is
// read: members are replaced by other trees.
type value struct {
	kind kind
	// linked: a reference lies within, so its text depends on where it stands.
	linked bool
	shared bool    // igbinary: several variables share it
	num    int64   // of Bool (0, 1) and Int
	float  float64 // of Float
	text   string  // a String's bytes; the class of Object and Custom; "Class:Case" of Enum
	data   string  // what a Custom wrote
	keys   []key   // of Array and Object
	items  []*value
	target *value // of Ref and Same; that of a Ref is no Ref
	raw    []byte // how it stood in the record, "" if it was made here
}

// A key is an array's, or a property's mangled name.
type key struct {
	text  string
	num   int64
	isInt bool
	raw   []byte
}

// textKey is the key that PHP makes of a string: canonical decimals are integers.
func textKey(s string) key {
	if n, ok := canonicalInt(s); ok {
		return key{num: n, isInt: true}
	}
	return key{text: s}
}

// canonicalInt reads s if PHP would take it for an integer key: "7" and "-7",
// but not "07", "-0" or what does not fit.
func canonicalInt(s string) (int64, bool) {
	digits := s
	if len(s) > 1 && s[0] == '-' {
		digits = s[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && len(s) > 1 {
		return 0, false
	}
	var n uint64
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(digits[i]-'0')
	}
	if n > 1<<63-1 { // the lowest one stays a string, as in PHP
		return 0, false
	}
	if len(digits) < len(s) {
		return -int64(n), true
	}
	return int64(n), true
}

// distinct gives the positions of the entries that PHP sees: of a repeated key,
// the place of the first with the value of the last.
func distinct(keys []key) []int {
	type id struct {
		text  string
		num   int64
		isInt bool
	}
	seen := make(map[id]int, len(keys))
	order := make([]int, 0, len(keys))
	for i, k := range keys {
		at := id{k.text, k.num, k.isInt}
		if place, ok := seen[at]; ok {
			order[place] = i
			continue
		}
		seen[at] = len(order)
		order = append(order, i)
	}
	return order
}

func corrupt(at int, format string, args ...any) error {
	return fmt.Errorf("%w: at byte %d: %s", sojourn.ErrCorrupt, at, fmt.Sprintf(format, args...))
}

var errReferences = errors.New("the record holds references (R: or r:) beside an object that wrote its own bytes (C:), so nothing before them can be replaced")
