package browser

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func TestFilesAreTheModules(t *testing.T) {
	for name, says := range map[string]string{
		"sojourn.js":        " as createSession",
		"live.js":           " as connectLive",
		"all.js":            " as connect",
		"sojourn.global.js": "var Sojourn",
	} {
		body, ok := File(name)
		if !ok || !bytes.HasPrefix(body, []byte("/*! @sojourn/browser ")) || !bytes.Contains(body, []byte(says)) {
			t.Errorf("%s: %v, begins with %.40q, expected the licence line and %q", name, ok, body, says)
		}
	}
	if _, ok := File("index.d.ts"); ok || len(Files()) < 4 {
		t.Errorf("%d files, expected scripts and nothing else", len(Files()))
	}
	if core, _ := File("sojourn.js"); !bytes.Equal(core, SDK()) {
		t.Error("SDK is not the core")
	}
}

func TestHashNamesTheContent(t *testing.T) {
	sum := sha256.Sum256(SDK())
	if h := Hash(SDK()); len(h) != 24 || !strings.HasPrefix(hex.EncodeToString(sum[:]), h) {
		t.Errorf("Hash is %q, expected the first 24 digits of %x", h, sum)
	}
	long := sha512.Sum384(SDK())
	if got, want := Integrity(SDK()), "sha384-"+base64.StdEncoding.EncodeToString(long[:]); got != want {
		t.Errorf("Integrity is %q, expected %q", got, want)
	}
}
