package webapi

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sojournhq/sojourn"
)

// names is a set of member names. The zero value holds none.
type names struct {
	exact  map[string]struct{}
	starts []string
}

func newNames(option string, list []string, maxKey int) (names, error) {
	n := names{exact: make(map[string]struct{}, len(list))}
	for _, p := range list {
		start, pattern := strings.CutSuffix(p, "*")
		switch {
		case p == "*":
			return names{}, fmt.Errorf("%w: Options.%s: a bare * would open every member, also those added later; name them, or their common beginning", sojourn.ErrInvalid, option)
		case start == "" || strings.Contains(start, "*") || !utf8.ValidString(start) || len(start) > maxKey:
			return names{}, fmt.Errorf("%w: Options.%s: %q, expected the name of a member (1 to %d bytes of UTF-8), or its beginning and one final *", sojourn.ErrInvalid, option, p, maxKey)
		case pattern:
			n.starts = append(n.starts, start)
		default:
			n.exact[start] = struct{}{}
		}
	}
	return n, nil
}

func (n names) has(key string) bool {
	if _, ok := n.exact[key]; ok {
		return true
	}
	for _, s := range n.starts {
		if strings.HasPrefix(key, s) {
			return true
		}
	}
	return false
}
