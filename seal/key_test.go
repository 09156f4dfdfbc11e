package seal_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn"
	"github.com/sojournhq/sojourn/seal"
)

func TestKeyText(t *testing.T) {
	k := seal.GenerateKey()
	text := k.Reveal()
	again, err := seal.ParseKey(text)
	if err != nil || again.ID() != k.ID() || again.Reveal() != text || !strings.HasPrefix(text, "sk1_"+k.ID()+"_") {
		t.Fatalf("%v, %v", again, err)
	}
	if seal.GenerateKey().ID() == k.ID() {
		t.Error("two keys of one ID")
	}
	// No single change of a character goes unnoticed, wherever it is.
	for i := range text {
		for _, c := range []byte("aB3_-=$ ") {
			if text[i] == c {
				continue
			}
			changed := text[:i] + string(c) + text[i+1:]
			if _, err := seal.ParseKey(changed); !errors.Is(err, sojourn.ErrInvalid) || leaksKey(k, err.Error()) {
				t.Errorf("position %d as %q: %v", i, c, err)
			}
		}
	}
	for _, bad := range []string{"", "sk1_", text[:len(text)-1], text + "A", " " + text, text + "\n", strings.ToUpper(text), "sk2" + text[3:]} {
		if _, err := seal.ParseKey(bad); !errors.Is(err, sojourn.ErrInvalid) || leaksKey(k, err.Error()) {
			t.Errorf("%d characters: %v", len(bad), err)
		}
	}
	if (seal.Key{}).Reveal() != "" || (seal.Key{}).ID() != "" {
		t.Error("the zero Key reveals something")
	}
}

// leaksKey reports whether text holds a part of the key's secret.
func leaksKey(k seal.Key, text string) bool {
	secret := k.Reveal()[len("sk1_xxxxxxxx_"):]
	for i := 0; i+6 <= len(secret); i++ {
		if strings.Contains(text, secret[i:i+6]) {
			return true
		}
	}
	return false
}

func TestKeysNeverPrint(t *testing.T) {
	raw := make([]byte, 32)
	rand.Read(raw)
	k, err := seal.NewKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	ring := newRing(t, k)
	store := newStore(t, newHostile(), ring)
	box := ring.Sealer("x")
	type inside struct {
		K    seal.Key
		k    seal.Key
		ring *seal.Ring
		all  []seal.Key
		p    *seal.Key
	}
	in := inside{k, k, ring, []seal.Key{k}, &k}
	var out strings.Builder
	for _, v := range []any{k, &k, ring, *box, box, store, in, &in, []any{k, ring}, map[string]any{"k": k}, ring.Keys(), store.Stats()} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%t", "%p"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		var g bytes.Buffer
		if gob.NewEncoder(&g).Encode(v) == nil {
			out.Write(g.Bytes())
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "v", v)
	}
	text := out.String()
	if !strings.Contains(text, k.ID()) {
		t.Error("nothing shows the ID")
	}
	lower := strings.ToLower(text)
	for i := 0; i+5 <= len(raw); i++ {
		part := raw[i : i+5]
		for form, want := range map[string]string{
			"hex": hex.EncodeToString(part), "spaced": fmt.Sprintf("% x", part), "raw": string(part),
			"decimal": strings.Trim(fmt.Sprint(part), "[]"), "commas": strings.ReplaceAll(strings.Trim(fmt.Sprint(part), "[]"), " ", ","),
			"Go": strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", part), "[]byte{"), "}"),
		} {
			if strings.Contains(lower, want) || strings.Contains(text, want) {
				t.Fatalf("the key shows as %s", form)
			}
		}
	}
	if leaksKey(k, text) {
		t.Error("the key shows as its text")
	}
	if !leaksKey(k, "x"+k.Reveal()) {
		t.Error("the detector sees nothing")
	}
}

func TestWeakKeysAreRefused(t *testing.T) {
	decode := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	seq := make([]byte, 32)
	for i := range seq {
		seq[i] = byte(0x80 + i)
	}
	password := sha256.Sum256([]byte("changeme"))
	empty := sha256.Sum256(nil)
	half := make([]byte, 16)
	rand.Read(half)
	padded := append(bytes.Repeat([]byte{0}, 20), seal.GenerateKey().Reveal()[13:25]...)
	for what, k := range map[string][]byte{
		"nothing":                    nil,
		"16 bytes":                   half,
		"31 bytes":                   seq[:31],
		"33 bytes":                   append(bytes.Clone(seq), 1),
		"zeros":                      make([]byte, 32),
		"one byte":                   bytes.Repeat([]byte{0xff}, 32),
		"two bytes":                  bytes.Repeat([]byte{0xde, 0xad}, 16),
		"deadbeef":                   bytes.Repeat(decode("deadbeef"), 8),
		"a sequence":                 seq,
		"0123456789abcdef, hex":      bytes.Repeat(decode("0123456789abcdef"), 4),
		"0123456789abcdef, text":     []byte("0123456789abcdef0123456789abcdef"),
		"a password":                 []byte("correct horse battery staple!!!!"),
		"the examples of Go's docs":  decode("6368616e676520746869732070617373776f726420746f206120736563726574"),
		"text with a newline":        []byte("j8Kd92mXoqP0zLs7vBn3Qw5ErTy6UiA\n"),
		"half a base64 key":          []byte("5oJkV9mQ2xWz7LrT4uNcYb8EfHs1GdPa"),
		"a padded one":               padded,
		"16 bytes twice":             append(bytes.Clone(half), half...),
		"a hashed password":          password[:],
		"the hash of nothing":        empty[:],
		"Flask's handbook":           decode("192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf"),
		"NIST's test vector":         decode("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
		"an RFC's private key":       decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
		"a reversed sequence":        {31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0},
		"AES's example, FIPS 197 §C": decode("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"),
	} {
		if key, err := seal.NewKey(k); !errors.Is(err, sojourn.ErrInvalid) || key.Reveal() != "" {
			t.Errorf("%s: %v, %v", what, key, err)
		}
	}
	// Random ones are not.
	for range 20_000 {
		b := make([]byte, 32)
		rand.Read(b)
		if _, err := seal.NewKey(b); err != nil {
			t.Fatalf("%x: %v", b, err)
		}
	}
}

// NewKey copies: what the caller does with its slice is no matter.
func TestNewKeyCopies(t *testing.T) {
	b := make([]byte, 32)
	rand.Read(b)
	k, err := seal.NewKey(b)
	if err != nil {
		t.Fatal(err)
	}
	text := k.Reveal()
	clear(b)
	if k.Reveal() != text {
		t.Error("the key changed")
	}
}
