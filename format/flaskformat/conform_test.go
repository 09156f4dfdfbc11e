package flaskformat_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/format/flaskformat"
	"github.com/sojournhq/sojourn/format/formattest"
)

var conformValues = []string{`"text"`, `"żółć 😀"`, `""`, `-7`, `2.5`, `1.0`, `12345678901234567890`, `true`, `false`, `null`, `[1,"a",[true]]`, `{"a":{"b":[null]}}`, `{" t":[1]}`, `{}`}

func TestConformanceCookie(t *testing.T) {
	// Only cookies of users have IDs that last: the suite's sessions are users'.
	f, err := flaskformat.Format(&flaskformat.Options{Secrets: []string{"new", "old"}, Owner: "id"})
	if err != nil {
		t.Fatal(err)
	}
	signed := strconv.FormatInt(time.Date(2026, 11, 21, 11, 0, 0, 0, time.UTC).Unix(), 10)
	formattest.Run(t, f, &formattest.FormatOptions{
		Records: []string{signed + `.{"user":{"id":42,"name":"Ada"},"role":"admin"}`, signed + `.{"_permanent":true,"t":{" t":[1,{" u":"00000000000000000000000000000007"}]},"n":NaN}`, signed + `.{" di":{" t__":[1]}}`},
		Broken:  []string{"", "{}", signed, signed + ".", signed + ".[1]", signed + `.{"a":{" u":"zz"}}`, "x.{}"},
		Refused: []string{"_permanent"}, Values: append(conformValues, `{"@bytes":"AP8="}`, `{"@float":"NaN"}`, `{"@datetime":"2023-11-14T22:13:20Z"}`),
	})
}

func TestConformanceSession(t *testing.T) {
	for form, opt := range map[flaskformat.Form]formattest.FormatOptions{
		flaskformat.JSON:    {Records: []string{`{"_permanent": true, "user": {"id": 42}, "half": "\ud800"}`}, Values: conformValues},
		flaskformat.Msgpack: {Records: []string{"\x82\xaa_permanent\xc3\xa4user\x81\xa2id\x2a", "\x81\xa1t\xd6\xff\x65\x53\xf1\x00"}, Values: append(conformValues, `{"@bytes":"AP8="}`)},
	} {
		t.Run(string(form), func(t *testing.T) {
			f, err := flaskformat.SessionFormat(&flaskformat.SessionOptions{Secrets: []string{"new", "old"}, Form: form})
			if err != nil {
				t.Fatal(err)
			}
			opt.Refused, opt.Broken = []string{"_permanent"}, []string{"", "x", "{", "[1]", "\x81\xa1a", "\x93\x01\x02\x03"}
			formattest.Run(t, f, &opt)
		})
	}
}
