package phpformat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// Whatever a record holds: no panic, memory within a multiple of its length, and
// what can be read can be written, changed, and read again.
func fuzz(f *testing.F, h Handler, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		began := time.Now()
		defer func() {
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("%d bytes take %v", len(record), took)
			}
		}()
		var d *Document
		var err error
		if got, most := testenv.Allocated(func() { d, err = Parse(h, record) }), ceiling(len(record)); got > most {
			t.Fatalf("reading %d bytes allocates %d, expected at most %d", len(record), got, most)
		}
		if err != nil {
			if !errors.Is(err, sojourn.ErrCorrupt) && !errors.Is(err, sojourn.ErrTooLarge) {
				t.Fatalf("error %v", err)
			}
			return
		}
		for _, name := range d.Names() {
			raw, err := d.JSON(name)
			if err == nil && !json.Valid(raw) || err != nil && !errors.Is(err, sojourn.ErrTooLarge) {
				t.Fatalf("view %q, %v", raw, err)
			}
		}
		if _, err := d.Bytes(); err != nil && !refused(err) {
			t.Fatalf("written again: %v", err)
		}
		if err := d.Set("new member", json.RawMessage(`{"a":[1,2.5,null]}`)); err != nil && !refused(err) {
			t.Fatal(err)
		}
		for _, name := range d.Names() {
			if len(name)%2 == 0 {
				if err := d.Delete(name); err != nil && !refused(err) {
					t.Fatal(err)
				}
			}
		}
		if changed, err := d.Bytes(); err != nil && !refused(err) {
			t.Fatalf("changed: %v\n%q", err, changed)
		}
	})
}

func refused(err error) bool {
	return errors.Is(err, sojourn.ErrUnsupported) || errors.Is(err, sojourn.ErrTooLarge)
}

// ceiling is what reading a record of n bytes may allocate: a value needs two
// bytes of record and some 200 of memory.
func ceiling(n int) int { return 16<<10 + 160*n }

func FuzzPHP(f *testing.F) {
	fuzz(f, PHP, "", `a|i:1;`, `user|a:2:{s:2:"id";i:42;s:4:"name";s:3:"Ada";}r|s:1:"x";`, `f|d:1.0E+21;g|d:-INF;n|N;t|b:1;`, `a|O:8:"stdClass":1:{s:1:"a";r:1;}b|R:1;c|r:1;`,
		`a|a:2:{i:0;i:1;i:1;R:2;}a|i:2;`, `c|C:3:"Old":5:{raw:1}r|R:1;`, `e|E:11:"Suit:Hearts";`, `s|S:3:"a\62c";`, "|N;", "!x|N;", `a|a:99999:{`, `a|s:99999:"`,
		"a|"+strings.Repeat("a:1:{i:0;", 600), `a|a:2:{i:0;a:2:{i:0;i:1;i:1;R:3;}i:1;R:2;}`)
}

func FuzzSerialize(f *testing.F) {
	fuzz(f, Serialize, "", "a:0:{}", `a:1:{s:1:"a";i:1;}`, `a:2:{i:0;R:1;s:1:"x";r:1;}`, `a:3:{s:1:"a";O:8:"stdClass":0:{}s:1:"b";r:2;i:5;R:2;}`, `a:2:{s:1:"5";i:1;i:5;i:2;}`)
}

func FuzzBinary(f *testing.F) {
	fuzz(f, Binary, "", "\x01ai:1;", "\x00N;", "\x81ai:1;", "\x7f"+strings.Repeat("k", 127)+"b:0;", "\x01aO:8:\"stdClass\":0:{}\x01br:1;")
}

