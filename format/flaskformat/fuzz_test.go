package flaskformat

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// Whatever a record holds: no panic, memory within a multiple of its length, and
// what can be read can be written, changed, and read again.
func fuzz(f *testing.F, form Form, seeds ...string) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		var d *Document
		var err error
		if got, most := testenv.Allocated(func() { d, err = Parse(form, record) }), ceiling(len(record)); got > most {
			t.Fatalf("reading %d bytes allocates %d, expected at most %d", len(record), got, most)
		}
		if err != nil {
			if !errors.Is(err, sojourn.ErrCorrupt) && !errors.Is(err, sojourn.ErrTooLarge) && !errors.Is(err, sojourn.ErrUnsupported) {
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
		if _, err := d.Bytes(); err != nil {
			t.Fatalf("written again: %v", err)
		}
		if err := d.Set("new member", json.RawMessage(`{"a":[1,2.5,null]}`)); err != nil {
			t.Fatal(err)
		}
		for _, name := range d.Names() {
			if len(name)%2 == 0 && form != Pickle {
				if err := d.Delete(name); err != nil {
					t.Fatal(err)
				}
			}
		}
		if changed, err := d.Bytes(); err != nil {
			t.Fatalf("changed: %v\n%q", err, changed)
		}
	})
}

// ceiling is what reading a record of n bytes may allocate: in msgpack and pickle
// a value may have one byte, and needs some 150 of memory.
func ceiling(n int) int { return 16<<10 + 600*n }

func FuzzTagged(f *testing.F) {
	fuzz(f, Tagged, "", "{}", `{"a":{" t":[1,{" b":"AP8="}]},"u":{" u":"00000000000000000000000000000007"},"d":{" d":"Tue, 14 Nov 2023 22:13:20 GMT"},"m":{" m":"<b>"}}`,
		`{"a":NaN,"b":Infinity,"c":-Infinity,"n":-0}`, `{" di":{" t__":[1]}}`, `{" t":[1]}`, `{"a":{" di":{"x":1}}}`, `{"a":"\ud800\udc00\udfff\u0000\""}`, `{"a":1,"a":2}`, `{"a":1e400,"b":0.1e-5}`,
		strings.Repeat(`{"a":`, 600), strings.Repeat(`[`, 600), `{"a":`+strings.Repeat("9", 5000)+"}", `{"":{" di":{}}}`)
}

func FuzzMsgpack(f *testing.F) {
	fuzz(f, Msgpack, "", "\x80", "\x81\xa1a\x01", "\x82\xa1a\xc0\xa1b\x93\x01\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xc4\x01\xff", "\x81\xa1t\xd6\xff\x65\x53\xf1\x00", "\x81\xa1t\xd7\xff\x00\x00\x00\x00\x65\x53\xf1\x00",
		"\xdf\xff\xff\xff\xff", "\xdd\xff\xff\xff\xff", "\xdb\xff\xff\xff\xff", "\xc6\xff\xff\xff\xff", "\xc9\xff\xff\xff\xff\x01", "\x81\x01\x02", "\x81\xa1i\x81\x01\x02", "\x81\xa1a"+strings.Repeat("\x91", 600), "\xc1", "\x81\xa1a\xcf\xff\xff\xff\xff\xff\xff\xff\xff")
}

func FuzzPickle(f *testing.F) {
	fuzz(f, Pickle, "", "\x80\x04}.", "\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94K\x01u.", "\x80\x02}q\x00X\x01\x00\x00\x00aK\x01s.",
		"\x80\x04}\x8c\x01u\x8c\x04uuid\x8c\x04UUID\x93)\x81}\x8c\x03intK\x07sbs.", "\x80\x04}\x8c\x01d\x8c\x08datetime\x8c\x08datetime\x93C\x0a\x07\xe7\x0b\x0e\x16\x0d\x14\x01\xe2@\x85Rs.",
		"\x80\x04cos\nsystem\n\x8c\x04echo\x85R.", "\x80\x04}\x8c\x01l]\x94h\x00as.", "\x80\x04}\x8c\x01a(K\x01K\x02ts.", "\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "\x80\x04}\x8c\x01a\x8b\xff\xff\xff\x7fs.",
		"\x80\x04}r\xff\xff\xff\xff.", "\x80\x04"+strings.Repeat("]\x94", 300)+strings.Repeat("a", 299)+".", "\x80\x04}(\x8c\x01a\x8fu.", "\x80\x042.", "\x80\x04}0.", "\x80\x04((1}.")
}

