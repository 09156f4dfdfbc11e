package jsontree

import (
	"math"
	"strings"
	"testing"
)

func TestParseKeepsOrderAndDigits(t *testing.T) {
	v, err := Parse([]byte(` {"b":1,"a":12345678901234567890,"b":[true,null,"x",{}],"f":1.0} `), 4)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(v.Keys, ","); got != "b,a,f" {
		t.Errorf("keys %s", got)
	}
	if v.Items[0].Kind != Array || len(v.Items[0].Items) != 4 {
		t.Errorf("the repeated name has %+v", v.Items[0])
	}
	if _, fits := v.Items[1].Int(); fits || !v.Items[1].Whole() || v.Items[1].Text != "12345678901234567890" {
		t.Errorf("number %+v", v.Items[1])
	}
	if f, ok := v.Items[2].Float(); !ok || f != 1 || v.Items[2].Whole() {
		t.Errorf("number %+v", v.Items[2])
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "{", "[", `{"a"}`, `{"a":}`, "[1,]", "1 2", "nul", `"a`, "[[[]]]", `{"a":[[1]]}`, "NaN"} {
		if v, err := Parse([]byte(text), 2); err == nil {
			t.Errorf("%q is %+v", text, v)
		}
	}
}

func TestNamesAndMarks(t *testing.T) {
	for _, name := range []string{"", "a", "@", "@bytes", "@@x", "\xff", "@bytes:YQ=="} {
		quoted := string(AppendName(nil, name))
		v, err := Parse([]byte("{"+quoted+":1}"), 1)
		if err != nil {
			t.Fatal(err)
		}
		if back, ok := Name(v.Keys[0]); !ok || back != name {
			t.Errorf("%q is written %s and read %q", name, quoted, back)
		}
		if mark, _ := v.Mark(); mark != "" && name != "\xff" {
			t.Errorf("%q is taken for a mark", name)
		}
	}
	if _, ok := Name("@class"); ok {
		t.Error("a mark is taken for a name")
	}
}

func TestAppend(t *testing.T) {
	for want, got := range map[string][]byte{
		`"a\"\\\n\t\r\u0001ż"`:    AppendText(nil, "a\"\\\n\t\r\x01ż"),
		`{"@bytes":"/w=="}`:       AppendText(nil, "\xff"),
		"\"\uFFFD\"":              AppendString(nil, "\xff"),
		"1.0":                     AppendFloat(nil, 1),
		"-0.0":                    AppendFloat(nil, math.Copysign(0, -1)),
		"1e+21":                   AppendFloat(nil, 1e21),
		`{"@float":"NaN"}`:        AppendFloat(nil, math.NaN()),
		"1.7976931348623157e+308": AppendFloat(nil, math.MaxFloat64),
		`{"@float":"-Infinity"}`:  AppendFloat(nil, math.Inf(-1)),
	} {
		if string(got) != want {
			t.Errorf("%s, expected %s", got, want)
		}
	}
}
