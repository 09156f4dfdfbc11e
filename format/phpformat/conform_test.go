package phpformat_test

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/format/formattest"
	"github.com/sojournhq/sojourn/format/phpformat"
)

// Values come back as the same JSON, except that PHP has no empty object.
var conformValues = []string{`"text"`, `"żółć 😀"`, `""`, `-7`, `2.5`, `1.0`, `true`, `false`, `null`, `[1,"a",[true]]`, `{"a":{"b":[null]}}`, `{"@bytes":"AP8="}`, `{"@float":"NaN"}`, `[]`}

func TestConformance(t *testing.T) {
	for handler, opt := range map[phpformat.Handler]formattest.FormatOptions{
		phpformat.PHP: {
			Records: []string{`user|a:2:{s:2:"id";i:42;s:4:"name";s:3:"Ada";}role|s:5:"admin";`, `cart|O:4:"Cart":1:{s:11:"` + "\x00Cart\x00items" + `";a:0:{}}suit|E:11:"Suit:Hearts";f|d:1;`, "bin|s:2:\"\x00\xff\";"},
			Refused: []string{"a|b", "7", "-7"}, Broken: []string{"x", "a|", "a|i:1", "a|s:9:\"x\";", "a|i:1;x", "a|R:9;", "\x00"},
		},
		phpformat.Serialize: {
			Records: []string{`a:2:{s:4:"user";a:1:{s:2:"id";i:42;}i:7;N;}`, `a:1:{s:1:"o";O:8:"stdClass":0:{}}`},
			Broken:  []string{"x", "a:1:{}", "i:1;", `a:1:{i:0;R:5;}`},
		},
		phpformat.Binary: {
			Records: []string{"\x04usera:1:{s:2:\"id\";i:42;}\x04roles:5:\"admin\";"},
			Refused: []string{"7", strings.Repeat("k", 128)}, Broken: []string{"x", "\x05ai:1;", "\x01a"},
		},
		phpformat.Igbinary: {
			Records: []string{"\x00\x00\x00\x02\x14\x02\x11\x04user\x14\x01\x11\x02id\x06*\x11\x04role\x11\x05admin"},
			Broken:  []string{"x", "\x00\x00\x00\x02", "\x00\x00\x00\x02\x14\x01", "\x00\x00\x00\x03\x14\x00"}, Whole: true,
		},
	} {
		t.Run(string(handler), func(t *testing.T) {
			f, err := phpformat.Format(&phpformat.Options{Handler: handler})
			if err != nil {
				t.Fatal(err)
			}
			opt.Values, opt.Unsigned = conformValues, true
			formattest.Run(t, f, &opt)
		})
	}
}