// A pickle that doubles a list again and again means 2^40 values in 200 bytes.
func TestPickleBomb(t *testing.T) {
	record := []byte("\x80\x04}\x8c\x01a]\x94")
	for i := range 40 {
		record = append(record, 'h', byte(i), '\x86', '\x94') // (x, x) of what is on top
	}
	record = append(record, "s."...)
	d, err := Parse(Pickle, record)
	if err != nil {
		t.Fatal(err)
	}
	if got := testenv.Allocated(func() { _, err = d.JSON("a") }); !errors.Is(err, sojourn.ErrTooLarge) || got > 1<<20 {
		t.Errorf("%v, %d bytes allocated", err, got)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		form   Form
		record string
		want   error
		text   string
	}{
		{Tagged, `[1]`, sojourn.ErrCorrupt, "expected a dict"},
		{Tagged, `{" t":[1]}`, sojourn.ErrCorrupt, "another tagged value"},
		{Tagged, `{"a":{" t":5}}`, sojourn.ErrCorrupt, `the tag " t"`},
		{Tagged, `{"a":{" u":"zz"}}`, sojourn.ErrCorrupt, `the tag " u"`},
		{Tagged, `{"a":1}x`, sojourn.ErrCorrupt, "more than one"},
		{Tagged, `{"a":01}`, sojourn.ErrCorrupt, "at byte 7"},
		{Tagged, "{\"a\":\"\x01\"}", sojourn.ErrCorrupt, "control character"},
		{Tagged, `{"a":-NaN}`, sojourn.ErrCorrupt, "expected a number"},
		{Tagged, "\ufeff{}", sojourn.ErrCorrupt, "at byte 0"},
		{Tagged, "{\"a\":\"\xff\"}", sojourn.ErrCorrupt, "UTF-8"},
		{Tagged, strings.Repeat("x", MaxSize+1), sojourn.ErrTooLarge, "4194304"},
		{Msgpack, "\x81\xa1a\x01\x00", sojourn.ErrCorrupt, "1 bytes after"},
		{Msgpack, "\x81\xa1a", sojourn.ErrCorrupt, "too early"},
		{Msgpack, "\x81\x01\x02", sojourn.ErrUnsupported, "no string"},
		{Msgpack, "\x81\xa1a\xd4\x05x", sojourn.ErrCorrupt, "extension"},
		{Pickle, "\x80\x04cos\nsystem\n\x8c\x04echo\x85R.", sojourn.ErrUnsupported, `"os.system"`},
		{Pickle, "\x80\x04}\x8c\x01x\x8c\x08builtins\x8c\x04eval\x93s.", sojourn.ErrUnsupported, `"builtins.eval"`},
		{Pickle, "\x80\x04}\x8c\x01x\x8c\x07decimal\x8c\x07Decimal\x93)\x81s.", sojourn.ErrUnsupported, "decimal.Decimal"},
		{Pickle, "\x80\x06}.", sojourn.ErrCorrupt, "protocol"},
		{Pickle, "\x80\x04}", sojourn.ErrCorrupt, "STOP"},
		{Pickle, "\x80\x04(}.", sojourn.ErrCorrupt, "one value"},
		{Pickle, "\x80\x04].", sojourn.ErrCorrupt, "expected a dict"},
		{Pickle, "\x80\x04}P.", sojourn.ErrUnsupported, "instruction 0x50"},
		{"yaml", "a: 1", sojourn.ErrInvalid, "msgpack or pickle"},
	} {
		_, err := Parse(c.form, []byte(c.record))
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s %.40q: %v, expected %v with %q", c.form, c.record, err, c.want, c.text)
		}
	}
}

func TestSetRefuses(t *testing.T) {
	for _, c := range []struct {
		form Form
		raw  string
		want error
		text string
	}{
		{Tagged, `{"@set":[1]}`, sojourn.ErrUnsupported, `member "n": sojourn: not supported`},
		{Tagged, `{"@decimal":"1"}`, sojourn.ErrUnsupported, "kind decimal"},
		{Tagged, `{"@datetime":"2023-11-14T22:13:20.5Z"}`, sojourn.ErrUnsupported, "to the second"},
		{Tagged, `{"@datetime":"yesterday"}`, sojourn.ErrInvalid, "RFC 3339"},
		{Tagged, `{"@uuid":"zz"}`, sojourn.ErrInvalid, "hexadecimal"},
		{Tagged, `{"@tuple":1}`, sojourn.ErrInvalid, "array"},
		{Tagged, `{"@markup":"<b>"}`, sojourn.ErrInvalid, "not known"},
		{Tagged, `{"@class":"x"}`, sojourn.ErrInvalid, "not known"},
		{Tagged, `{"@a":1,"b":2}`, sojourn.ErrInvalid, "not known"},
		{Tagged, strings.Repeat("9", 4301), sojourn.ErrUnsupported, "4301 digits"},
		{Tagged, `1e400`, sojourn.ErrUnsupported, "64 bits"},
		{Tagged, `{`, sojourn.ErrInvalid, "expected JSON"},
		{JSON, `{"@bytes":"AP8="}`, sojourn.ErrUnsupported, `"@bytes"`},
		{JSON, `{"@float":"NaN"}`, sojourn.ErrUnsupported, "NaN"},
		{Msgpack, `18446744073709551616`, sojourn.ErrUnsupported, "64 bits"},
		{Msgpack, `{"@tuple":[]}`, sojourn.ErrUnsupported, `"@tuple"`},
		{Pickle, `{"@datetime":"2023-11-14T22:13:20Z"}`, sojourn.ErrUnsupported, "name a class"},
	} {
		d, err := Parse(c.form, map[Form][]byte{Tagged: []byte("{}"), JSON: []byte("{}"), Msgpack: {0x80}, Pickle: emptyPickle}[c.form])
		if err != nil {
			t.Fatal(err)
		}
		err = d.Set("n", json.RawMessage(c.raw))
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s %.40s: %v, expected %v with %q", c.form, c.raw, err, c.want, c.text)
		}
		if err != nil && len(d.Names()) != 0 {
			t.Errorf("%s %.40s: refused, and there", c.form, c.raw)
		}
	}
	d, _ := Parse(Pickle, []byte("\x80\x04}\x8c\x01aK\x01s."))
	if err := d.Delete("a"); !errors.Is(err, sojourn.ErrUnsupported) {
		t.Errorf("delete: %v", err)
	}
	if b, err := d.Bytes(); err != nil || !bytes.Contains(b, []byte("K\x01s.")) {
		t.Errorf("%q %v", b, err)
	}
}
