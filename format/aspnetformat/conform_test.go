package aspnetformat

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/format/formattest"
)

func TestConformance(t *testing.T) {
	head := "\x02\x00\x00\x01" + "0123456789abcdef"
	formattest.Run(t, newFormat(t, "shop"), &formattest.FormatOptions{
		Records: []string{head + "\x00\x01n\x00\x00\x00\x04\x00\x00\x00\x2a", head + "\x00\x04name\x00\x00\x00\x03Ada"},
		Values:  []string{`"text"`, `"żółć 😀"`, `""`, `-7`, `42`, `[1,"a",[true]]`, `{"a":{"b":[null]}}`, `{"@bytes":"AAEC//8="}`},
		Refused: []string{strings.Repeat("k", 65536)},
		Broken:  []string{"", "x", "\x01" + head[1:], head, head + "\x00\x01", head + "\x00\x01n\x00\x00\x00\x04abc"},
	})
}
