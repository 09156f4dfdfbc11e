package aspnetformat

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/testenv"
)

// The known answer of ASP.NET Core's own test
// ManagedAuthenticatedEncryptorTests.Encrypt_KnownKey, whose random bytes count up
// from 0.
func TestKnownAnswer(t *testing.T) {
	var random [32]byte
	for i := range random {
		random[i] = byte(i)
	}
	master, aad, text := []byte("master key"), []byte{6, 5, 4, 3}, []byte{2, 3, 4}
	const want = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh+36j4yWJOjBgOJxmYDYwhLnYqFxw+9mNh/cudyPrWmJmw4d/dmGaLJLLut2udiAAA="
	message := encrypt(master, aad, text, random[:])
	if got := base64.StdEncoding.EncodeToString(message); got != want {
		t.Errorf("%s\nexpected\n%s", got, want)
	}
	if got, err := decrypt(master, aad, message); err != nil || !bytes.Equal(got, text) {
		t.Errorf("decrypted %x, %v", got, err)
	}
	for i := range message {
		bad := bytes.Clone(message)
		bad[i] ^= 1
		if _, err := decrypt(master, aad, bad); err == nil {
			t.Errorf("byte %d was changed, and nobody noticed", i)
		}
	}
	if _, err := decrypt(master, []byte("other"), message); err == nil {
		t.Error("decrypted for another purpose")
	}
}

// The layout of the context header; its content is checked by the known answer.
func TestContextHeader(t *testing.T) {
	if got := hex.EncodeToString(contextHeader[:18]); got != "000000000020000000100000002000000020" || len(contextHeader) != 66 {
		t.Errorf("%s, %d bytes", got, len(contextHeader))
	}
}

