package flaskformat

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/format"
	"github.com/sojournhq/sojourn/internal/testenv"
)

func cookieFormat(t *testing.T, secrets ...string) format.Format {
	t.Helper()
	f, err := Format(&Options{Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func inspect(t *testing.T, f format.Format, cookie string, record []byte, at time.Time) *format.Report {
	t.Helper()
	r, err := format.Inspect(f, cookie, record, at)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPeerCookies(t *testing.T) {
	p := startPeer(t)
	f := cookieFormat(t, "new", "żółty")
	for _, sample := range samples[Tagged] {
		cookie := p.ask(question{Do: "cookie", Secret: "żółty", Sample: sample}).Cookie
		now := time.Now() // after it was signed, however long that took
		r := inspect(t, f, cookie, nil, now.Add(time.Second))
		if !r.Valid || r.Secret != 1 || r.Expires.Sub(now) > 31*24*time.Hour+time.Second || r.Expires.Sub(now) < 31*24*time.Hour-10*time.Second {
			t.Errorf("%s: %+v", sample, r)
			continue
		}
		cookies, key, record, err := format.Compose(f, "", "", r.Members, now)
		if sample == "long" && errors.Is(err, sojourn.ErrTooLarge) {
			continue
		}
		if err != nil || key == "" != (key == "") || record != nil {
			t.Errorf("%s: %v", sample, err)
			continue
		}
		value, _, _ := strings.Cut(strings.TrimPrefix(cookies[0], "session="), ";")
		if a := p.ask(question{Do: "open", Secret: "new", Cookie: value}); !a.OK {
			t.Errorf("%s: Flask refuses our cookie %s: %s", sample, value, a.Why)
		}
	}
}

// A cookie of Flask 2.2 with the secret "s3cret": {"user":{"id":42,"name":"Ada"}},
// signed at 2026-11-21T10:57:15Z.
const known = "eyJ1c2VyIjp7ImlkIjo0MiwibmFtZSI6IkFkYSJ9fQ.awF5Cw.T7hDM6oMfai5uTBZeDxPPfEt9ts"

func TestCookieAgeAndSignature(t *testing.T) {
	signed, ok := unstamp("awF5Cw")
	if !ok {
		t.Fatal("no time")
	}
	f := cookieFormat(t, "other", "s3cret")
	const life = 31 * 24 * time.Hour
	for _, c := range []struct {
		cookie string
		at     time.Time
		word   string
		secret int
	}{
		{known, signed, "", 1},
		{"session=" + known, signed, "", 1},
		{"a=b; session=" + known + "; c=d", signed, "", 1},
		{"session=" + known + "; session=second", signed, "", 1},
		{known, signed.Add(life), "", 1},
		{known, signed.Add(life + time.Second), format.Expired, 1},
		{known, signed.Add(-time.Second), format.Expired, 1},
		{known[:len(known)-1] + "t", signed, "", 1}, // the last bits are not looked at, as in Python
		{known[:len(known)-2] + "us", signed, format.BadSignature, -1},
		{"x" + known, signed, format.BadSignature, -1},
		{"", signed, format.BadSignature, -1},
		{"no dots", signed, format.BadSignature, -1},
	} {
		r := inspect(t, f, c.cookie, nil, c.at)
		if format.Word(r.Reason) != c.word || r.Valid != (c.word == "") || r.Secret != c.secret || r.Key != "" {
			t.Errorf("%q at %v: %+v", c.cookie, c.at, r)
		}
		if c.word == "" && (len(r.Members) != 1 || r.Members[0].Key != "user" || string(r.Members[0].Value) != `{"id":42,"name":"Ada"}`) {
			t.Errorf("%q: members %s", c.cookie, r.Members)
		}
	}
}

// signedCookie signs any payload.
func signedCookie(secret, payload string, at time.Time) string {
	return deriveKeys([]string{secret}, cookieSalt).sign(payload + "." + stamp(at))
}

func TestCookiePayloads(t *testing.T) {
	f := cookieFormat(t, "s3cret")
	now := time.Now()
	for payload, word := range map[string]string{
		"": format.Malformed, "e30": "", "e30=": "", "W10": format.Malformed, "e3": format.Malformed, ".e30": format.Malformed, "bm8": format.Malformed,
		pack(bytes.Repeat([]byte("x"), 100)):                     format.Malformed,
		pack([]byte(`{"a":"` + strings.Repeat("x", 100) + `"}`)): "",
	} {
		if r := inspect(t, f, signedCookie("s3cret", payload, now), nil, now); format.Word(r.Reason) != word {
			t.Errorf("%q: %+v", payload, r)
		}
	}
}

// A compressed cookie that means 64 MiB: nothing is decompressed before the
// signature fits, and never more than a session may have.
func TestZlibBomb(t *testing.T) {
	var b bytes.Buffer
	z, _ := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	zeros := make([]byte, 1<<20)
	for range 64 {
		z.Write(zeros)
	}
	z.Close()
	payload := "." + base64.RawURLEncoding.EncodeToString(b.Bytes())
	f := cookieFormat(t, "s3cret")
	now := time.Now()
	for _, c := range []struct {
		cookie, word string
		most         int
	}{
		{signedCookie("s3cret", payload, now), format.Malformed, 16*MaxSize + 4*len(payload)},
		{signedCookie("guess", payload, now), format.BadSignature, 4*len(payload) + 64<<10},
	} {
		var r *format.Report
		if got := testenv.Allocated(func() { r = inspect(t, f, c.cookie, nil, now) }); format.Word(r.Reason) != c.word || got > c.most {
			t.Errorf("%s: %q, %d bytes allocated, expected at most %d", c.word, r.Reason, got, c.most)
		}
	}
}

func FuzzCookie(f *testing.F) {
	for _, seed := range []string{known, "session=" + known, "..", ".", "", "a.b.c", "session=%20; session=\"" + known + "\"", "==.==.=="} {
		f.Add(seed)
	}
	opt, err := Format(&Options{Secrets: []string{"s3cret"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var r *format.Report
		if got := testenv.Allocated(func() { r = inspect(t, opt, text, nil, time.Unix(1795229402, 0)) }); got > 64<<10+100*len(text) {
			t.Errorf("%d bytes of cookie allocate %d", len(text), got)
		}
		if r.Valid && !strings.Contains(text, known[:40]) {
			t.Errorf("%q is valid", text)
		}
	})
}

// FuzzUnpack is what is decompressed after the signature fits.
func FuzzUnpack(f *testing.F) {
	for _, seed := range []string{"e30", ".eJyrVkqEAyUrpaRRQDRQqgUAYGh4XQ", ".", ".AA", pack(bytes.Repeat([]byte("ab"), 5000))} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		var text string
		var err error
		if got := testenv.Allocated(func() { text, err = unpack(payload) }); got > 16*MaxSize {
			t.Errorf("%d bytes allocate %d", len(payload), got)
		}
		if err == nil && len(text) > MaxSize {
			t.Errorf("%d bytes", len(text))
		}
	})
}

func TestCookieIsWritten(t *testing.T) {
	f := cookieFormat(t, "s3cret")
	now := time.Unix(1795229402, 5e8)
	cookies, _, _, err := format.Compose(f, "", "ada", []format.Member{{Key: "cart", Value: []byte(`["tea"]`)}}, now)
	if err != nil {
		t.Fatal(err)
	}
	want := "session=eyJjYXJ0IjpbInRlYSJdLCJfdXNlcl9pZCI6ImFkYSJ9." + stamp(now.Add(-time.Second)) + "."
	if len(cookies) != 1 || !strings.HasPrefix(cookies[0], want) || !strings.HasSuffix(cookies[0], "; Path=/; HttpOnly") {
		t.Errorf("%q, expected %s…", cookies, want)
	}
	r := inspect(t, f, cookies[0][:strings.Index(cookies[0], ";")], nil, now)
	if !r.Valid || r.Owner != "ada" || len(r.Members) != 2 {
		t.Errorf("%+v", r)
	}
	if r := inspect(t, f, cookies[0][:strings.Index(cookies[0], ";")], nil, now.Add(-1*time.Second)); !r.Valid {
		t.Errorf("a clock that is a second behind: %s", r.Reason)
	}
	big := []format.Member{{Key: "big", Value: []byte(`"` + noise(12000) + `"`)}}
	if _, _, _, err := format.Compose(f, "", "", big, now); !errors.Is(err, sojourn.ErrTooLarge) || !strings.Contains(err.Error(), "browsers keep 4096") {
		t.Errorf("too long: %v", err)
	}
	if _, err := format.Inspect(f, known, []byte("{}"), now); !errors.Is(err, sojourn.ErrInvalid) {
		t.Errorf("a record beside the cookie: %v", err)
	}
	if err := f.Check("_permanent", []byte("true")); !errors.Is(err, sojourn.ErrUnsupported) {
		t.Errorf("_permanent: %v", err)
	}
	if err := f.Check("a", []byte(`{"@set":[]}`)); !errors.Is(err, sojourn.ErrUnsupported) {
		t.Errorf("set: %v", err)
	}
}

func noise(n int) string {
	var b strings.Builder
	for i := uint32(1); b.Len() < n; i = i*1664525 + 1013904223 {
		fmt.Fprintf(&b, "%x", i)
	}
	return b.String()
}

func TestSessionCookies(t *testing.T) {
	p := startPeer(t)
	signed, err := SessionFormat(&SessionOptions{Secrets: []string{"s3cret"}, Pickle: true})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := SessionFormat(&SessionOptions{Prefix: "app:"})
	if err != nil {
		t.Fatal(err)
	}
	const id = "0b9bcf0b-8d12-4a4e-9c3f-3b1f62a7b9a1"
	record := p.ask(question{Do: "dump", Form: Pickle, Sample: "pickled"}).Record
	now := time.Now()
	cookie := p.ask(question{Do: "sign", Secret: "s3cret", ID: id}).Cookie
	for _, c := range []struct {
		f             format.Format
		cookie        string
		record        []byte
		id, key, word string
	}{
		{signed, cookie, record, id, "session:" + id, ""},
		{signed, cookie, []byte(`{"_permanent":true,"a":1}`), id, "session:" + id, ""},
		{signed, cookie, []byte("\x81\xa1a\x01"), id, "session:" + id, ""},
		{signed, cookie, nil, id, "session:" + id, format.NotFound},
		{signed, cookie, []byte("junk"), id, "session:" + id, format.Malformed},
		{signed, id, record, "", "", format.BadSignature},
		{plain, id, []byte(`{}`), id, "app:" + id, ""},
		{plain, id, record, id, "app:" + id, format.Unsupported},
		{plain, "a=b", record, "a=b", "app:a=b", format.Unsupported},
	} {
		r := inspect(t, c.f, c.cookie, c.record, now)
		if r.ID != c.id || r.Key != c.key || format.Word(r.Reason) != c.word || r.Valid != (c.word == "") {
			t.Errorf("%q %.20q: %+v", c.cookie, c.record, r)
		}
		for _, m := range r.Members {
			if m.Key == permanent {
				t.Error("_permanent is shown as a member")
			}
		}
	}
	cookies, key, _, err := format.Compose(signed, id, "", nil, now)
	if err != nil || !strings.HasPrefix(cookies[0], "session="+cookie+";") || key != "session:"+id {
		t.Errorf("%q %q %v, expected %q", cookies, key, err, cookie)
	}
	if _, err := signed.Encode(record, &format.Edit{Set: []format.Member{{Key: "a", Value: []byte("1")}}}); !errors.Is(err, sojourn.ErrUnsupported) || !strings.Contains(err.Error(), "WritePickle") {
		t.Errorf("writing a pickle: %v", err)
	}
}