func FuzzIgbinary(f *testing.F) {
	fuzz(f, Igbinary, "", "\x00\x00\x00\x02\x14\x00", "\x00\x00\x00\x02\x14\x02\x11\x01a\x06\x01\x11\x01b\x0e\x00", "\x00\x00\x00\x02\x14\x02\x11\x01a\x25\x06\x07\x11\x01b\x25\x01\x01",
		"\x00\x00\x00\x02\x14\x03\x11\x01a\x17\x08stdClass\x14\x00\x11\x01b\x22\x01\x11\x01c\x1a\x01\x14\x00", "\x00\x00\x00\x02\x14\x01\x11\x01e\x17\x04Suit'\x11\x06Hearts",
		"\x00\x00\x00\x02\x14\x01\x11\x01o\x17\x03Old\x1d\x05raw:1", "\x00\x00\x00\x02\x16\xff\xff\xff\xff", "\x00\x00\x00\x02\x14\x01\x13\xff\xff\xff\xffx", "\x00\x00\x00\x02\x14\x01\x11\x01s\x25\x14\x01\x06\x00\x25\x01\x01",
		"\x00\x00\x00\x02\x14\x02\x11\x010%\x060\x11\x011\"\x00", "\x00\x00\x00\x02"+strings.Repeat("\x14\x01\x06\x00", 600))
}

// A short record that means much: references that double what they refer to.
func TestViewIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(`a|a:60:{i:0;a:1:{i:0;s:100:"` + strings.Repeat("x", 100) + `";}`)
	slot := 2 // of the array before
	for i := 1; i < 60; i++ {
		fmt.Fprintf(&b, "i:%d;a:2:{i:0;R:%d;i:1;R:%d;}", i, slot, slot)
		if slot++; i == 1 {
			slot++ // the text in the first
		}
	}
	b.WriteString("}")
	d, err := Parse(PHP, []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if got := testenv.Allocated(func() { _, err = d.JSON("a") }); !errors.Is(err, sojourn.ErrTooLarge) || got > 8*maxView(b.Len()) {
		t.Errorf("the view: %v, %d bytes allocated", err, got)
	}
}

func TestParseRefuses(t *testing.T) {
	deep := func(n int) string { return "a|" + strings.Repeat("a:1:{i:0;", n) + "N;" + strings.Repeat("}", n) }
	for _, c := range []struct {
		h      Handler
		record string
		want   error
		text   string
	}{
		{PHP, deep(MaxDepth), nil, ""},
		{PHP, deep(MaxDepth + 1), sojourn.ErrCorrupt, "512 levels"},
		{PHP, strings.Repeat("x", MaxSize+1), sojourn.ErrTooLarge, "4194304"},
		{PHP, `a|i:1;junk`, sojourn.ErrCorrupt, "at byte 6: expected a name"},
		{PHP, `a|i:1`, sojourn.ErrCorrupt, "at byte 4"},
		{PHP, `a|s:5:"abc";`, sojourn.ErrCorrupt, "at byte"},
		{PHP, `a|R:2;`, sojourn.ErrCorrupt, "leads nowhere"},
		{PHP, `a|i:1;b|r:1;`, sojourn.ErrCorrupt, "no object"},
		{Serialize, `i:1;`, sojourn.ErrCorrupt, "expected an array"},
		{Serialize, `a:1:{s:1:"a";i:1;}`, nil, ""},
		{Binary, "\x05ai:1;", sojourn.ErrCorrupt, "expected a value"},
		{Igbinary, "a|i:1;", sojourn.ErrCorrupt, "igbinary's header"},
		{Igbinary, "\x00\x00\x00\x02\x06\x01", sojourn.ErrCorrupt, "expected an array"},
		{"wddx", "x", sojourn.ErrInvalid, "php_binary or igbinary"},
	} {
		_, err := Parse(c.h, []byte(c.record))
		if !errors.Is(err, c.want) || c.text != "" && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s %.40q: %v, expected %v with %q", c.h, c.record, err, c.want, c.text)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	for _, c := range []struct {
		h         Handler
		name, raw string
		want      error
		text      string
	}{
		{PHP, "a|b", `1`, sojourn.ErrUnsupported, "whole session empty"},
		{PHP, "5", `1`, sojourn.ErrUnsupported, "must not be a number"},
		{Binary, "-5", `1`, sojourn.ErrUnsupported, "must not be a number"},
		{Binary, strings.Repeat("k", 128), `1`, sojourn.ErrUnsupported, "127 bytes"},
		{Serialize, "5", `1`, nil, ""},
		{PHP, "05", `1`, nil, ""},
		{PHP, "n", `9223372036854775808`, sojourn.ErrUnsupported, `member "n": sojourn: not supported`},
		{PHP, "n", `1e400`, sojourn.ErrUnsupported, "64 bits"},
		{PHP, "n", `{`, sojourn.ErrInvalid, "expected JSON"},
		{PHP, "n", `1 2`, sojourn.ErrInvalid, "one JSON value"},
		{PHP, "n", `{"@class":"Cart"}`, sojourn.ErrUnsupported, "run its code"},
		{PHP, "n", `[{"@class":"Cart","@data":"x"}]`, sojourn.ErrUnsupported, "run its code"},
		{PHP, "n", `{"@class":"stdClass"}`, nil, ""},
		{PHP, "n", `{"@enum":"Suit:Hearts"}`, sojourn.ErrUnsupported, "destroy the session"},
		{PHP, "n", `{"@circle":""}`, sojourn.ErrInvalid, "not known"},
		{PHP, "n", `{"@bytes":"?"}`, sojourn.ErrInvalid, "base64"},
		{PHP, "n", `{"@float":"big"}`, sojourn.ErrInvalid, "NaN"},
		{PHP, "n", strings.Repeat("[", 600) + strings.Repeat("]", 600), sojourn.ErrInvalid, "nested"},
	} {
		d, err := Parse(c.h, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = d.Set(c.name, json.RawMessage(c.raw))
		if !errors.Is(err, c.want) || c.text != "" && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s %.40q = %.40s: %v, expected %v with %q", c.h, c.name, c.raw, err, c.want, c.text)
		}
		if err != nil && len(d.Names()) != 0 {
			t.Errorf("%s %.40q: refused, and there", c.h, c.name)
		}
	}
}