const xmlText = `<?xml version="1.0" encoding="utf-8"?>
<key id="80732141-ec8f-4b80-af9c-c4d2d1ff8901" version="1">
  <creationDate>2026-03-19T23:32:02.3949887Z</creationDate>
  <activationDate>2026-03-19T23:32:02.3839429Z</activationDate>
  <expirationDate>2026-06-17T23:32:02.3839429Z</expirationDate>
  <descriptor deserializerType="Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption.ConfigurationModel.AuthenticatedEncryptorDescriptorDeserializer, Microsoft.AspNetCore.DataProtection">
    <descriptor>
      <encryption algorithm="AES_256_CBC" />
      <validation algorithm="HMACSHA256" />
      <masterKey p4:requiresEncryption="true" xmlns:p4="http://schemas.asp.net/2015/03/dataProtection">
        <!-- Warning: the key below is in an unencrypted form. -->
        <value>AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4/QA==</value>
      </masterKey>
    </descriptor>
  </descriptor>
</key>`

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func newFormat(t *testing.T, app string) format.Format {
	t.Helper()
	key, err := ParseKey([]byte(xmlText))
	if err != nil {
		t.Fatal(err)
	}
	f, err := Format(&Options{Keys: []Key{key}, Application: app, Prefix: "shop:"})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestParseKey(t *testing.T) {
	key, err := ParseKey([]byte(xmlText))
	if err != nil || key.ID != "80732141-ec8f-4b80-af9c-c4d2d1ff8901" || len(key.master) != 64 || key.Activated.Year() != 2026 {
		t.Errorf("%+v, %v", key, err)
	}
	head, aad := header(key.ID, []string{"shop", "SessionMiddleware"})
	if got := hex.EncodeToString(head); got != "09f0c9f0"+"412173808fec804baf9cc4d2d1ff8901" {
		t.Errorf("header %s", got)
	}
	if !bytes.Equal(aad, append(head, "\x00\x00\x00\x02\x04shop\x11SessionMiddleware"...)) {
		t.Errorf("additional data %q", aad)
	}
	for change, want := range map[[2]string]error{
		{"AES_256_CBC", "AES_256_GCM"}:                 sojourn.ErrUnsupported,
		{"HMACSHA256", "HMACSHA512"}:                   sojourn.ErrUnsupported,
		{"<masterKey", "<encryptedSecret/><masterKey"}: sojourn.ErrUnsupported,
		{`version="1">`, `version="2">`}:               sojourn.ErrInvalid,
		{"80732141-", "80732141"}:                      sojourn.ErrInvalid,
		{"AQIDBAUG", "?"}:                              sojourn.ErrInvalid,
		{"2026-03-19T23:32:02.3949887Z", "yesterday"}:  sojourn.ErrInvalid,
		{"<key ", "<revocation "}:                      sojourn.ErrInvalid,
	} {
		if _, err := ParseKey([]byte(strings.Replace(xmlText, change[0], change[1], 1))); !errors.Is(err, want) {
			t.Errorf("%q: %v, expected %v", change, err, want)
		}
	}
}

func TestCookieAndRecord(t *testing.T) {
	f := newFormat(t, "shop")
	members := []format.Member{{Key: "name", Value: []byte(`"Ada żółć"`)}, {Key: "n", Value: []byte("42")}, {Key: "neg", Value: []byte("-1")},
		{Key: "cart", Value: []byte(`{"tea":[1,2.5]}`)}, {Key: "bin", Value: []byte(`{"@bytes":"AAEC//8="}`)}}
	cookies, key, record, err := format.Compose(f, "", "ada", members, now)
	if err != nil {
		t.Fatal(err)
	}
	pair, _, _ := strings.Cut(cookies[0], ";")
	plain := strings.ReplaceAll(strings.ReplaceAll(pair, "%2F", "/"), "%2B", "+")
	for _, c := range []struct {
		f      format.Format
		cookie string
		word   string
	}{
		{f, pair, ""},
		{f, strings.TrimPrefix(pair, ".AspNetCore.Session="), ""},
		{f, plain, ""},
		{newFormat(t, "blog"), pair, format.BadSignature},
		{f, plain[:len(plain)-3] + "AAA", format.BadSignature},
		{f, "junk", format.Malformed},
	} {
		r, err := format.Inspect(c.f, c.cookie, record, now)
		if err != nil || format.Word(r.Reason) != c.word || c.word == "" && (!r.Valid || r.Key != key || len(r.ID) != 36 || key != "shop:"+r.ID) {
			t.Errorf("%s: %+v, %v", c.cookie, r, err)
		}
		if c.word == "" {
			for i, m := range append(members, format.Member{Key: "UserId", Value: []byte(`"ada"`)}) {
				if r.Members[i].Key != m.Key || string(r.Members[i].Value) != string(m.Value) {
					t.Errorf("member %d is %s, expected %s", i, r.Members[i].Value, m.Value)
				}
			}
		}
	}
}

// A record by hand, as DistributedSession lays it out.
func TestRecordLayout(t *testing.T) {
	data := []byte("\x02\x00\x00\x02" + "0123456789abcdef" + "\x00\x01n\x00\x00\x00\x04\x00\x00\x00\x2a" + "\x00\x04name\x00\x00\x00\x03Ada")
	r, err := parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%s", r.members()); !strings.Contains(got, "{n 42} {name \"Ada\"}") {
		t.Errorf("members %s", got)
	}
	if again, err := r.bytes(); err != nil || !bytes.Equal(again, data) {
		t.Errorf("written again %q, %v", again, err)
	}
	for i := range data {
		if _, err := parse(data[:i]); !errors.Is(err, sojourn.ErrCorrupt) {
			t.Errorf("%d bytes of it: %v", i, err)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	f := newFormat(t, "shop")
	for raw, want := range map[string]error{"true": sojourn.ErrUnsupported, "null": sojourn.ErrUnsupported, "1.5": sojourn.ErrUnsupported, "2147483648": sojourn.ErrUnsupported,
		"1633837924": sojourn.ErrUnsupported, `{"@bytes":"?"}`: sojourn.ErrInvalid, "{": sojourn.ErrInvalid, `"x"`: nil, "[]": nil, "-2147483648": nil} {
		if err := f.Check("k", []byte(raw)); !errors.Is(err, want) || err != nil && !strings.Contains(err.Error(), `"k"`) {
			t.Errorf("%s: %v, expected %v", raw, err, want)
		}
	}
	if err := f.Check(strings.Repeat("k", 65536), nil); !errors.Is(err, sojourn.ErrUnsupported) {
		t.Errorf("a long key: %v", err)
	}
}

func FuzzRecord(f *testing.F) {
	for _, seed := range []string{"", "\x02\x00\x00\x00" + "0123456789abcdef", "\x02\x00\x00\x01" + "0123456789abcdef" + "\x00\x01n\x00\x00\x00\x04\x00\x00\x00\x2a",
		"\x02\xff\xff\xff" + "0123456789abcdef" + "\xff\xff", "\x02\x00\x00\x01" + "0123456789abcdef" + "\x00\x01n\xff\xff\xff\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r *record
		var err error
		if got := testenv.Allocated(func() { r, err = parse(data) }); got > 16<<10+100*len(data) {
			t.Fatalf("%d bytes allocate %d", len(data), got)
		}
		if err != nil {
			return
		}
		all := r.members()
		out, err := r.bytes()
		if err != nil {
			t.Fatal(err)
		}
		back, err := parse(out)
		if err != nil || len(back.members()) != len(all) {
			t.Fatalf("written again: %v", err)
		}
	})
}

func FuzzCookie(f *testing.F) {
	for _, seed := range []string{"", "CfDJ8EEhc4CP7IBLr5zE0tH_iQE", ".AspNetCore.Session=CfDJ8", "%%%", "CfDJ8EEhc4CP7IBLr5zE0tH/iQE" + strings.Repeat("A", 200)} {
		f.Add(seed)
	}
	key, err := ParseKey([]byte(xmlText))
	if err != nil {
		f.Fatal(err)
	}
	one, err := Format(&Options{Keys: []Key{key}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, cookie string) {
		if r, err := format.Inspect(one, cookie, nil, now); err != nil || r.Valid || r.ID != "" {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
