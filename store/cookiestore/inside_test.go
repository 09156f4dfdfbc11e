package cookiestore

import (
	"bytes"
	"testing"
	"time"

	"github.com/sojournhq/sojourn"
)

func FuzzDecode(f *testing.F) {
	f.Add(encode(&sojourn.Record{Version: 3, Expires: time.UnixMilli(1e12), Generation: 2, Owner: "ada", Payload: []byte("payload")}))
	f.Add([]byte{})
	f.Add([]byte{1, 2, 3, 200, 1})
	f.Add(bytes.Repeat([]byte{0xff}, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, ok := decode("id", b)
		if !ok {
			return
		}
		again, ok := decode("id", encode(&r))
		if !ok || again.Version != r.Version || !again.Expires.Equal(r.Expires) || again.Generation != r.Generation ||
			again.Owner != r.Owner || !bytes.Equal(again.Payload, r.Payload) {
			t.Errorf("%+v became %+v", r, again)
		}
	})
}

func FuzzOpen(f *testing.F) {
	secret := make([]byte, 32)
	for i := range secret {
		secret[i] = byte(i)
	}
	ring, err := newKeyring([][]byte{secret})
	if err != nil {
		f.Fatal(err)
	}
	const good = "AUtcFhSWlbpca1f4WhWaNLVkPtj_po1fAyev76XfYBhUkTVAEn8" // sealed once: the format stays
	if plain, _, ok := ring.open("name", "id", good); !ok || string(plain) != "plain" {
		f.Fatalf("a cookie sealed by an earlier version opens as %q, %v", plain, ok)
	}
	f.Add(good)
	f.Add(good[:20])
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, text string) {
		if plain, _, ok := ring.open("name", "id", text); ok && (text != good || string(plain) != "plain") {
			t.Errorf("%q opened as %q", text, plain)
		}
	})
}

// The same record is never sealed alike, and shows nothing.
func TestSealsDiffer(t *testing.T) {
	secret := []byte("0123456789abcdefghijklmnopqrstuv")
	ring, err := newKeyring([][]byte{secret})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range 1000 {
		text := ring.seal("name", "id", []byte("plain"))
		if seen[text] {
			t.Fatal("a nonce was used twice")
		}
		seen[text] = true
		if raw, _ := b64.DecodeString(text); bytes.Contains(raw, []byte("plain")) {
			t.Fatal("the record is legible")
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	ring, err := newKeyring([][]byte{[]byte("0123456789abcdefghijklmnopqrstuv")})
	if err != nil {
		b.Fatal(err)
	}
	plain := make([]byte, 500)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := ring.open("name", "id", ring.seal("name", "id", plain)); !ok {
			b.Fatal("it does not open")
		}
	}
}
