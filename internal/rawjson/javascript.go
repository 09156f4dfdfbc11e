package rawjson

import (
	"math/big"
	"strconv"
)

// Survives reports whether JavaScript reads every number of a value as what it is;
// else which one it would change.
func Survives(raw []byte) (number string, ok bool) {
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '"':
			i = text(raw, i)
		case c == '-' || c >= '0' && c <= '9':
			end := i + 1
			for end < len(raw) && (raw[end] >= '0' && raw[end] <= '9' || raw[end] == '.' || raw[end]|32 == 'e' || raw[end] == '+' || raw[end] == '-') {
				end++
			}
			if n := string(raw[i:end]); !survives(n) {
				return n, false
			}
			i = end
		default:
			i++
		}
	}
	return "", true
}

// survives: beyond 2^53 JavaScript writes the shortest digits that give the same
// double, and what is out of range as null.
func survives(n string) bool {
	f, err := strconv.ParseFloat(n, 64)
	if err != nil {
		return false
	}
	want, whole := new(big.Int).SetString(n, 10)
	if !whole {
		return true
	}
	have, ok := new(big.Int).SetString(strconv.FormatFloat(f, 'f', -1, 64), 10)
	return ok && have.Cmp(want) == 0
}