// What stands before references is not replaced where their new numbers cannot be
// known, and appended to freely.
func TestReferencesBesideOpaqueObjects(t *testing.T) {
	const record = `a|i:1;old|C:3:"Old":8:{x:i:0;N;}b|O:8:"stdClass":0:{}c|r:3;`
	d, err := Parse(PHP, []byte(record))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Set("a", json.RawMessage(`[1,2]`)); !errors.Is(err, sojourn.ErrUnsupported) || !strings.Contains(err.Error(), `member "a"`) {
		t.Errorf("set: %v", err)
	}
	if err := d.Delete("a"); !errors.Is(err, sojourn.ErrUnsupported) {
		t.Errorf("delete: %v", err)
	}
	if err := d.Set("new", json.RawMessage(`1`)); err != nil {
		t.Errorf("append: %v", err)
	}
	if b, err := d.Bytes(); err != nil || !bytes.Equal(b, []byte(record+"new|i:1;")) {
		t.Errorf("%q, %v", b, err)
	}
}

// Trusted callers may write what the view shows, and get the same view back.
func TestViewReadsBack(t *testing.T) {
	for _, view := range []string{
		`{"@class":"Cart","a":1,"b:protected":2.5,"c:Cart:private":["x"]}`, `{"@class":"Old","@data":"raw"}`, `{"@class":"Old","@data":{"@bytes":"AP8="}}`, `{"@enum":"Suit:Hearts"}`,
		`{"@bytes":"/w=="}`, `{"@float":"-Infinity"}`, `{"@bytes:/w==":1,"@@class":"x","@@@y":2}`, `{"a":{},"b":[]}`, `[null,true,false,-7,1.0,-0.0,1e+21,1e-07,0.1]`, `""`, `{"1":1,"x":2}`,
	} {
		for _, h := range Handlers {
			d, _ := Parse(h, nil)
			if err := d.SetTrusted("v", json.RawMessage(view)); err != nil {
				t.Errorf("%s: %v", view, err)
				continue
			}
			b, err := d.Bytes()
			if err != nil {
				t.Errorf("%s: %v", view, err)
				continue
			}
			back, err := Parse(h, b)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := back.JSON("v"); err != nil || string(got) != strings.ReplaceAll(view, "{}", "[]") {
				t.Errorf("%s: %s becomes %s (%v), by way of %q", h, view, got, err, b)
			}
		}
	}
}
