package dbsc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// signed makes a proof; it is the test's own, so that it can be wrong.
func signed(t testing.TB, key any, alg jose.SignatureAlgorithm, withKey bool, typ, payload string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{EmbedJWK: withKey}).WithType(jose.ContentType(typ)))
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	s, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestProofKeys(t *testing.T) {
	const claims = `{"jti":"c"}`
	rsaKey := func(bits int) *rsa.PrivateKey {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, big := newKey(t), rsaKey(2048)
	for what, c := range map[string]struct {
		jws string
		ok  bool
	}{
		"P-256":        {signed(t, key, jose.ES256, true, "dbsc+jwt", claims), true},
		"RSA 2048":     {signed(t, big, jose.RS256, true, "dbsc+jwt", claims), true},
		"RSA 1024":     {signed(t, rsaKey(1024), jose.RS256, true, "dbsc+jwt", claims), false},
		"PS256":        {signed(t, big, jose.PS256, true, "dbsc+jwt", claims), false},
		"P-384":        {signed(t, p384, jose.ES384, true, "dbsc+jwt", claims), false},
		"HS256":        {signed(t, make([]byte, 32), jose.HS256, false, "dbsc+jwt", claims), false},
		"another type": {signed(t, key, jose.ES256, true, "JWT", claims), false},
		"no claims":    {signed(t, key, jose.ES256, true, "dbsc+jwt", `[]`), false},
	} {
		p, err := readProof(c.jws, nil)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, errProof) {
			t.Errorf("%s: %v", what, err)
		}
		if c.ok && p.challenge != "c" {
			t.Errorf("%s: challenge %q", what, p.challenge)
		}
	}
	// The key that is stored verifies, and only it.
	for _, k := range []any{&key.PublicKey, &big.PublicKey} {
		b, err := newBinding(k, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		b, err = decodeBinding(b.encode())
		if err != nil {
			t.Fatal(err)
		}
		stored, err := b.public()
		if err != nil {
			t.Fatal(err)
		}
		_, ecOK := readProof(signed(t, key, jose.ES256, false, "dbsc+jwt", claims), stored)
		_, rsaOK := readProof(signed(t, big, jose.RS256, false, "dbsc+jwt", claims), stored)
		if _, ec := k.(*ecdsa.PublicKey); (ecOK == nil) != ec || (rsaOK == nil) == ec {
			t.Errorf("%T: %v, %v", k, ecOK, rsaOK)
		}
	}
}

// Whatever comes as a proof: no panic, no error but errProof, and nothing is taken
// that the key did not sign.
func FuzzProof(f *testing.F) {
	key, other := newKey(f), newKey(f)
	const claims = `{"jti":"challenge","authorization":"a"}`
	good := signed(f, key, jose.ES256, true, "dbsc+jwt", claims)
	later := signed(f, key, jose.ES256, false, "dbsc+jwt", claims)
	for _, seed := range []string{good, later, good[:len(good)-1], strings.ToUpper(good), good + ".", "..", "", "{}",
		signed(f, other, jose.ES256, true, "dbsc+jwt", claims), signed(f, other, jose.ES256, false, "dbsc+jwt", claims),
		signed(f, key, jose.ES256, true, "JWT", claims), signed(f, key, jose.ES256, true, "dbsc+jwt", `{"jti":null}`),
		"eyJhbGciOiJub25lIiwidHlwIjoiZGJzYytqd3QifQ.e30.", strings.Repeat("A", 8000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := readProof(s, nil); err == nil {
			if p.challenge == "" || p.key == nil {
				t.Errorf("taken: %+v", p)
			}
		} else if !errors.Is(err, errProof) {
			t.Errorf("%v", err)
		}
		p, err := readProof(s, &key.PublicKey)
		if err == nil && (p.challenge != "challenge" || strings.Split(s, ".")[1] != strings.Split(later, ".")[1]) {
			t.Errorf("taken: %q", s)
		}
	})
}

// Whatever headers hold: no panic, and what is written reads back.
func FuzzHeader(f *testing.F) {
	for _, seed := range []string{`"b123"`, `b123`, `"a\"b"`, `?1`, `1`, `:YQ==:`, `("a" "b")`, `"a", "b"`, `quota_exceeded;session_identifier="b1"`,
		`unreachable;session_identifier=b1, server_error;session_identifier="b1"`, `a;b`, `(`, "\x00", `"é"`, strings.Repeat("a", 9000), ""} {
		f.Add(seed, "b1")
	}
	f.Fuzz(func(t *testing.T, line, name string) {
		h := http.Header{headerID: {line}, headerSkipped: {line, line}}
		value, ok := field(h, headerID)
		if ok != (value != "") {
			t.Errorf("%q, %v", value, ok)
		}
		if ok {
			text, err := asking(value, "b")
			if err != nil {
				t.Fatalf("%q was read and cannot be written: %v", value, err)
			}
			if again, ok := field(http.Header{headerID: {text}}, headerID); len(text) <= maxField && (!ok || again != value) {
				t.Errorf("%q reads back as %q", value, again)
			}
		}
		if reason := skipped(h, name); reason != "" && !strings.Contains(line, reason) {
			t.Errorf("%q found in %q", reason, line)
		}
	})
}

// Stamps open in one spelling only, with their own key, purpose and words; a
// stored binding reads back byte for byte.
func FuzzStamp(f *testing.F) {
	key := make([]byte, 32)
	now := time.UnixMicro(1_800_000_000_000_001)
	f.Add(stamp(key, forCookie, now, []byte("a"), []byte("bc")), []byte{bindingVersion})
	b, err := newBinding(&newKey(f).PublicKey, now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stamp(key, forCookie, now, []byte("ab"), []byte("c")), b.encode())
	f.Add(stamp(key, forChallenge, now, []byte("a"), []byte("bc")), b.encode()[:bindingFixed])
	f.Add("", []byte{})
	f.Fuzz(func(t *testing.T, s string, stored []byte) {
		if at, ok := openStamp(key, forCookie, s, []byte("a"), []byte("bc")); ok && s != stamp(key, forCookie, at, []byte("a"), []byte("bc")) {
			t.Errorf("%q opens", s)
		}
		k, err := decodeBinding(stored)
		if err == nil && !bytes.Equal(k.encode(), stored) {
			t.Errorf("%x reads back as %x", stored, k.encode())
		}
		if err == nil {
			k.public()
		}
	})
}

func TestStampsKeepApart(t *testing.T) {
	key, now := make([]byte, 32), time.Now()
	s := stamp(key, forCookie, now, []byte("a"), []byte("bc"))
	if at, ok := openStamp(key, forCookie, s, []byte("a"), []byte("bc")); !ok || at.UnixMicro() != now.UnixMicro() {
		t.Fatalf("%v, %v", at, ok)
	}
	for what, opened := range map[string]bool{
		"purpose": second(openStamp(key, forChallenge, s, []byte("a"), []byte("bc"))),
		"words":   second(openStamp(key, forCookie, s, []byte("ab"), []byte("c"))),
		"key":     second(openStamp(append([]byte{1}, key[1:]...), forCookie, s, []byte("a"), []byte("bc"))),
		"bit":     second(openStamp(key, forCookie, "B"+s[1:], []byte("a"), []byte("bc"))),
		"padding": second(openStamp(key, forCookie, s+"=", []byte("a"), []byte("bc"))),
	} {
		if opened {
			t.Errorf("another %s opens it", what)
		}
	}
}

func second(_ time.Time, ok bool) bool { return ok }
