package format_test

import (
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/format/aspnetformat"
	"github.com/sojournhq/sojourn/format/expressformat"
	"github.com/sojournhq/sojourn/format/flaskformat"
	"github.com/sojournhq/sojourn/format/koaformat"
	"github.com/sojournhq/sojourn/format/phpformat"
)

var update = flag.Bool("update", false, "write the tables of docs/formats.md anew")

type named struct {
	name string
	f    format.Format
}

func formats(t *testing.T) (all []named) {
	t.Helper()
	add := func(name string, f format.Format, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, named{name, f})
	}
	secrets := []string{"secret"}
	f, err := expressformat.Format(&expressformat.Options{Secrets: secrets})
	add("express", f, err)
	f, err = koaformat.Format(&koaformat.Options{Keys: secrets}, true)
	add("koa-session, in a cookie", f, err)
	f, err = koaformat.Format(&koaformat.Options{Keys: secrets}, false)
	add("koa-session, in a store", f, err)
	f, err = koaformat.GenericFormat(&koaformat.Options{Keys: secrets})
	add("koa-generic", f, err)
	f, err = flaskformat.Format(&flaskformat.Options{Secrets: secrets})
	add("flask", f, err)
	f, err = flaskformat.SessionFormat(&flaskformat.SessionOptions{Form: flaskformat.Msgpack})
	add("flask-session, msgpack", f, err)
	f, err = flaskformat.SessionFormat(&flaskformat.SessionOptions{Form: flaskformat.JSON})
	add("flask-session, JSON", f, err)
	f, err = flaskformat.SessionFormat(&flaskformat.SessionOptions{Form: flaskformat.Pickle})
	add("flask-session, pickle", f, err)
	for _, h := range phpformat.Handlers {
		f, err = phpformat.Format(&phpformat.Options{Handler: h})
		add(string(h), f, err)
	}
	f, err = aspnetformat.Format(&aspnetformat.Options{Application: "shop", Keys: []aspnetformat.Key{ringKey(t)}})
	add("aspnetcore", f, err)
	return all
}

// ringKey is a key as ASP.NET Core writes it, of made-up bytes.
func ringKey(t *testing.T) aspnetformat.Key {
	t.Helper()
	key, err := aspnetformat.ParseKey([]byte(`<?xml version="1.0" encoding="utf-8"?>
<key id="80732141-ec8f-4b80-af9c-c4d2d1ff8901" version="1">
  <creationDate>2026-01-19T23:32:02.3949887Z</creationDate>
  <activationDate>2026-01-19T23:32:02.3839429Z</activationDate>
  <expirationDate>2036-04-19T23:32:02.3839429Z</expirationDate>
  <descriptor deserializerType="Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption.ConfigurationModel.AuthenticatedEncryptorDescriptorDeserializer, Microsoft.AspNetCore.DataProtection">
    <descriptor>
      <encryption algorithm="AES_256_CBC" />
      <validation algorithm="HMACSHA256" />
      <masterKey xmlns:p4="http://schemas.asp.net/2015/03/dataProtection" p4:requiresEncryption="true">
        <value>` + strings.Repeat("A", 86) + `==</value>
      </masterKey>
    </descriptor>
  </descriptor>
</key>`))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// values are tried with each format; the heading is what people call them.
var values = []struct{ heading, key, json string }{
	{"text", "k", `"żółć 😀"`},
	{"`null`", "k", `null`},
	{"`true`", "k", `true`},
	{"`7`", "k", `7`},
	{"`1.5`", "k", `1.5`},
	{"`1.0`", "k", `1.0`},
	{"2⁵³+1", "k", `9007199254740993`},
	{"2⁶⁴", "k", `18446744073709551616`},
	{"`[1,\"a\"]`", "k", `[1,"a"]`},
	{"`{\"a\":{}}`", "k", `{"a":{}}`},
	{"key `a\\|b`", "a|b", `1`},
	{"key `_x`", "_x", `1`},
	{"key `save`", "save", `1`},
	{"key `toString`", "toString", `1`},
	{"key of 200 bytes", strings.Repeat("k", 200), `1`},
}

// fate is what becomes of a value that is stored and read again.
func fate(f format.Format, key, json string) string {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	if err := f.Check(key, []byte(json)); errors.Is(err, sojourn.ErrUnsupported) || errors.Is(err, sojourn.ErrInvalid) || errors.Is(err, sojourn.ErrTooLarge) {
		return "refused"
	} else if err != nil {
		return err.Error()
	}
	record, err := f.Encode(nil, &format.Edit{Set: []format.Member{{Key: key, Value: []byte(json)}}, Now: at, Expires: at.Add(time.Hour)})
	if errors.Is(err, sojourn.ErrUnsupported) {
		return "refused late"
	}
	if err != nil {
		return err.Error()
	}
	doc, err := f.Decode(record)
	if err != nil {
		return err.Error()
	}
	for _, m := range doc.Members {
		if m.Key == key && string(m.Value) == json {
			return "✓"
		}
		if m.Key == key {
			return "`" + string(m.Value) + "`"
		}
	}
	return "lost"
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// tables are those of docs/formats.md, by the name of their marks.
func tables(t *testing.T) map[string]string {
	all := formats(t)
	var about, holds strings.Builder
	about.WriteString("| Format | System | Cookie | Record | Use extends it | Old signatures replaced | A new session lives |\n|---|---|---|---|---|---|---|\n")
	for _, n := range all {
		d := n.f.Describe()
		where := "under `" + n.f.Key("ID") + "`"
		if d.InCookie {
			where = "in the cookie"
		}
		about.WriteString("| " + n.name + " | " + d.System + " | `" + d.Cookie + "` | " + where + " | " + yes(d.Slides) + " | " + yes(d.Resigns) + " | " + d.Life.String() + " |\n")
	}
	holds.WriteString("| Format |")
	for _, v := range values {
		holds.WriteString(" " + v.heading + " |")
	}
	holds.WriteString("\n|---|" + strings.Repeat("---|", len(values)) + "\n")
	for _, n := range all {
		holds.WriteString("| " + n.name + " |")
		for _, v := range values {
			holds.WriteString(" " + fate(n.f, v.key, v.json) + " |")
		}
		holds.WriteString("\n")
	}
	return map[string]string{"formats": about.String(), "values": holds.String()}
}

// The tables in docs/formats.md are what the formats say and do. After a change:
// go test ./format -run TestTables -update
func TestTables(t *testing.T) {
	const path = "../docs/formats.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := string(text)
	for name, table := range tables(t) {
		begin, end := "<!-- table "+name+" -->\n", "<!-- end -->"
		head, rest, ok := strings.Cut(out, begin)
		old, tail, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no marks for the table %q", path, name)
		}
		if strings.Contains(table, "refused late") || strings.Contains(table, " lost ") {
			t.Errorf("what cannot be held must be refused by Check:\n%s", table)
		}
		if old != table && !*update {
			t.Errorf("the table %q is out of date; run go test ./format -run TestTables -update. It should be\n%s", name, table)
		}
		out = head + begin + table + end + tail
	}
	if *update {
		if err := os.WriteFile(path, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
